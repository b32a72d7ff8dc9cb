#!/usr/bin/env python3
"""A world that refuses: the spool is full, the disk is, the database is locked. Publishers wait, nothing is lost."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import tempfile
import time

from house import LOCAL, SOAK, House, Skip, eventually, expect, run_tests, stop_all, under_load

LONG = 30 if SOAK else 3  # seconds


def acknowledged(publishers):
    return sum(len(p.acknowledged) for p in publishers)


def wait_until_refused(publishers, seconds=60):
    """Until nothing is acknowledged any more."""
    state = {"count": -1, "since": time.monotonic()}

    def quiet():
        count = acknowledged(publishers)
        if count != state["count"]:
            state.update(count=count, since=time.monotonic())
        return time.monotonic() - state["since"] > 1
    eventually(seconds, quiet, "readings are acknowledged without an end")


def finish(house, publishers, before):
    """All goes on: more is acknowledged than before, and all of it is stored."""
    eventually(60, lambda: acknowledged(publishers) > before + 1000, "nothing is acknowledged afterwards")
    eventually(60, lambda: all(p.stopping.is_set() or time.monotonic() - p.last < 2 for p in publishers), "a thing is not served afterwards")
    stop_all(publishers)
    house.drain()
    count = house.count_all(publishers)
    house.down()
    return f"{count} readings, {before} of them before it was over"


def full_spool(houses):
    """Spool: when it holds what it may, publishers are refused; when sensorhub goes on, so do they."""
    house = House(houses, edits={"templates/mosquitto/system/mosquitto.conf.mustache": [("spool_megabytes 1024", "spool_megabytes 32"), ("spool_share 25", "spool_share 100")]})
    house.up()
    publishers = under_load(house, 0)
    house.kill("sensorhub", number=signal.SIGSTOP)
    wait_until_refused(publishers)
    before = acknowledged(publishers)
    expect("the spool refuses readings" in house.log("mosquitto"), "the broker's log does not tell")
    expect(all(p.connections > 1 for p in publishers), "a publisher that is refused stays connected")
    size = sum(f.stat().st_size for f in (house.folder / LOCAL / "spool").glob("*.segment"))
    expect(size <= 32 << 20, f"the spool has {size} bytes")
    house.kill("sensorhub", number=signal.SIGCONT)
    return finish(house, publishers, before)


def one_share(houses):
    """Spool: one thing cannot fill it for all; who holds a share of it is refused, the others go on, log and status say so."""
    house = House(houses, edits={"templates/mosquitto/system/mosquitto.conf.mustache": [("spool_megabytes 1024", "spool_megabytes 128")]})
    house.up()
    others = under_load(house, 0, names=["thing1", "thing2"], pause=0.2)
    greedy, number = house.publisher("thing0"), 0
    heavy = b'{"time":%d,"temperature":20.5,"humidity":45.5,"pressure":1013.25,"zone":"1","altitude":"0","note":"' + b"x" * 100000 + b'"}'
    database = house.holds(contextlib.closing(sqlite3.connect(house.folder / LOCAL / "central.sqlite", isolation_level=None, timeout=10)))
    database.execute("BEGIN IMMEDIATE")  # sensorhub stores nothing, and tells what it sees
    thing = house.thing("thing0").connect("thing0")
    while number < 2000 and thing.publish(greedy.topic, heavy % (greedy.first_time + number)):
        number += 1
    megabytes = number / 10
    expect(32 <= megabytes < 64, f"a thing filled {megabytes} MB of a spool of 128")
    before = acknowledged(others)
    eventually(20, lambda: acknowledged(others) > before + 200, "the others are refused, too")
    expect(all(p.connections == 1 for p in others), "the connection of another thing was ended")
    for _ in range(50):
        house.thing("thing0").connect("thing0").publish(greedy.topic, heavy % (greedy.first_time + number))
    log = house.log("mosquitto")
    expect("thing0" in log and "its share of the spool is full" in log, "the broker's log does not tell")
    expect(log.count("its share of the spool") <= 12, "the log is filled with one thing's refusals")
    eventually(10, lambda: "refused    readings of thing0: the share of the spool is full" in house.status()[1], "status does not tell")
    database.execute("ROLLBACK")
    eventually(60, lambda: house.thing("thing0").connect("thing0").publish(greedy.topic, heavy % (greedy.first_time + number)),
               "the thing is not served afterwards")
    stop_all(others)
    house.drain()
    stored = len(house.rows("thing0"))
    expect(stored == number + 1, f"{number + 1} readings were acknowledged, {stored} are stored")
    for other in others:
        expect(set(other.expected()) <= set(house.rows(other.client_id)), "a reading of another thing is lost")
    eventually(10, lambda: house.status()[0] == 0, lambda: f"status is not content afterwards: {house.status()[1]}")
    house.down()
    return f"{number} readings, {megabytes:.0f} MB, were taken of the one"


@contextlib.contextmanager
def small_disk(megabytes):
    """A file system of its own."""
    with tempfile.TemporaryDirectory(prefix="sensorforge-disk.") as folder:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", folder], capture_output=True, text=True)
        if mounted.returncode:
            raise Skip("a file system of its own needs root")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", folder], check=False)


def fill(folder, leave):
    """Writes a ballast that leaves so many bytes, or fewer: others are writing there, too."""
    path = os.path.join(folder, "ballast")
    while True:
        space = os.statvfs(folder)
        with open(path, "wb") as ballast, contextlib.suppress(OSError):
            os.posix_fallocate(ballast.fileno(), 0, max(4096, space.f_bavail * space.f_frsize - leave))
            return path


def full_disk_for_spool(houses):
    """Disk: full for the spool; publishers are refused, and served again when there is room."""
    house = House(houses)
    disk = house.holds(small_disk(100))
    os.makedirs(house.folder / LOCAL, mode=0o700)
    os.mkdir(f"{disk}/spool", 0o700)
    (house.folder / LOCAL / "spool").symlink_to(f"{disk}/spool")
    house.up()
    publishers = under_load(house, 0)
    ballast = fill(disk, leave=1 << 20)
    house.kill("sensorhub", number=signal.SIGSTOP)  # or it would make room again and again
    wait_until_refused(publishers)
    before = acknowledged(publishers)
    expect("the spool refuses readings" in house.log("mosquitto"), "the broker's log does not tell")
    os.unlink(ballast)
    house.kill("sensorhub", number=signal.SIGCONT)
    return finish(house, publishers, before)


def full_disk_for_database(houses):
    """Disk: full for the database; publishers are served from the spool, and all is stored when there is room."""
    house = House(houses)
    disk, spool = house.holds(small_disk(300)), house.holds(tempfile.TemporaryDirectory(prefix="sensorforge-spool."))
    (house.folder / LOCAL).symlink_to(disk)
    os.symlink(spool, f"{disk}/spool")
    house.up()
    publishers = under_load(house, 0.5)
    ballast = fill(disk, leave=256 << 10)
    eventually(30, lambda: house.unstored() > 20000, "the database does not refuse")
    before = acknowledged(publishers)
    time.sleep(LONG)
    expect(acknowledged(publishers) > before + 1000, "publishers are not served meanwhile")
    expect(house.trouble(), "sensorhub does not tell what troubles it")
    before = acknowledged(publishers)
    os.unlink(ballast)
    return finish(house, publishers, before)


def locked(houses):
    """Database: locked by another process; publishers notice nothing, and all is stored when it is free."""
    house = House(houses)
    house.up()
    publishers = under_load(house, 0.5)
    with contextlib.closing(sqlite3.connect(house.folder / LOCAL / "central.sqlite", isolation_level=None, timeout=10)) as database:
        database.execute("BEGIN IMMEDIATE")
        before, position = acknowledged(publishers), house.position()
        time.sleep(LONG)
        expect(acknowledged(publishers) > before + 1000, "publishers are not served meanwhile")
        expect(house.position() == position, "something was stored in spite of the lock")
        expect(house.trouble(), "sensorhub does not tell what troubles it")
        before = acknowledged(publishers)
        database.execute("ROLLBACK")
    expect(all(p.connections == 1 for p in publishers), "a thing had to connect again")
    note = finish(house, publishers, before)
    expect(not house.trouble(), f"sensorhub says that it is troubled afterwards: {house.trouble()}")
    return note


run_tests([full_spool, one_share, full_disk_for_spool, full_disk_for_database, locked])
