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


def far_ahead(houses):
    """Clock: 400 days ahead, nothing is deleted, and it is said; what is really too old is deleted, and logged."""
    house = House(houses, things=1)
    jump, environment = faked(house), house.environment
    house.environment = {}
    publisher = house.publisher("thing0")
    house.up()
    expect(house.thing("thing0").connect("thing0").publish(f"{TYPE}/thing0", publisher.payload(0)), "a thing is not served")
    house.drain()
    old = int(time.time() * 1000) - 5000 * 86400_000
    house.change_database(f"INSERT INTO {TYPE} (thing, time, temperature) VALUES ('old', {old}, 1), ('old', {old + 1}, 1)")
    expect(house.run("status"), "status says nothing")
    house.kill("sensorhub")
    jump(24 * 400)
    house.environment = environment
    house.up()
    house.environment = {}
    eventually(10, lambda: not house.query(f"SELECT * FROM {TYPE} WHERE thing = 'old'"), "what is too old is not deleted")
    eventually(5, lambda: f'2 rows of table "{TYPE}" are deleted: older than ' in house.log("sensorhub"), "what is deleted is not logged")
    time.sleep(4)
    expect(house.rows("thing0") == dict([publisher.reading(0)]), "a clock that is ahead deleted readings")
    said = house.run("status", code=3)
    expect("the clock of this machine shows 202" in said and "nothing is deleted by it" in said, f"status says: {said}")
    jump(0)
    eventually(10, lambda: house.status()[0] == 0, lambda: f"the right clock is not believed: {house.status()}")
    expect(house.rows("thing0") == dict([publisher.reading(0)]), "a clock that was ahead deleted readings")
    house.down()


run_tests([jumps, begun_behind, far_ahead])
