#!/usr/bin/env python3
"""What goes wrong in a house, on each platform: nothing hangs, nothing is lost that could be kept, and it mends itself."""

import base64
import json
import os
import shutil
import sys
import threading
import time
import urllib.parse
import urllib.request

from bench import (DEEP_SLEEP, PASSWORD, POWER_CUT, RESET, SSID, TIME_IS_OVER, WATCHDOG, Board, Broker, Project, free_port, listens, main, note, same, test, until)

PROJECT = Project()
SPEC = """version: 1
type: {name}
platform: {platform}
publish_every: 5m
sleep: {sleep}
measures:
  {measure}:
    valid: {{min: -50, max: 100}}
    driver: {driver}
    simulate: {{start: 20, drift: 0.5, noise: 0.2}}
"""
KINDS = {
    "esp8266": ("faulty8266", "deep", "{name: ds18x20, pin: 14}"),
    "esp32": ("faulty32", "deep", "{name: bme280, scl: 22, sda: 21}"),
    "rp2": ("faultyrp2", "light", "{name: sht3x, scl: 5, sda: 4}"),
}
for platform, (kind, sleep, driver) in KINDS.items():
    PROJECT.add_type(kind, SPEC.format(name=kind, platform=platform, sleep=sleep, driver=driver, measure="temperature"))
THINGS = 0
EVERY = 300
# Until a board has found out that the trouble is over: pauses grow. One in deep sleep is looked at after each run.
RECOVERY = {"deep": 3 * 3600, "light": 1800}
LONGEST_ATTEMPT_MS = 125_000  # of the board's time, whatever is wrong
PROJECT.create("first", "faulty8266")  # so that there is an authority
BROKER = Broker(PROJECT)
BROKER.start()


def new_board(platform, **world):
    global THINGS
    THINGS += 1
    kind = KINDS[platform][0]
    name = f"{platform}-{THINGS}"
    return Board(PROJECT, PROJECT.create(name, kind), kind, speed=200, **world)


def on_each(function):
    """The test, once for each platform."""
    for platform in KINDS:
        def one(platform=platform):
            function(new_board(platform))
        one.__name__ = f"{platform} {function.__name__}"
        one.__doc__ = f"{platform}: {(function.__doc__ or function.__name__.replace('_', ' ')).rstrip('.')}"
        test(one)
    return function


def bounded(cycles):
    """No run ends otherwise than it should, and none takes longer than an attempt may."""
    for cycle in cycles:
        assert cycle.code in (DEEP_SLEEP, RESET, WATCHDOG, TIME_IS_OVER), cycle
        assert cycle.state["sleep_ms"] <= 3600_000, cycle
        if cycle.code == DEEP_SLEEP:
            assert cycle.state["took_ms"] < LONGEST_ATTEMPT_MS, cycle
    return cycles


def all_arrive(board):
    """The trouble is over: every reading that was taken arrives, with the time at which it was taken."""
    bounded(board.live(RECOVERY[board.model["sleep"]], until=lambda: everything(board)))
    measured, got = board.measured(), BROKER.received(board.topic)
    missing = [m for m in measured if not any(abs(r.get("time", 0) - m[0]) < 2000 for r in got)]
    same([], missing, f"measured but never published; published: {got}")
    for reading in got:
        at, values = min(measured, key=lambda m: abs(m[0] - reading["time"]))
        assert abs(at - reading["time"]) < 2000, f"{reading} was measured at no such time"
        assert abs(values["temperature"] - reading["temperature"]) < 0.1, f"{reading} is not what was measured: {values}"
    return got


def everything(board):
    got = BROKER.received(board.topic)
    return all(any(abs(r.get("time", 0) - m[0]) < 2000 for r in got) for m in board.measured())


@on_each
def a_wrong_wifi_password(board):
    board.world["wifi"]["password"] = "not the one"
    bounded(board.live(3 * EVERY))
    same([], BROKER.received(board.topic))
    board.world["wifi"]["password"] = Board.WIFI["password"]
    all_arrive_or_undated(board)


def all_arrive_or_undated(board):
    """As all_arrive(), for a board that had no clock: how many readings it kept is what counts."""
    bounded(board.live(RECOVERY[board.model["sleep"]], until=lambda: BROKER.received(board.topic)))
    got = BROKER.received(board.topic)
    assert got, "nothing arrived"
    for reading in got:
        assert any(abs(m[1]["temperature"] - reading["temperature"]) < 0.1 for m in board.measured()), (reading, board.measured())


@on_each
def no_wifi_at_all(board):
    bounded(board.live(EVERY))
    board.world["wifi"]["gone"] = True
    bounded(board.live(3 * EVERY))
    del board.world["wifi"]["gone"]
    all_arrive(board)


@on_each
def no_dns(board):
    bounded(board.live(EVERY))
    bounded(board.live(3 * EVERY, dns=True))
    all_arrive(board)


@on_each
def a_slow_network(board):
    board.world["wifi"]["join_ms"] = 8000
    bounded(board.live(2 * EVERY, dns_ms=5000))
    all_arrive(board)


@on_each
def the_broker_is_down_for_three_readings(board):
    """The broker is down for three readings and more: none is lost, and each has its time"""
    bounded(board.live(EVERY))
    before = len(BROKER.received(board.topic))
    assert before >= 1
    BROKER.stop()
    try:
        bounded(board.live(3.5 * EVERY))
        assert len(board.measured()) >= before + 3, board.measured()
    finally:
        BROKER.start()
    got = all_arrive(board)
    note(f"{board}: {len(got)} readings, of which {len(board.measured()) - before} waited")


@on_each
def the_acknowledgement_is_lost(board):
    """The connection is cut between a reading and its acknowledgement: it is sent again, as it was"""
    cycles = bounded(board.live(2 * EVERY, drop_acknowledgement=1))
    same(1, board.state().get("dropped"), cycles[0])
    got = all_arrive(board)
    first = [r for r in got if r["time"] == got[0]["time"]]
    assert len(first) == 2 and first[0] == first[1], got


@on_each
def the_server_never_answers(board):
    """A server that takes the connection and says nothing costs one bounded attempt"""
    bounded(board.live(EVERY))
    board.world["network_speed"] = 400
    for where in ("connect", "handshake"):
        cycles = bounded(board.live(EVERY, hang=where))
        assert any("failed" in c.said or "no end" in c.said or "watchdog" in c.said for c in cycles), cycles[0]
    board.world["network_speed"] = 1
    all_arrive(board)


@on_each
def the_sensor_is_absent(board):
    bounded(board.live(2 * EVERY, sensor="absent"))
    for reading in BROKER.received(board.topic):  # for the rule of invalid readings
        assert "temperature" not in reading, reading
    before = len(BROKER.received(board.topic))
    bounded(board.live(2 * EVERY))
    assert any("temperature" in r for r in BROKER.received(board.topic)[before:]), "it reads again once the sensor is back"


@on_each
def the_sensor_measures_nothing(board):
    """The chip answers, and has measured nothing or says a wrong checksum: the measure is left out"""
    faults = {"esp8266": "crc", "esp32": "nan", "rp2": "crc"}  # a BME280 has no checksum, and the others have no such value
    bounded(board.live(2 * EVERY, sensor=faults[board.model["platform"]]))
    got = BROKER.received(board.topic)
    assert got and all("temperature" not in r for r in got), got


@on_each
def the_code_reads_what_json_cannot_say(board):
    """A type's own code reads NaN, infinity, nothing, or fails: a message without them, in JSON"""
    platform = board.model["platform"]
    kind = f"strange{platform}"
    strange = board_with_code(kind, STRANGE_SPEC.format(name=kind, platform=platform), STRANGE)
    bounded(strange.live(8 * EVERY))
    got = [{k: v for k, v in r.items() if k != "time"} for r in BROKER.wait_for(strange.topic, 7)]
    for wanted in ({"good": 2.0}, {"good": 1.5e-07, "bad": -3e20}, {"good": 1.234567e-05}, {"good": 3.0, "count": 7}, {"good": 4.0, "text": 'a "b" \\ c'}, {}):
        assert wanted in got, f"wanted: {wanted}, got: {got}"


MIXED_SPEC = """version: 1
type: {name}
platform: {platform}
publish_every: 5m
sleep: {sleep}
measures:
  measured: {{driver: {driver}, simulate: {{start: 20}}}}
  own: {{type: bigint}}
"""
MIXED = """
turn = 0


def read():
    global turn
    turn += 1
    if turn == 2:
        raise ValueError("a fault")
    return {"own": turn, "measured": -1.0}
"""


@on_each
def a_driver_and_code_of_its_own(board):
    """The driver reads its measure, the code the one without a driver; neither costs the other's"""
    platform = board.model["platform"]
    kind = f"mixed{platform}"
    driver = KINDS[platform][2][:-1] + ", quantity: temperature}"
    mixed = board_with_code(kind, MIXED_SPEC.format(name=kind, platform=platform, sleep="none", driver=driver), MIXED)
    bounded(mixed.live(3 * EVERY))
    got = BROKER.wait_for(mixed.topic, 3)
    same([1, None, 3], [r.get("own") for r in got[:3]], got)
    assert all(abs(r["measured"] - 20) < 1 for r in got), got


PINS = {  # what code tries, and whether the board takes it
    "esp8266": {"Pin(6)": False, "Pin(4, Pin.IN, Pin.PULL_UP)": True, "Pin(16, Pin.IN, Pin.PULL_UP)": False, "Pin(16, Pin.IN).irq(print)": False,
                "Pin(4, Pin.IN).irq(print)": True},
    "esp32": {"Pin(6)": False, "Pin(34, Pin.OUT)": False, "Pin(34, Pin.OPEN_DRAIN)": False, "Pin(34, Pin.IN)": True, "Pin(34, Pin.IN, Pin.PULL_UP)": False,
              "Pin(13, Pin.OUT)": True},
    "rp2": {"Pin(24)": False, "Pin(2, Pin.IN, Pin.PULL_DOWN)": True, "Pin(Pin(2))": True},
}
PINS_CODE = """
from machine import Pin


def read():
    refused = []
    for words in ({words}):
        try:
            eval(words)
        except (ValueError, OSError):
            refused.append(words)
    return {{"refused": ";".join(refused)}}
"""


@on_each
def pins_that_a_board_does_not_have(board):
    """Code is refused what the platform says of its pins, as check refuses it to drivers"""
    platform = board.model["platform"]
    kind = f"pins{platform}"
    tried = PINS[platform]
    spec = f"version: 1\ntype: {kind}\nplatform: {platform}\npublish_every: 5m\nsleep: none\nmeasures:\n  refused: {{type: varchar}}\n"
    pins = board_with_code(kind, spec, PINS_CODE.format(words="".join(f"{words!r}, " for words in tried)))
    bounded(pins.live(EVERY))
    same(";".join(w for w, taken in tried.items() if not taken), BROKER.wait_for(pins.topic, 1)[0]["refused"])


STRANGE_SPEC = """version: 1
type: {name}
platform: {platform}
publish_every: 5m
sleep: none
measures:
  good: {{}}
  bad: {{}}
  count: {{type: bigint}}
  text: {{type: varchar}}
"""
STRANGE = """
readings = [
    {"good": 2, "bad": float("nan"), "count": None},
    {"good": 3, "bad": float("inf"), "count": 7.9},
    {"good": 4, "bad": "no number", "text": 'a "b" \\\\ c'},
    {"good": 1.5e-07, "bad": -3e+20},
    {"good": 1.234567e-05},
    None,
    5,
]
turn = 0


def read():
    global turn
    turn += 1
    if turn > len(readings):
        raise ValueError("no more")
    return readings[turn - 1]
"""


def board_with_code(kind, spec, code, **world):
    """A new board of a type of its own, with that code/sensor.py."""
    global THINGS
    folder = PROJECT.folder / "sensortypes" / kind / "code"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sensor.py").write_text(code)
    PROJECT.add_type(kind, spec)
    THINGS += 1
    board = Board(PROJECT, PROJECT.create(f"{kind}-{THINGS}", kind), kind, speed=200, **world)
    BROKER.stop()
    BROKER.write_configuration()
    BROKER.start()
    return board


FAILING_SPEC = """version: 1
type: {name}
platform: {platform}
publish_every: 5m
sleep: {sleep}
measures:
  good: {{}}
"""
# In the first run the part of the firmware that sends, or that rests, fails.
FAILING = """
import cycle
import os


def fails(*_):
    raise {error}


def read():
    if "once" not in os.listdir("/"):
        open("/once", "w").close()
        cycle.{function} = fails
    return {{"good": 1}}
"""


@on_each
def the_heap_is_used_up(board):
    """A board that runs out of memory while it sends starts anew, and its next message says so"""
    platform = board.model["platform"]
    for sleep in ("none", "deep"):
        kind = f"heap{sleep}{platform}"
        failing = board_with_code(kind, FAILING_SPEC.format(name=kind, platform=platform, sleep=sleep),
                                  FAILING.format(error="MemoryError('no room')", function="attempt"))
        cycles = bounded(failing.live(2 * EVERY))
        if sleep == "none":
            same(RESET, cycles[0].code, cycles[0])
        got = BROKER.wait_for(failing.topic, 2)
        assert "MemoryError('no room'" in got[0]["_failed"] and got[0]["good"] == 1, got
        assert all("_failed" not in r for r in got[1:]), got
        assert any("an earlier run ended with MemoryError" in c.said for c in cycles), cycles


HEAP_OF_A_SENSOR = """
import os


def read():
    runs = len([n for n in os.listdir("/") if n.startswith("ran.")])
    if runs < {often}:
        open("/ran.%d" % runs, "w").close()
        raise MemoryError("no room for the sensor")
    return {{"good": 1}}
"""


@on_each
def the_heap_is_used_up_by_a_sensor(board):
    """A board that runs out of memory while it reads starts anew, and says so; where that does not help, it sends what it has"""
    platform = board.model["platform"]
    for often, wanted in ((1, {"good": 1.0}), (2, {})):
        kind = f"heapofsensor{often}{platform}"
        failing = board_with_code(kind, FAILING_SPEC.format(name=kind, platform=platform, sleep="none"), HEAP_OF_A_SENSOR.format(often=often))
        cycles = bounded(failing.live(2 * EVERY))
        same(RESET, cycles[0].code, cycles[0])
        got = BROKER.wait_for(failing.topic, 2)
        assert "MemoryError('no room" in got[0]["_failed"], got
        same(wanted, {k: v for k, v in got[0].items() if k not in ("time", "_failed")}, got)
        assert got[1]["good"] == 1 and "_failed" not in got[1], got


@on_each
def an_error_that_nothing_catches(board):
    """An error that nothing else catches ends in a reset, and the next message says so"""
    platform = board.model["platform"]
    kind = f"crash{platform}"
    failing = board_with_code(kind, FAILING_SPEC.format(name=kind, platform=platform, sleep="none"),
                              FAILING.format(error="ValueError('a fault')", function="wants_link"))
    cycles = bounded(failing.live(2 * EVERY))
    same(RESET, cycles[0].code, cycles[0])
    assert any("ValueError('a fault'" in r.get("_failed", "") for r in BROKER.wait_for(failing.topic, 1)), BROKER.received(failing.topic)


@on_each
def the_clock_was_never_set(board):
    """No time server answers: a board that verifies says why it does not connect, the other publishes without a time"""
    cycles = bounded(board.live(2 * EVERY, clock=True))
    got = BROKER.received(board.topic)
    if board.model["platform"] == "esp8266":
        assert got and all("time" not in r for r in got), got
    else:
        same([], got)
        assert any("clock" in c.said for c in cycles), cycles[0]
    bounded(board.live(3600 + 4 * EVERY))  # it asks once an hour
    assert any("time" in r for r in BROKER.received(board.topic)), "it sends the time once it knows it"


@on_each
def a_time_that_cannot_be(board):
    """A time server that tells what cannot be true is not believed: no reading gets such a time"""
    for lie in ("kiss", "unsynchronised", "zero", "past", "future"):
        liar = board.copy()
        cycles = bounded(liar.live(90, ntp=lie))
        assert any("clock: pool.ntp.org: ValueError" in c.said for c in cycles), (lie, cycles[0].said)
        assert all(c.state["clock_us"] + c.state["began_us"] < 1704067200_000000 for c in cycles), f"{lie}: the clock was set"
        same([], [r for r in BROKER.received(board.topic) if "time" in r], lie)
    bounded(board.live(2 * EVERY, ntp="kiss"))
    before = len(BROKER.received(board.topic))
    bounded(board.live(RECOVERY[board.model["sleep"]], until=lambda: len(BROKER.received(board.topic)) > before + 1))
    for reading in [r for r in BROKER.received(board.topic)[before:] if "time" in r]:
        assert any(abs(reading["time"] - m[0]) < 2000 for m in board.measured()), (reading, board.measured())


@on_each
def the_flash_is_full(board):
    """The flash is full: readings that cannot be kept are dropped, and the board goes on"""
    kind, name = board.topic.split("/")
    board.small_flash(PROJECT.folder / "sensortypes" / kind / "sensors" / name, 1)
    bounded(board.live(EVERY))
    assert BROKER.received(board.topic), "it publishes with a full flash"
    BROKER.stop()
    try:
        bounded(board.live(6 * EVERY))
    finally:
        BROKER.start()
    before = len(BROKER.received(board.topic))
    bounded(board.live(RECOVERY[board.model["sleep"]], until=lambda: len(BROKER.received(board.topic)) > before))
    assert len(BROKER.received(board.topic)) > before, "it publishes again"


@on_each
def the_power_is_cut_in_a_write(board):
    """The power is cut at each write to the flash while readings are kept: the board starts, and what was kept is there"""
    bounded(board.live(EVERY))
    BROKER.stop()
    try:
        bounded(board.live(2 * EVERY))
        kept = board.measured()
        probe = board.copy()
        bounded(probe.live(2 * EVERY))
        writes = probe.state().get("flash_writes", 0)
        cut = []
        for number in range(1, min(writes, 24) + 1):
            twin = board.copy()
            cycles = twin.live(3 * EVERY, until=lambda: False, power_cut_at_write=number)
            if cycles[-1].code == POWER_CUT:
                cut.append(twin)
    finally:
        BROKER.start()
    note(f"{board}: {writes} writes to the flash, {len(cut)} power cuts")
    if board.model["platform"] != "rp2" or writes:
        assert cut, "nothing was written to the flash, so nothing was kept"
    for twin in cut:
        before = len(BROKER.received(twin.topic))
        bounded(twin.live(RECOVERY[board.model["sleep"]], until=lambda: len(BROKER.received(twin.topic)) >= before + len(kept)))
        got = BROKER.received(twin.topic)[before:]
        sent = [r for r in BROKER.received(twin.topic)[:before]]
        missing = [m for m in kept if not any(abs(r.get("time", 0) - m[0]) < 2000 for r in got + sent)]
        same([], missing, f"kept before the power cut, and lost; published: {got}")
        for reading in got:
            assert any(abs(m[1]["temperature"] - reading["temperature"]) < 0.1 for m in twin.measured()), f"{reading} was never measured"


@test
def esp32_a_refusal_that_is_not_the_last_word():
    """esp32: a network that refuses for 12 seconds, as a busy one does, is joined in the same attempt"""
    board = new_board("esp32")
    board.world["wifi"]["refuses_ms"] = 12000
    cycles = bounded(board.live(EVERY))
    assert "failed" not in cycles[0].said and BROKER.received(board.topic), cycles[0]


@test
def esp8266_the_network_of_an_earlier_life():
    """esp8266: a chip that joined another network by itself joins its own, and is told so once, because that writes its flash"""
    board = new_board("esp8266")
    board.world["wifi"] |= {"stored": ["Neighbour", "an old password"], "others": {"Neighbour": "an old password"}}
    bounded(board.live(EVERY))
    same([SSID, PASSWORD], board.state()["wifi"]["asked"])
    writes = board.state()["wifi_writes"]
    bounded(board.live(3 * EVERY))
    same(writes, board.state()["wifi_writes"], "writes to the chip's flash")
    assert len(BROKER.received(board.topic)) >= 4


@test
def esp8266_a_network_whose_name_is_not_utf8():
    """esp8266: a network whose name is not UTF-8 is joined, and the chip's flash is not written at each start"""
    kind = KINDS["esp8266"][0]
    package = PROJECT.create("latin", kind)
    PROJECT.sensorforge("package", "latin", "--wifi-ssid", os.fsdecode(b"Caf\xe9"))
    board = Board(PROJECT, package, kind, speed=200)
    board.world["wifi"] |= {"ssid": "Caf\\xE9", "ssid_base64": base64.b64encode(b"Caf\xe9").decode()}
    cycles = bounded(board.live(EVERY))
    writes = board.state()["wifi_writes"]
    assert BROKER.received(board.topic), "\n".join(str(c) for c in cycles)
    bounded(board.live(3 * EVERY))
    same(writes, board.state()["wifi_writes"], "writes to the chip's flash")


@test
def esp8266_the_password_is_another():
    """esp8266: a password that is no longer the stored one is told to the chip in the same attempt"""
    board = new_board("esp8266", wifi={"ssid": SSID, "password": PASSWORD, "join_ms": 0, "stored": [SSID, "the old password"]})
    cycles = bounded(board.live(EVERY))
    assert "failed" not in cycles[0].said and BROKER.received(board.topic), cycles[0]


B_FAILS = b"import machine\nprint('b fails')\nmachine.reset()\n"


def package_of(board):
    kind, name = board.topic.split("/")
    return PROJECT.folder / "sensortypes" / kind / "sensors" / name


def put_files(board, files):
    """The board's flash, made anew with these files beside its package."""
    flash = board.folder.parent / f"files.{board.folder.name}"
    shutil.copytree(package_of(board), flash / "a")
    (flash / "a/boot.py").rename(flash / "boot.py")
    for library in board.library():
        shutil.copytree(library, flash / "lib")
    for name, data in files.items():
        (flash / name).parent.mkdir(exist_ok=True)
        (flash / name).write_bytes(data)
    board.simulator("--copy", flash)
    shutil.rmtree(flash)


@on_each
def a_package_on_trial(board):
    """A package on trial that does not begin: after three starts the board is back on the other one, by itself"""
    put_files(board, {"slot": b"ba", "b/main.py": B_FAILS})
    cycles = bounded(board.live(EVERY))
    same([True] * 3 + [False], ["b fails" in c.said for c in cycles[:4]], cycles)
    same(b"a", board.file("/slot"))
    assert BROKER.received(board.topic), cycles


@on_each
def the_count_of_a_trial_that_is_over(board):
    """The count of a trial that ended well is gone before the next one, which has three starts again"""
    put_files(board, {"slot": b"a", "starts": b"\3"})
    bounded(board.live(EVERY))
    state = board.state()
    state["rtc"] = "03" + state["rtc"][2:]
    (board.folder / "state.json").write_text(json.dumps(state))
    bounded(board.live(EVERY))
    if board.model["platform"] == "rp2":
        same(b"\0", board.file("/starts"))
    else:
        same("00", board.state()["rtc"][:2])


@on_each
def a_pointer_that_cannot_be_read(board):
    """Whatever /slot holds, the board starts a package"""
    for pointer in (b"\xff\xfe\xff", b"", b"\0\0", b"x", b"b", b"\xc3\xa4\xc3\xb6"):
        put_files(board, {"slot": pointer})
        before = len(BROKER.received(board.topic))
        bounded(board.live(EVERY))
        assert len(BROKER.received(board.topic)) > before, pointer


@on_each
def a_package_on_trial_and_a_full_flash(board):
    """A package on trial that does not begin, on a board whose flash takes nothing more: it is back on the other one"""
    board.small_flash(package_of(board), 8)
    put_files(board, {"slot": b"ba", "b/main.py": FILLS + B_FAILS})
    cycles = bounded(board.live(EVERY))
    assert BROKER.received(board.topic), cycles


# Takes what the flash has, down to the last bytes of its directory.
FILLS = b"""
for size in (4000, 500, 50, 0):
    for number in range(200):
        try:
            with open("/fill.%d.%d" % (size, number), "wb") as file:
                file.write(bytes(size))
        except OSError:
            break
"""


@on_each
def the_watchdog_of_the_hardware_at_the_prompt(board):
    """The hardware's watchdog, which goes on through a soft reset, leaves the prompt its six minutes"""
    timeout = {"esp32": 60000, "rp2": 8000}.get(board.model["platform"])
    prompt = f"import machine, time\n{f'machine.WDT(timeout={timeout})' if timeout else ''}\nfor _ in range({{}}):\n    time.sleep(1)\nmachine.reset()\n"
    for seconds in (350, 3000):
        put_files(board, {"a/main.py": prompt.format(seconds).encode()})
        cycle = board.cycle()
        same(RESET, cycle.code, cycle)
        assert min(seconds, 390) * 1000 <= cycle.state["took_ms"] < 430_000, cycle.state["took_ms"]


def summed(text):
    """With its checksum, as state.py writes it."""
    a = b = 7
    for byte in text.encode():
        a = (a + byte) % 251
        b = (b + a) % 251
    return f"{a:02x}{b:02x} {text}"


def with_memory(board, memory, files=None):
    """A board whose memory an earlier run left like this: on a Pico W a file, else in the clock."""
    bounded(board.live(EVERY))
    if board.model["platform"] == "rp2":
        put_files(board, {"memory": memory.encode()} | (files or {}))
    elif files:
        put_files(board, files)
    state = board.state()
    if board.model["platform"] != "rp2":
        state["rtc"] = "00" + memory.encode().hex()
    state |= {"cause": "reset", "sleep_ms": 0}
    (board.folder / "state.json").write_text(json.dumps(state))


@on_each
def a_clock_that_a_reset_set_back(board):
    """A reading whose time is right keeps it when a reset sets the clock back, and it is set again"""
    now = int(time.time() * 1000)
    record = f'{now - 60000} "temperature":21.5'
    with_memory(board, summed(json.dumps({"ran": now, "pending": [record]})))
    state = board.state()
    state["clock_us"] -= 20 * 86400 * 1000000  # as far as the clock was set back
    (board.folder / "state.json").write_text(json.dumps(state))
    bounded(board.live(2 * EVERY))
    got = [r for r in BROKER.received(board.topic) if r.get("temperature") == 21.5 and r.get("time")]
    assert got and all(r["time"] == now - 60000 for r in got), BROKER.received(board.topic)


@on_each
def a_count_of_sent_readings_that_is_out_of_date(board):
    """The count of readings sent from a file that is gone, left by a crash, costs no reading of the file that came after it"""
    now = int(time.time() * 1000)
    records = [f'{now - 60000 * (20 - i)} "temperature":{i}.25' for i in range(8)]
    kept = "".join(f"\n{line}\n" for line in (summed(r) for r in records)).encode()
    with_memory(board, summed(json.dumps({"skip": 5, "first": now - 86400000, "ran": now})), {"kept.1": kept})
    bounded(board.live(2 * EVERY))
    got = {r.get("temperature") for r in BROKER.received(board.topic)}
    same(set(), {i + 0.25 for i in range(8)} - got, BROKER.received(board.topic))


def sleeper(platform, sleep):
    global THINGS
    kind = f"{sleep}{platform}"
    PROJECT.add_type(kind, SPEC.format(name=kind, platform=platform, sleep=sleep, driver=KINDS[platform][2], measure="temperature"))
    BROKER.stop()
    BROKER.write_configuration()
    BROKER.start()
    THINGS += 1
    return Board(PROJECT, PROJECT.create(f"{kind}-{THINGS}", kind), kind, speed=200)


def check_sleep(platform, sleep):
    board = sleeper(platform, sleep)
    bounded(board.live(9 * EVERY))
    measured, got = board.measured(), BROKER.received(board.topic)
    assert 9 <= len(measured) <= 10, f"{len(measured)} readings in {9 * EVERY} s: {[m[0] // 1000 for m in measured]}"
    for earlier, later in zip(measured, measured[1:]):
        assert abs(later[0] - earlier[0] - EVERY * 1000) < 5000, f"{later[0] - earlier[0]} ms between two readings"
    for reading in got:
        # A Pico W's clock goes on to the nearest second at each reset; it is set once an hour.
        assert min(abs(reading["time"] - m[0]) for m in measured) < (5000 if platform == "rp2" else 2000), (reading, measured)
    assert len(got) >= len(measured) - 1, got


for platform_ in KINDS:
    for sleep_ in ("deep", "light"):
        def slept(platform=platform_, sleep=sleep_):
            check_sleep(platform, sleep)
        slept.__name__ = f"{platform_} sleeps {sleep_}"
        slept.__doc__ = f"{platform_}: sleep: {sleep_} takes the time that it should, and the clock goes on"
        test(slept)


PORTAL_SPEC = """version: 1
type: {name}
platform: {platform}
publish_every: 1h
sleep: deep
portal: true
measures:
  temperature:
    driver: {driver}
"""


def fetch(port, form=None):
    data = urllib.parse.urlencode(form).encode() if form else None
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", data, timeout=10) as answer:
        return answer.read().decode()


@on_each
def the_wifi_is_another(board):
    """The house has another wifi: after a day the board asks for it on a page of its own, and goes on"""
    platform, port = board.model["platform"], free_port()
    kind = f"portal{platform}"
    PROJECT.add_type(kind, PORTAL_SPEC.format(name=kind, platform=platform, driver=KINDS[platform][2]))
    BROKER.stop()
    BROKER.write_configuration()
    BROKER.start()
    moved = Board(PROJECT, PROJECT.create(f"moved-{platform}", kind), kind, speed=1000)
    moved.world["ports"] = moved.world.get("ports", {}) | {"80": port}
    moved.world["wifi"] = {"ssid": "Café & Bar", "password": 'neu = "100 %" + gut', "join_ms": 0}
    cycles = []
    life = threading.Thread(target=lambda: cycles.extend(moved.live(40 * 3600, until=lambda: BROKER.received(moved.topic))))
    life.start()
    try:
        until(lambda: listens(port), "the page is there", seconds=90)
        page = fetch(port)
        assert "<form method=post" in page and f"moved-{platform}" in page, page
        short = fetch(port, {"ssid": "x", "password": "short"})
        assert "8 to 63" in short, short
        nearly = fetch(port, {"ssid": "x", "password": "g" * 64})
        assert "64 hexadecimal digits" in nearly, nearly
        form = {"ssid": moved.world["wifi"]["ssid"], "password": moved.world["wifi"]["password"]}
        saved = fetch(port, form)
        assert "Saved" in saved, saved
    finally:
        life.join(120)
    for cycle in cycles:
        assert cycle.code in (DEEP_SLEEP, RESET, TIME_IS_OVER), cycle
    assert BROKER.received(moved.topic), "\n".join(str(c) for c in cycles[-3:])
    same(form, json.loads(moved.file("/wifi.json")))


OPENS = """
globals()["guard"].deinit()
import portal
import watch

watch.guard(600)
point = portal.open_point()
print("security", point.config("security"), point.config("key"))
"""


@on_each
def the_portal_is_never_open(board):
    """The portal of a house whose password is short in letters, and long enough in bytes, has that password"""
    platform = board.model["platform"]
    for password in ("ÄÖÜß", "Öfen Öfen"):
        kind = f"shut{platform}"
        PROJECT.add_type(kind, PORTAL_SPEC.format(name=kind, platform=platform, driver=KINDS[platform][2]))
        shut = Board(PROJECT, PROJECT.create(f"shut-{platform}-{len(password)}", kind), kind, speed=1000)
        package = package_of(shut)
        config = json.loads((package / "config.json").read_text())
        config["wifi"]["password"] = password
        put_files(shut, {"a/main.py": OPENS.encode(), "a/config.json": json.dumps(config).encode()})
        cycle = shut.cycle()
        assert f" {password}" in cycle.said and "security 0" not in cycle.said, cycle


if __name__ == "__main__":
    sys.exit(main())
