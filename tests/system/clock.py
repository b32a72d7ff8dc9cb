#!/usr/bin/env python3
"""A clock that jumps: by libfaketime, for the broker and sensorhub at once, forwards and back, under load.

What is faked is the wall clock (CLOCK_REALTIME, time()); the monotonic one goes on, as it does when somebody sets the
clock or NTP steps it. Readings carry their own time, twelve hours ago by the true clock, so they stay valid as long as
the jump is less than that.
"""

import glob
import json
import time

from house import LOCAL, SOAK, House, Skip, expect, run_tests, stop_all, under_load

HOURS = (3, 0, -9, 6, -2, 0) if SOAK else (3, -9, 0)


def jumps(houses):
    """Clock: it jumps by hours, forwards and back; nothing is lost, nothing is stored twice, all are served."""
    libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not libraries:
        raise Skip("libfaketime is not installed")
    house = House(houses)
    offset = house.folder / "offset"

    def jump(hours):
        new = house.folder / "offset.new"
        new.write_text(f"{hours:+d}h\n")
        new.rename(offset)
    jump(0)
    house.environment = {"LD_PRELOAD": libraries[0], "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1",
                         "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
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


run_tests([jumps])
