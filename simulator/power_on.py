# power_on.py FOLDER: one run of a board on MicroPython's unix port, from its reset to its next sleep or reset.
# power_on.py FOLDER --flash PACKAGE [LIBRARY]: makes the board's flash and puts a package on it, and modules into /lib.
# power_on.py FOLDER --copy FILES: makes a flash with these files.
# power_on.py FOLDER --list | --get FILE: what is on the flash.
#
# The flash is a LittleFS in FOLDER/flash.img, mounted as the root, so that a full one and a power cut in the middle of a write
# are what they are on a board. The host's files are below /host, where the stand-ins come from; modules/_world.py says what
# FOLDER holds. boot.py and main.py run as a board runs them. The exit code says how the run ended: 0 at the prompt, 10 reset,
# 11 deep sleep, 12 watchdog, 13 power cut, 14 the time is over, 15 enough readings; 1: the simulator itself failed.
import gc
import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/modules")  # before what is frozen into the interpreter
import _journal  # noqa: E402
import _world  # noqa: E402
from _flash import mount  # noqa: E402


def copy_in(source, target):
    import os

    for name, kind, *_ in os.ilistdir(source):
        if kind & 0x4000:
            os.mkdir(target + "/" + name)
            copy_in(source + "/" + name, target + "/" + name)
            continue
        with open(source + "/" + name, "rb") as file, open(target + "/" + name, "wb") as copy:
            piece = file.read(1024)
            while piece:
                copy.write(piece)
                piece = file.read(1024)


def list_files(folder):
    import os

    for name, kind, *rest in os.ilistdir(folder or "/"):
        if kind & 0x8000:
            print(folder + "/" + name, rest[1])
        elif folder + "/" + name != "/host":
            list_files(folder + "/" + name)


def sleep_out():
    """The rest of the deep sleep that the last run asked for: skipped, or slept where time is not to be shortened."""
    us, left = _world.state["sleep_ms"] * 1000, _world.left_us()
    _world.pass_time(min(us, left), 1 if _world.world.get("speed", 1) == 1 else 1 << 60)
    if us >= left:
        _world.leave(_world.TIME_IS_OVER, _world.state["cause"], (us - left) // 1000)
    _world.state["sleep_ms"] = 0
    _world.state["woken_by"] = _world.state["cause"]
    _world.started_us = _world.now_us()


def freeze(modules, missing):
    """The stand-ins are as frozen modules on a board: dropped from sys.modules, they are there again. missing: what is not."""
    import builtins

    own = builtins.__import__

    def load(name, *rest):
        if name in missing:
            raise ImportError("no module named '%s'" % name)
        for each in (name, name.split(".")[0]):
            if each in modules and each not in sys.modules:
                sys.modules[each] = modules[each]
        module = own(name, *rest)
        _journal.look_at(name)
        return module

    builtins.__import__ = load


def stand_ins():
    """All of them before the firmware begins: on a board they are in flash, and take none of its heap."""
    modules = ["machine", "network", "socket", "ssl", "time", "os", "_onewire", "onewire", "ds18x20", "dht", "ntptime", "ssd1306", "umqtt.simple", "umqtt.robust"]
    modules += {"esp8266": ["esp"], "esp32": ["esp", "esp32"], "rp2": ["rp2"]}[_world.platform()]
    sys.modules.pop("os", None)
    for name in modules:
        if name.split(".")[0] not in _world.world.get("real", []):
            __import__(name)
    sys.modules["tls"] = __import__("_tls")
    for name in ("machine", "os", "socket", "ssl", "time"):  # on a board these are other names for the same
        sys.modules["u" + name] = sys.modules[name]
    freeze(dict(sys.modules), ("tls",) if _world.version() < (1, 23) else ())
    sys.path[:] = ["", ".frozen", "/lib"]


def run(space):
    for name in ("boot.py", "main.py"):
        try:
            execfile(name, space)
        except SystemExit:
            _world.leave(_world.RESET, "reset")
        except Exception as error:
            sys.print_exception(error)
    _world.say("main.py ended: the board waits at its prompt")
    _world.leave(_world.PROMPT, "reset")


def make_older(path):
    """A clock that starts in the past is right only for a package that was made before: the firmware checks that."""
    import json

    with open(path) as file:
        config = json.load(file)
    config["made"] -= _world.world["back_ms"] // 1000 + 1
    with open(path, "w") as file:
        json.dump(config, file)


def make_flash(folder, package, library=None):
    """As `sensorforge flash` leaves it: the package in /a, and what chooses it; installed modules in /lib."""
    import os

    mount(folder, True)
    os.mkdir("/a")
    copy_in("/host" + package, "/a")
    if _world.world.get("back_ms"):
        make_older("/a/config.json")
    os.rename("/a/boot.py", "/boot.py")
    if library:
        os.mkdir("/lib")
        copy_in("/host" + library, "/lib")
    with open("/slot", "w") as file:
        file.write("a")


def show_flash(folder, words):
    mount(folder, False)
    if words[0] == "--list":
        return list_files("")
    with open(words[1], "rb") as file:
        sys.stdout.buffer.write(file.read())


def leave_only(piece):
    """Fills the heap up to the last byte, but for one piece: the stand-ins, which are flash on a board, take none of it."""
    filler = None
    try:
        while True:
            filler = (filler,)
    except MemoryError:
        pass
    del piece
    return filler


def power_on(folder):
    kb = _world.world.get("heap_kb")
    space = {"__name__": "__main__"}
    pieces = [bytearray(int(kb * 1024))] if kb else []
    sleep_out()
    stand_ins()
    mount(folder, False)
    _world.state["boots"] += 1
    gc.collect()
    if kb:
        space["__filler__"] = leave_only(pieces.pop())
    gc.collect()
    if kb and _world.platform() == "esp8266":
        gc.threshold(int(kb * 256))  # as its _boot.py does: a quarter of the heap
    run(space)


try:
    _world.load(sys.argv[1])
    if sys.argv[2:3] == ["--flash"]:
        make_flash(sys.argv[1], *sys.argv[3:])
    elif sys.argv[2:3] == ["--copy"]:
        mount(sys.argv[1], True)
        copy_in("/host" + sys.argv[3], "")
    elif len(sys.argv) > 2:
        show_flash(sys.argv[1], sys.argv[2:])
    else:
        power_on(sys.argv[1])
except KeyboardInterrupt:
    if len(sys.argv) > 2:
        sys.exit(1)
    _world.leave(_world.PROMPT, "reset")
