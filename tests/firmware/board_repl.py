# board_repl.py FOLDER OPTIONS: a board's serial prompt, on MicroPython's unix port: the raw REPL and its paste mode as
# docs/reference/repl.rst of MicroPython describes them, over standard input and output, which are a pseudo-terminal.
# FOLDER is as simulator/modules/_world.py describes it. OPTIONS, JSON: {"platform", "version": [1, 25], "silent": true,
# "corrupt": "/a/main.py", "format": 6, "mute_after": N: says nothing more after N scripts}.
import json
import sys

sys.path.append(__file__.rsplit("/", 1)[0] + "/../../simulator/modules")
import _world  # noqa: E402
from _flash import mount  # noqa: E402

CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E = b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"
WINDOW = 128
options = json.loads(sys.argv[2])
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
scripts = 0


class FakeSys:
    """What a script of the host sees as sys: the board's, not the unix port's."""

    platform = options.get("platform", "esp8266")
    version = "3.4.0; MicroPython"
    print_exception = sys.print_exception
    exit, modules, path, stdin, stdout, stderr = sys.exit, sys.modules, sys.path, sys.stdin, sys.stdout, sys.stderr

    class implementation:
        name, version, _mpy = "micropython", tuple(options.get("version", [1, 25, 0])), 2 << 8 | options.get("format", 6)


class FakeMachine:
    @staticmethod
    def reset():
        log("reset")
        _world.builtin("os").system("sleep 0.2")
        raise SystemExit


def log(word):
    with open(_world.host(sys.argv[1] + "/log"), "a") as file:
        file.write(word + "\n")


def say(data):
    stdout.write(data)


def run(source):
    global scripts
    scripts += 1
    log("script")
    spoil(source)
    try:
        exec(source, space)
    except SystemExit:
        return b""
    except BaseException as error:
        import io

        text = io.StringIO()
        sys.print_exception(error, text)
        return text.getvalue().encode()
    return b""


def spoil(source):
    """A flash that does not keep what it was given: one byte is another when it is asked for the sums."""
    name = options.get("corrupt")
    if name and b"sensorforge:" in source and b"hashlib" in source:
        with open(name, "r+b") as file:
            file.write(b"\0")


def read_paste():
    say(b"R\x01" + bytes([WINDOW & 0xFF, WINDOW >> 8]))
    source, since = b"", 0
    while True:
        byte = stdin.read(1)
        if byte == CTRL_D:
            say(CTRL_D)
            return source
        if byte == CTRL_C:
            return b""
        source += byte
        since += 1
        if since == WINDOW:
            since = 0
            say(b"\x01")


def finish(source):
    mute = options.get("mute_after") is not None and scripts >= options["mute_after"]
    while mute:
        stdin.read(1)
    errors = run(source)
    say(CTRL_D + errors + CTRL_D + b">")


def raw():
    say(b"raw REPL; CTRL-B to exit\r\n>")
    source = b""
    while True:
        byte = stdin.read(1)
        if byte == CTRL_B:
            say(b"\r\nMicroPython\r\n>>> ")
            return
        if byte == CTRL_C:
            source = b""
        elif byte == CTRL_E and source == b"":
            if stdin.read(2) == b"A\x01":
                finish(read_paste())
        elif byte == CTRL_D and source == b"":
            say(b"OK\r\nMPY: soft reboot\r\nraw REPL; CTRL-B to exit\r\n>")
            space.clear()
        elif byte == CTRL_D:
            say(b"OK")
            finish(source)
            source = b""
        elif byte != CTRL_A:
            source += byte


_world.load(sys.argv[1])
mount(sys.argv[1], False)
sys.path[:] = ["", "/lib"]
space = {"__name__": "__main__"}
sys.modules["sys"] = FakeSys
sys.modules["machine"] = FakeMachine
if "umqtt" in options.get("has", ["umqtt"]):
    sys.modules["umqtt"] = sys.modules["umqtt.simple"] = FakeMachine
while True:
    byte = stdin.read(1)
    if options.get("silent"):
        continue
    if byte == CTRL_A:
        raw()
    elif byte in (CTRL_C, b"\r"):
        say(b"\r\n>>> ")
