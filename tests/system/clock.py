#!/usr/bin/env python3
"""A clock that jumps: by libfaketime, for the broker and sensorhub at once, forwards and back, under load.

What is faked is the wall clock (CLOCK_REALTIME, time()); the monotonic one goes on, as it does when somebody sets the
clock or NTP steps it. Readings carry their own time, twelve hours ago by the true clock, so they stay valid as long as
the jump is less than that.
"""

import glob
import json
import shutil
import time

from house import LOCAL, SOAK, TYPE, House, Skip, eventually, expect, run_tests, stop_all, under_load

HOURS = (3, 0, -9, 6, -2, 0) if SOAK else (3, -9, 0)


def faked(house):
    """A function that sets the clock of the programs that are started from now on, and until then, by hours."""
    libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not libraries:
        raise Skip("libfaketime is not installed")
    offset = house.folder / "offset"

    def jump(hours):
        new = house.folder / "offset.new"
        new.write_text(f"{hours:+d}h\n")
        new.rename(offset)
    jump(0)
    house.environment = {"LD_PRELOAD": libraries[0], "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1",
                         "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return jump


def jumps(houses):
    """Clock: it jumps by hours, forwards and back; nothing is lost, nothing is stored twice, all are served."""
    house = House(houses)
    jump = faked(house)
    house.up()
    house.environment = {}
    publishers = under_load(house, 0.5)
    for hours in HOURS:
        before = [len(p.acknowledged) for p in publishers]
        position = house.position()
        jump(hours)
        time.sleep(1.5)
        expect(all(len(p.acknowledged) > b for p, b in zip(publishers, before)), f"a thing is not served after a jump to {hours:+d} h")
        told = json.loads((house.folder / LOCAL / "run/sensorhub.status.json").read_text())["time"] / 3600_000 - time.time() / 3600
        expect(abs(told - hours) < 0.1, f"the clock did not jump to {hours:+d} h but to {told:+.2f} h: the test is wrong")
        expect(house.position() > position, f"sensorhub stores nothing after a jump to {hours:+d} h")
    expect(all(p.connections == 1 for p in publishers), "a thing had to connect again")
    house.kill("mosquitto", "sensorhub")
    house.up()
    time.sleep(0.5)
    stop_all(publishers)
    house.drain()
    count = house.count_all(publishers)
    house.down()
    return f"{count} readings, jumps to {', '.join(f'{h:+d} h' for h in HOURS)}"


def begun_behind(houses):
    """Clock: a spool that is begun while the clock is behind is stored, then and when the clock is right."""
    house = House(houses, things=1)
    jump = faked(house)
    publisher = house.publisher("thing0")
    house.up()  # certificates are not valid before they were made, so what is behind later is the true clock
    house.down()
    shutil.rmtree(house.folder / LOCAL / "spool")
    jump(6)
    house.up()
    expect(house.thing("thing0").connect("thing0").publish(f"{TYPE}/thing0", publisher.payload(0)), "a thing is not served")
    house.drain()
    house.down()
    shutil.rmtree(house.folder / LOCAL / "spool")
    for number, hours in enumerate((0, 0, 6), 1):
        jump(hours)
        house.up()
        thing = house.thing("thing0").connect("thing0")
        expect(thing.publish(f"{TYPE}/thing0", publisher.payload(number)), "a thing is not served")
        eventually(10, lambda n=number: len(house.rows("thing0")) == n + 1, lambda: f"what came at {hours:+d} h is not stored: {house.status()}")
        house.kill("mosquitto", "sensorhub")
    expect(house.counts()["readings"] == 4, f"sensorhub counted {house.counts()}")


run_tests([jumps, begun_behind])
