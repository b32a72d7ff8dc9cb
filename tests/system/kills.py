#!/usr/bin/env python3
"""SIGKILL at random moments under load: of sensorhub, of the broker, of both. What was acknowledged is stored, once."""

import contextlib
import os
import signal
import time

from house import SOAK, House, chance, eventually, expect, gone, run_tests, stop_all, under_load

TIMES = int(os.environ.get("SYSTEM_KILLS", "20" if SOAK else "4"))


def kill_often(houses, *names, store="sqlite"):
    house = House(houses, things=4, store=store)
    house.up()
    publishers = under_load(house, 0)
    for _ in range(TIMES):
        time.sleep(chance.uniform(0.1, 1.0))
        house.kill(*names)
        time.sleep(chance.choice((0, 0, 0.3)))
        house.up()
    time.sleep(0.5)
    before = [len(p.acknowledged) for p in publishers]
    time.sleep(1)
    stop_all(publishers)
    after = [len(p.acknowledged) for p in publishers]
    expect(all(b < a for b, a in zip(before, after)), "a thing is not served any more")
    house.drain()
    count = house.count_all(publishers)
    house.down()
    return (f"{count} readings acknowledged and stored, {TIMES} kills, {sum(p.connections for p in publishers)} connections, "
            f"{house.counts()['duplicates']} were sent and spooled twice")


def kill_hub(houses):
    """Kills: sensorhub is killed again and again; nothing is lost, nothing is stored twice, nobody is put out."""
    note = kill_often(houses, "sensorhub")
    expect(", 4 connections" in note, f"things had to connect again: {note}")
    return note


def kill_broker(houses):
    """Kills: the broker is killed again and again; what was acknowledged is stored."""
    return kill_often(houses, "mosquitto")


def kill_both(houses):
    """Kills: both are killed at once, again and again."""
    return kill_often(houses, "mosquitto", "sensorhub")


def at_work_in(folder):
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and os.path.samefile(f"/proc/{name}/cwd", folder):
                found.append(name)
    return found


def stop_clean(houses):
    """Stopping: SIGTERM under load, in either order, leaves an empty spool, no process, and loses nothing."""
    house = House(houses, things=4)
    publishers, folder = None, house.folder
    for number in range(6 if SOAK else 2):
        house.up()
        publishers = publishers or under_load(house, 0)
        time.sleep(chance.uniform(0.2, 0.8))
        if number % 2:
            house.down()
        else:
            pair = [house.process(name) for name in ("sensorhub", "mosquitto")]
            house.kill("sensorhub", "mosquitto", number=signal.SIGTERM)
            eventually(20, lambda pair=pair: all(gone(p) for p in pair), "SIGTERM does not end them")
    house.up()
    time.sleep(0.3)
    stop_all(publishers)
    house.drain()
    count = house.count_all(publishers)
    house.down()
    expect(not at_work_in(folder), f"processes {at_work_in(folder)} are left in the project")
    return f"{count} readings"


run_tests([kill_hub, kill_broker, kill_both, stop_clean])
