#!/usr/bin/env python3
"""`run`: a package on a simulated board, against the whole local system; what it says of each reading is true."""

import calendar
import json
import time

from house import REPO, House, expect, run_tests

KINDS = {"esp8266temp": "deep", "picoair": "light", "aircon": "none"}  # how each type sleeps


def house_with(houses, *kinds, **more):
    house = House(houses, things=0, **more)
    house.environment["SENSORFORGE_CACHE"] = str(REPO / "build/cache")  # MicroPython, fetched once
    (house.folder / "simulator").symlink_to(REPO / "simulator")
    for kind in kinds:
        house.create(f"run-{kind}", kind=kind)
    return house


def told(house, kind, *words, code=0):
    return json.loads(house.run("run", f"run-{kind}", "--json", "--quiet", *words, code=code))


def milliseconds(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) * 1000 + int(text[20:23])


def every_reading_is_where_run_says(houses):
    """run --cycles N --fast: N readings, none from the future, each in the table that run names"""
    # Every third value is out of range, so that both tables get some.
    house = house_with(houses, *KINDS, edits={"sensortypes/esp8266temp/spec.yaml": [(r"artefacts: \S+", "artefacts: 35%}")]})
    house.up()
    for kind in KINDS:
        cycles = 12 if kind == "esp8266temp" else 2
        answer = told(house, kind, "--cycles", str(cycles), "--fast")
        readings = answer["readings"]
        expect(answer["cycles"] == len(readings) == cycles, f"{kind}: {answer}")
        times = [milliseconds(r["time"]) for r in readings]
        expect(max(times) <= time.time() * 1000, f"{kind}: a reading is from the future")
        expect(times == sorted(times) and times[-1] - times[0] >= (cycles - 1) * 50000, f"{kind}: {times}")
        house.drain()
        name = f"run-{kind}"
        stored = {int(t) for t, in house.query(f"SELECT time FROM \"{kind}\" WHERE thing = '{name}'")}
        invalid = [item for thing, item in house.invalid(kind) if thing == name] if answer["invalid"] else []
        expect(stored == {milliseconds(r["time"]) for r in readings if r["outcome"] == "valid"}, f"{kind}: the table has other readings than {answer}")
        expect(len(invalid) == answer["invalid"], f"{kind}: {len(invalid)} invalid readings, and run says {answer}")
        if kind == "esp8266temp":
            expect(answer["valid"] and answer["invalid"], f"no reading of a kind: {answer}")
            for reading in readings:
                wanted = {"valid": 0, "invalid": 1}[reading["outcome"]]
                expect(len(reading["reasons"]) == wanted, f"not {wanted} reasons: {reading}")
                expect(all(" is above " in r or " is below " in r for r in reading["reasons"]), f"{reading}")
    house.down()


def a_line_for_each_reading(houses):
    """run: a line for each reading, with its values and what became of it; a summary"""
    house = house_with(houses, "aircon")
    house.up()
    lines = house.run("run", "run-aircon", "--cycles", "2", "--fast").splitlines()
    expect(len(lines) == 2 and all("  enabled false " in line and line.endswith("  stored, valid") for line in lines), lines)
    said = house.run("run", "run-aircon", "--cycles", "1", "--fast", errors=True)
    expect("1 reading: 1 valid, 0 invalid, 0 not sent" in said, said)
    house.down()


def nothing_could_be_sent(houses):
    """run: without the local system each reading is told as not sent, and the exit code is 3"""
    house = house_with(houses, "esp8266temp")
    answer = told(house, "esp8266temp", "--cycles", "2", "--fast", code=3)
    expect([r["outcome"] for r in answer["readings"]] == ["not sent"] * 2 and answer["not_sent"] == 2, answer)
    said = house.run("run", "run-esp8266temp", "--cycles", "1", "--fast", code=3, errors=True)
    expect("the local system is not running" in said and "1 of 1 readings could not be sent" in said and "sensorforge up" in said, said)


def sent_late(houses):
    """run: a reading that was kept on the board is told again when it is sent"""
    house = house_with(houses, "esp8266temp")
    house.up()
    house.kill("mosquitto")
    import subprocess
    import os

    from house import PROGRAM, WIFI, eventually
    process = subprocess.Popen([PROGRAM, "run", "run-esp8266temp", "--cycles", "60", "--fast"], cwd=house.folder, text=True, bufsize=1,
                               env=os.environ | WIFI | house.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        lines = []
        while not any("not sent, kept on the board" in line for line in lines):
            lines.append(process.stdout.readline())
        house.up()
        while not any("stored, valid (sent late)" in line or not line for line in lines):
            lines.append(process.stdout.readline())
        expect(any("(sent late)" in line for line in lines), "".join(lines))
    finally:
        process.terminate()
        process.communicate(timeout=20)
    eventually(5, lambda: process.returncode is not None, "it does not end")
    house.down()


run_tests([every_reading_is_where_run_says, a_line_for_each_reading, nothing_could_be_sent, sent_late])
