#!/usr/bin/env python3
"""What a driver reads is what its sensor measured, or nothing: each on the boards that it is for, with sensors that lie.

A package whose main.py takes readings and prints them, on MicroPython. With SENSORFORGE_LIB=FOLDER the modules of that folder
(ds18x20.py, onewire.py, dht.py, ssd1306.py as micropython-lib has them) run in place of the simulator's own.
"""

import json
import os
import shutil
import sys
from pathlib import Path

from bench import CLEAN_UP, PROMPT, Board, Project, main, same, test

PROJECT = Project()
LIBRARY = Path(os.environ["SENSORFORGE_LIB"]) if os.environ.get("SENSORFORGE_LIB") else None
SPEC = """version: 1
type: {name}
platform: {platform}
publish_every: 1m
sleep: none
{more}measures:
{measures}"""
MAIN = """
globals()["guard"].deinit()
import common
import reading
import time
import watch
watch.guard(1000000000)
print("began", common.now_ms())
for number in range({count}):
    if number:
        time.sleep({pause})
    print("record", reading.take())
"""
PLATFORMS = ("esp8266", "esp32", "rp2")
MADE = {}


def board_of(platform, measures, more="", **world):
    """A board of a type of its own: measures as {name: (driver, what it measures or None)}."""
    lines = "".join(f"  {name}:\n    driver: {driver}\n" + ("    type: bigint\n" if name == "count" else "") for name, (driver, _) in measures.items())
    key = (platform, lines, more)
    if key not in MADE:
        kind = f"probe{len(MADE)}{platform}"
        PROJECT.add_type(kind, SPEC.format(name=kind, platform=platform, measures=lines, more=more))
        MADE[key] = kind, PROJECT.create(f"{kind}-1", kind)
    kind, package = MADE[key]
    if LIBRARY:
        world["real"] = [path.stem for path in LIBRARY.glob("*.py")]
    board = Board(PROJECT, package, kind, speed=1000000, **world)
    for measure in board.model["measures"]:
        value = measures[measure["name"]][1]
        if value is not None:
            measure["simulate"] = {"start": float(value), "drift": 0, "noise": 0}
    return board, package


def records(platform, measures, count=1, pause=60, files=(), fault=None, more="", **world):
    """What so many readings are, [{name: value as text}, ...], and what the console said."""
    board, package = board_of(platform, measures, more, **world)
    flash = board.folder / "files"
    shutil.copytree(package, flash / "a")
    CLEAN_UP.callback(shutil.rmtree, flash, ignore_errors=True)
    (flash / "a/boot.py").rename(flash / "boot.py")
    (flash / "a/main.py").write_text(MAIN.format(count=count, pause=pause))
    for name, text in files:
        (flash / name).write_text(text)
    if LIBRARY:
        shutil.copytree(LIBRARY, flash / "lib")
    board.simulator("--copy", flash)
    cycle = board.cycle(sensor=fault)
    same(PROMPT, cycle.code, cycle)
    lines = [line.split(" ", 2)[2] for line in cycle.said.splitlines() if line.startswith("record ")]
    same(count, len(lines), cycle)
    return [json.loads("{" + line + "}", parse_float=str, parse_int=str) for line in lines], cycle.said


def reads(platform, driver, values, **more):
    """A reading is these values: {name: (what is measured, what is read)}."""
    got, said = records(platform, {name: (driver, value) for name, (value, _) in values.items()}, **more)
    same({name: text for name, (_, text) in values.items()}, got[-1], said)


def nothing(platform, driver, measures, reason, **more):
    """Nothing is read, and the console names the driver and the reason."""
    got, said = records(platform, {name: (driver, value) for name, value in measures.items()}, **more)
    same([{}] * len(got), got, said)
    name = driver.strip("{}").split(",")[0].split()[-1]
    assert f"sensor: {name}: " in said and reason in said, said
    for measure in measures:
        assert f"sensor: {measure} is None, left out" in said, said


def on(*platforms):
    """The test, once for each platform."""
    def each(function):
        for platform in platforms:
            def one(platform=platform):
                function(platform)
            one.__name__ = f"{platform} {function.__name__}"
            one.__doc__ = f"{platform}: {(function.__doc__ or function.__name__.replace('_', ' ')).rstrip('.')}"
            test(one)
        return function
    return each


# --- DS18B20 ----------------------------------------------------------------------------------------

DS = "{name: ds18x20, pin: 14}"
DS18S20 = '{name: ds18x20, pin: 14, rom: "10a1b2c3d4e5f607"}'


@on(*PLATFORMS)
def a_ds18b20_reads_what_it_measures(platform):
    for celsius in ("21.5", "0.0", "-10.125", "125.0", "-55.0"):
        reads(platform, DS, {"temperature": (celsius, celsius)})


@test
def a_ds18s20_reads_sixteenths():
    """A DS18S20 is read by its own scratchpad: whole degrees and a count"""
    for celsius in ("21.5", "0.0", "-10.125", "84.9375"):
        reads("esp8266", DS18S20, {"temperature": (celsius, celsius)})


@on(*PLATFORMS)
def really_85_degrees(platform):
    """85 degrees that were measured are 85 degrees"""
    for driver in (DS, DS18S20):
        reads(platform, driver, {"temperature": ("85.0", "85.0")})


@on(*PLATFORMS)
def a_ds18b20_without_power_in_its_conversion(platform):
    """A DS18B20 that starts anew in each conversion says 85 degrees, and they are not believed"""
    for driver in (DS, DS18S20):
        nothing(platform, driver, {"temperature": 21}, "lost its power", fault="brown_out")


@on(*PLATFORMS)
def a_ds18b20_whose_line_is_at_ground(platform):
    """A line at ground reads as 0.0 degrees with a right checksum, which is not believed"""
    for driver in (DS, '{name: ds18x20, pin: 14, rom: "28a1b2c3d4e5f607"}'):
        nothing(platform, driver, {"temperature": 21}, "at ground", fault="shorted")
    nothing(platform, driver, {"temperature": 21}, "all zeros", fault="weak")
    nothing(platform, DS, {"temperature": 21}, "no DS18x20", fault="weak")


@test
def a_ds18b20_that_is_missing_or_has_a_wrong_checksum():
    nothing("esp8266", DS, {"temperature": 21}, "no DS18x20", fault="absent")
    nothing("esp8266", DS, {"temperature": 21}, "CRC error", fault="crc")


@test
def two_ds18b20_on_one_bus():
    """Two thermometers on one bus are told apart by their codes"""
    one, other = ('{name: ds18x20, pin: 14, rom: "' + code + '"}' for code in ("28010203040506a0", "28010203040507b0"))
    got, said = records("esp32", {"inside": (one, 21.5), "outside": (other, -3.25)})
    same([{"inside": "21.5", "outside": "-3.25"}], got, said)


# --- DHT11, DHT22 -----------------------------------------------------------------------------------

DHT22, DHT11 = "{name: dht22, pin: 4}", "{name: dht11, pin: 4}"


@on(*PLATFORMS)
def a_dht22_reads_what_it_measures(platform):
    """A DHT22 reads what it measures, below zero too, in both ways that there are to send a sign"""
    for celsius in ("-2.3", "-40.0", "-0.1", "0.0", "21.4", "80.0"):
        for fault in (None, "clone"):
            reads(platform, DHT22, {"temperature": (celsius, celsius), "humidity": ("45.6", "45.6")}, fault=fault)


@on(*PLATFORMS)
def a_dht_that_has_not_measured(platform):
    """A DHT whose frame is all zeros, which has a right checksum, has measured nothing"""
    for driver in (DHT22, DHT11):
        nothing(platform, driver, {"temperature": 21, "humidity": 45}, "has not measured", fault="zero")


@test
def a_dht_that_is_missing_or_has_a_wrong_checksum():
    for driver in (DHT22, DHT11):
        nothing("esp32", driver, {"temperature": 21, "humidity": 45}, "OSError(110", fault="absent")
        nothing("esp32", driver, {"temperature": 21, "humidity": 45}, "checksum error", fault="crc")


@test
def a_dht11_reads_whole_degrees():
    for celsius in ("21.0", "0.0", "-10.0"):
        reads("esp8266", DHT11, {"temperature": (celsius, celsius), "humidity": ("45.0", "45.0")})


@on(*PLATFORMS)
def a_dht_that_tells_more_than_there_can_be(platform):
    """A DHT whose frame says more than 100 %, with a right checksum, has measured nothing"""
    for driver in (DHT22, DHT11):
        nothing(platform, driver, {"temperature": 21, "humidity": 45}, "has not measured", fault="beyond")


# --- I2C --------------------------------------------------------------------------------------------

BME, SHT = "{name: bme280, scl: 5, sda: 4}", "{name: sht3x, scl: 5, sda: 4}"


@on(*PLATFORMS)
def a_bus_whose_data_line_is_at_ground(platform):
    """An I2C bus whose data line is at ground acknowledges everything and says zero: nothing is read"""
    nothing(platform, BME, {"temperature": 21, "humidity": 45, "pressure": 1013}, "not a BME280", fault="shorted")
    nothing(platform, SHT, {"temperature": 21, "humidity": 45}, "checksum", fault="shorted")


@test
def chips_that_are_missing_or_have_not_measured():
    """BME280, SHT3x: not there, nothing measured, a wrong checksum"""
    nothing("esp32", BME, {"temperature": 21}, "OSError(19", fault="absent")
    nothing("esp32", BME, {"temperature": 21}, "has not measured", fault="nan")
    for skipped in range(3):  # as a chip that started anew between two commands has it
        nothing("esp32", BME, {"temperature": 21, "humidity": 45, "pressure": 1013}, "has not measured", fault=skipped)
    nothing("esp32", SHT, {"temperature": 21}, "OSError(19", fault="absent")
    nothing("esp32", SHT, {"temperature": 21}, "OSError(19", fault="nan")
    nothing("esp32", SHT, {"temperature": 21}, "checksum", fault="crc")


# --- one that fails among others --------------------------------------------------------------------


@on(*PLATFORMS)
def a_sensor_that_fails_takes_no_other_with_it(platform):
    """Of three sensors one lies, one is missing: what the third measures is there"""
    measures = {"water": (DS, 21.5), "air": ("{name: sht3x, scl: 5, sda: 4, quantity: temperature}", 20),
                "cellar": ("{name: dht22, pin: 12, quantity: temperature}", -2.3)}
    got, said = records(platform, measures, fault={"ds18x20": "brown_out", "sht3x": "absent"})
    same([{"cellar": "-2.3"}], got, said)
    for text in ("ds18x20: OSError('DS18x20: lost its power'", "sht3x: OSError", "water is None, left out", "air is None, left out"):
        assert text in said, said
    assert "cellar is" not in said, said


@test
def many_sensors_that_are_missing():
    """Forty sensors that are missing cost less than half of the time that there is for a reading and for sending it"""
    measures = {f"t{i}": (f'{{name: ds18x20, pin: 14, rom: "28010203040506{i:02x}"}}', None) for i in range(40)} | {"air": (DHT22[:-1] + ", quantity: temperature}", 21)}
    got, said = records("esp32", measures, fault={"ds18x20": "absent"})
    same([{"air": "21.0"}], got, said)
    began, ended = (int(line.split()[1]) for line in said.splitlines() if line.startswith(("began ", "record ")))
    assert ended - began < 45000, ended - began


# --- pulses -----------------------------------------------------------------------------------------

METER = "{{name: pulse, pin: 12, quantity: {}{}}}"


def meter(platform, more="", count=7, readings=4, **world):
    """What a meter says of so many pulses a minute: the sum of count, and the last total."""
    measures = {"count": (METER.format("count", more), count), "total": (METER.format("total", more), None)}
    got, said = records(platform, measures, count=readings, **world)
    return sum(int(r["count"]) for r in got), got[-1]["total"], said


@on(*PLATFORMS)
def a_contact_that_bounces(platform):
    """A contact that bounces when it closes and when it opens is one pulse"""
    for more in ("", ", edge: rising"):
        pulses, total, said = meter(platform, more, bounces=3)
        assert 20 <= pulses <= 22, said  # of 7 a minute, in the three minutes between four readings
        same(f"{pulses}.0", total)


@on(*PLATFORMS)
def an_output_that_does_not_bounce(platform):
    """debounce: 0 counts each pulse, in hardware where there is some"""
    for version in ("1.22", "1.25", "1.26", "1.29"):
        pulses, total, said = meter(platform, ", debounce: 0", count=600, micropython=version)
        assert abs(pulses - 1800) <= 3, (version, pulses, said)
        same(f"{pulses}.0", total)


@test
def a_hardware_counter_that_wraps():
    """esp32: the hardware's counter goes on from 0 after 32,767, and no pulse is lost"""
    pulses, total, said = meter("esp32", ", debounce: 0", count=20000, readings=4, micropython="1.26")
    assert abs(pulses - 60000) <= 10, (pulses, said)
    same(f"{pulses}.0", total)


DRY_MAIN = """
globals()["guard"].deinit()
import time
import watch
from driver_pulse import Driver

time.ticks_ms = lambda: now
time.ticks_diff = lambda a, b: (a - b + 0x20000000 & 0x3FFFFFFF) - 0x20000000  # as the boards' of 30 bits
now = 0
watch.guard(1000000000)
meter = Driver(pin=12)
meter.pin.value = lambda: 0  # the contact is closed when its edge is handled
for now in (100, 100 + {days} * 86400000 & 0x3FFFFFFF):
    meter.level = 1
    meter.bounces(meter.pin)
    print("counted", meter.read()["total"][0])
with open("/pulses.12") as file:
    print("kept", file.read())
"""


@on(*PLATFORMS)
def a_pulse_after_dry_days(platform):
    """A pulse after many days without one, in which the count of milliseconds began anew, counts, and is kept in the flash"""
    for days in (1, 6, 7, 12, 13, 20):
        board, package = board_of(platform, {"count": (METER.format("count", ""), 0)})
        flash = board.folder / "files"
        shutil.copytree(package, flash / "a")
        (flash / "a/boot.py").rename(flash / "boot.py")
        (flash / "a/main.py").write_text(DRY_MAIN.format(days=days))
        board.simulator("--copy", flash)
        cycle = board.cycle()
        for line in ("counted 1", "counted 2", "kept 2"):
            assert line in cycle.said.splitlines(), (days, cycle)


@on(*PLATFORMS)
def a_total_of_any_length(platform):
    """A total is counted in integers: one more pulse is one more, whatever a float could hold"""
    for more, counted, wanted in ((", scale: 0.001", 123456789, "123456.789"), (", scale: 0.5, start: 12345.25", 400000001, "200012345.75"),
                                  (", scale: 10", 2**31, "21474836480.0"), (", start: -3, scale: 0.25", 1, "-2.75")):
        _, total, said = meter(platform, more, count=0, readings=1, files=[("pulses.12", str(counted))])
        same(wanted, total, said)


# --- voltages, levels, a screen ---------------------------------------------------------------------


@on(*PLATFORMS)
def a_voltage(platform):
    """An analogue input reads its voltage, on an ESP32 the one that its calibration knows"""
    number = {"esp8266": 0, "esp32": 34, "rp2": 26}[platform]
    got, said = records(platform, {"tank": (f"{{name: adc, input: {number}, scale: 200, offset: -50}}", 75)})
    assert abs(float(got[0]["tank"]) - 75) < 0.1, said


@test
def a_screen_shows_its_letters():
    """A screen shows the letters that were drawn into its frame buffer"""
    board, package = board_of("esp8266", {"temperature": (DS, 21.5)}, more="display: {driver: ssd1306, scl: 5, sda: 4}\n")
    flash = board.folder / "files"
    shutil.copytree(package, flash / "a")
    (flash / "a/boot.py").rename(flash / "boot.py")
    (flash / "a/main.py").write_text('globals()["guard"].deinit()\nimport common, display\ncommon.latest = {"temperature": 21.46}\ndisplay.show("sent")\n')
    if LIBRARY:
        shutil.copytree(LIBRARY, flash / "lib")
    board.simulator("--copy", flash)
    cycle = board.cycle()
    assert f"screen: {package.name} | temperatu 21.5 | sent" in cycle.said, cycle


if __name__ == "__main__":
    sys.exit(main())
