# What the stand-ins share: what the simulated world is like, what the board keeps over a reset, and time.
#
# A folder holds one board and its world:
#   world.json  {"type": the type's model, "platform", "micropython": "1.25", "wifi": {"ssid", "password", "join_ms"},
#                "hosts": {name: address}, "ports": {port: another}, "axtls": false, "verbose": false,
#                "quiet": false, "end_ms": the board's time after which all ends, "speed": 1, "network_speed": 1, "seed": 1,
#                "flash_blocks": 256, "bounces": 0 (of a contact), "heap_kb": what the firmware has (all there is), "tls_kb": what TLS takes of it,
#                "faults": {...}, "real": [modules that the board has in /lib, and that are not played],
#                "back_ms": how far in the past the simulated clock starts (below), "journal", "cycles" (_journal.py)}
#   state.json  what outlives a reset: {"wifi": what the chip's own flash has, "wifi_writes", "code": how the last run ended, "cause", "skipped_us",
#                "clock_us", "rtc", "sleep_ms", "values", "draw", "boots", "hertz", "handshake_hertz": what the processor was told,
#                "measured": the last hundred, [[ms, {quantity: value}], ...]}
#   flash.img   the board's flash, a LittleFS
# Written by others: world.json. The rest is made by power_on.py, and gone when the folder is.
#
# wifi may have more: {"gone": true, "refuses_ms": 12000 (from each connect()), "others": {name: password} of networks that
# are there too, "stored": [name, password]: what an ESP8266's flash has from an earlier life}.
#
# faults: {"dns": true, "dns_ms": 5000, "clock": true, "ntp": "kiss" (more in _ntp.py), "sensor": what all do, or {driver: what its sensors do},
#          "drop_acknowledgement": 1, "power_cut_at_write": 3, "hang": "connect" | "handshake"}; power_on.py and the stand-ins name what
#          they act on. A sensor's are "absent", "crc" (a wrong checksum), "nan" (what the chip says when it has measured nothing), "shorted"
#          (its data line is at ground), "brown_out" and "weak" (DS18B20: each bit reads as 0), "zero", "clone" and "beyond" (DHT:
#          more than 100 %), 0, 1 or 2 (BME280: its pressure, temperature or humidity was not measured).
#
# Time is the host's, plus what was skipped: with speed 20 a sleep of a second takes 50 ms, and everything
# that the board can ask for the time agrees that a second went by. network_speed does the same to waiting for others.
# With back_ms the clock starts that far in the past and never gets ahead of the host's: once it has caught up, a sleep
# takes its full time.
import json
import sys


def builtin(name):
    """The interpreter's own module, where a stand-in has its name."""
    path, stand_in = sys.path, sys.modules.pop(name, None)
    sys.path = ()
    try:
        return __import__(name)
    finally:
        sys.path = path
        sys.modules.pop(name, None)
        if stand_in:
            sys.modules[name] = stand_in


_time = builtin("time")
_os_exit = None
PROMPT, RESET, DEEP_SLEEP, WATCHDOG, POWER_CUT, TIME_IS_OVER, ENOUGH = 0, 10, 11, 12, 13, 14, 15  # exit codes of power_on.py
EPOCH_2000 = 946684800

folder = ""
world = {}
state = {}
timers = []
watchdog = None
pins = {}
published = False  # a reading was written to the connection that is open
deaf = False  # nothing comes from the network any more
_wait_depth = 0


def load(where):
    global folder, _os_exit, started_us
    folder = where
    with open(where + "/world.json") as file:
        world.update(json.load(file))
    state.update({"cause": "power on", "skipped_us": 0, "clock_us": None, "rtc": "", "sleep_ms": 0, "values": {}, "boots": 0, "began_us": None,
                  "hertz": None, "handshake_hertz": None})
    state["draw"] = world.get("seed", 1)
    state["skipped_us"] = -1000 * world.get("back_ms", 0)
    try:
        with open(where + "/state.json") as file:
            state.update(json.load(file))
    except OSError:
        pass
    try:
        _os_exit = builtin("ffi").open(None).func("v", "_exit", "i")
    except ImportError:  # not in every build: state.json has the code then
        _os_exit = _end_by_signal
    started_us = now_us()
    if state["began_us"] is None:
        state["began_us"] = started_us
    if state["clock_us"] is None:  # a clock that nobody set
        state["clock_us"] = EPOCH_2000 * 1000000 - started_us


def platform():
    return world["platform"]


def version():
    """Of MicroPython: (1, 25)."""
    return tuple(int(part) for part in world.get("micropython", "1.25").split(".")[:2])


def fault(name):
    return world.get("faults", {}).get(name)


def say(*words):
    if not world.get("quiet"):
        print("--", *words, file=sys.stderr)


def save():
    temporary = folder + "/state.json.new"
    with open(host(temporary), "w") as file:
        json.dump(state, file)
    builtin("os").rename(host(temporary), host(folder + "/state.json"))


mounted = False


def host(path):
    """A path of this machine as the interpreter sees it once the board's flash is mounted at its root."""
    return "/host" + path if mounted else path


def _end_by_signal(code):
    while True:
        builtin("os").system("kill -TERM $PPID")
        _time.sleep_us(100000)


def leave(code, cause, sleep_ms=0):
    """Ends this run of the board: nothing runs after it, no except and no finally."""
    state["code"], state["cause"], state["sleep_ms"] = code, cause, sleep_ms
    state["took_ms"] = (now_us() - started_us) // 1000
    if code == POWER_CUT:  # what the clock's power supply kept is gone
        state["rtc"], state["clock_us"] = "", None
    save()
    _os_exit(code)


# --- time -------------------------------------------------------------------------------------------


def real_us():
    return _time.time_ns() // 1000


def now_us():
    return real_us() + state["skipped_us"]


def board_us():
    """The board's clock, in microseconds since 1970: right when it was set, near 2000 or 2021 when it was not."""
    return now_us() + state["clock_us"]


def set_board_us(us):
    state["clock_us"] = us - now_us()


def uptime_us():
    return now_us() - started_us


def tick():
    """Runs timers that are due; a watchdog that was not fed ends all."""
    global _wait_depth
    now = now_us()
    if left_us() <= 0:
        leave(TIME_IS_OVER, "power on")
    if watchdog is not None and now >= watchdog:
        say("watchdog: nobody fed it")
        leave(WATCHDOG, "watchdog")
    if _wait_depth > 1:  # a callback that sleeps
        return
    for timer in list(timers):
        if now >= timer.due:
            timer.fire()


def left_us():
    """Of the time that world.json gives to all runs together."""
    end = world.get("end_ms")
    return 1 << 60 if end is None else state["began_us"] + end * 1000 - now_us()


def until_next():
    """Microseconds to the next thing that tick() does."""
    due = [t.due for t in timers]
    if watchdog is not None:
        due.append(watchdog)
    return max(min([left_us()] + [d - now_us() for d in due]), 0)


def wait_us(us, speed=None):
    global _wait_depth
    speed = speed or world.get("speed", 1)
    end = now_us() + us
    _wait_depth += 1
    try:
        while True:
            left = end - now_us()
            if left <= 0:
                break
            pass_time(min(left, until_next() + 1, 1000000), speed)
            tick()
    finally:
        _wait_depth -= 1
    tick()


def pass_time(us, speed):
    """us of the board's time go by, in us / speed of ours."""
    began = real_us()
    _sleep(us // speed)
    skip = max(us - (real_us() - began), 0)
    most = max(-state["skipped_us"], 0) if "back_ms" in world else skip
    state["skipped_us"] += min(skip, most)
    if skip > most:
        _sleep(skip - most)


def _sleep(us):
    """In pieces: the interpreter hands 32 bits of microseconds to the system, 71 minutes."""
    while us > 0:
        _time.sleep_us(min(us, 60000000))
        us -= 60000000


# --- what sensors measure ---------------------------------------------------------------------------


def draw():
    """A number from 0 to 1; the same seed gives the same numbers. (The generator of Numerical Recipes.)"""
    state["draw"] = (state["draw"] * 1664525 + 1013904223) & 0xFFFFFFFF
    return (state["draw"] >> 8) / 0xFFFFFF


def amount(text, value):
    if isinstance(text, str):
        return abs(value) * float(text.rstrip("%")) / 100
    return text or 0


def default_start(measure):
    kind, low, high = measure["type"], measure.get("minimum"), measure.get("maximum")
    if kind == "boolean":
        return False
    if kind == "varchar":
        return ""
    if low is None or high is None:
        return low if low is not None else high if high is not None else 20
    return (low + high) / 2


def next_value(measure):
    """The next reading of a measure, as its simulate: section says; docs/types.md explains it."""
    plan, key = measure.get("simulate") or {}, measure["name"]
    value = state["values"].get(key)
    if value is None:
        value = plan.get("start", default_start(measure))
    elif measure["type"] == "boolean":
        value = value != (draw() < amount(plan.get("drift"), 1))
    elif measure["type"] != "varchar":
        value += amount(plan.get("drift"), value) * (2 * draw() - 1)
    state["values"][key] = value
    if measure["type"] in ("boolean", "varchar"):
        return value
    seen = value + amount(plan.get("noise"), value) * (2 * draw() - 1)
    if draw() < amount(plan.get("artefacts"), 1):
        seen = absurd(measure, seen)
    return seen if measure["type"] == "double" else round(seen)


def absurd(measure, value):
    low, high = measure.get("minimum"), measure.get("maximum")
    if high is not None:
        return high + (0.05 + draw() / 2) * (high - low if low is not None else abs(high) + 100)
    if low is not None:
        return low - (0.05 + draw() / 2) * (abs(low) + 100)
    return value * 10 + 1000


class Device:
    """A sensor that the spec names, with its parameters and what it measures."""

    def __init__(self, driver, parameters, measures):
        self.driver, self.parameters, self.measures = driver, parameters, measures
        self.seen = {}

    def measure(self):
        """{quantity: value}, new ones at each call."""
        self.seen = {m["driver"]["quantity"]: next_value(m) for m in self.measures}
        if sensor_fault(self.driver) == "nan":
            self.seen = {quantity: float("nan") for quantity in self.seen}
        else:
            state["measured"] = state.get("measured", [])[-99:] + [[now_us() // 1000, self.seen]]
        return self.seen


def sensor_fault(driver):
    what = fault("sensor")
    return what.get(driver) if isinstance(what, dict) else what


def devices(driver, **parameters):
    """Those of a driver that are connected there; none where the world says that they are absent."""
    if sensor_fault(driver) == "absent":
        return []
    return [d for d in _devices() if d.driver == driver and all(d.parameters.get(k) == v for k, v in parameters.items())]


_made = None


def _devices():
    global _made
    if _made is None:
        kind = world["type"]
        _made = []
        for driver in kind.get("drivers", []):
            parameters = {p["name"]: eval(p["literal"], {}) for p in driver["parameters"]}
            measures = [m for m in kind["measures"] if m.get("driver") and m["driver"]["name"] == driver["name"]
                        and m["driver"]["instance"] == driver["instance"]]
            _made.append(Device(driver["name"], parameters, measures))
    return _made
