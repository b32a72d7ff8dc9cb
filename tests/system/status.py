#!/usr/bin/env python3
"""`status` and its exit code: green only when readings are accepted and stored."""

import contextlib
import os
import signal
import sqlite3
import struct
import subprocess

import mqtt
from house import LOCAL, PROGRAM, TYPE, WIFI, House, Skip, eventually, expect, run_tests

REFUSED = 3


def publish(house, count, first=0):
    """So many readings of the first thing, acknowledged."""
    publisher = house.publisher(house.names[0], window=5, pause=0.01)
    publisher.sent = first
    publisher.start()
    eventually(20, lambda: len(publisher.acknowledged) >= count, "readings are not acknowledged")
    publisher.stopping.set()
    publisher.stop()
    return publisher


def red(house, words, seconds=20):
    """Waits until status ends with an error and says this."""
    eventually(seconds, lambda: house.status()[0] == REFUSED and words in house.status()[1],
               lambda: f"status does not say {words!r}: {house.status()}")


def green(house, seconds=20):
    eventually(seconds, lambda: house.status()[0] == 0, lambda: f"status is not green again: {house.status()}")


def deleted_database(houses):
    """Status: the database is deleted while sensorhub has it open; readings are in the new one."""
    house = House(houses, things=1)
    house.up()
    publish(house, 20)
    house.drain()
    for path in (house.folder / LOCAL).glob("central.sqlite*"):
        path.unlink()
    eventually(20, lambda: house.position(), "the database is not made anew")
    publisher = publish(house, 20, first=1000)
    house.drain()
    lost = set(publisher.expected()) - set(house.rows(house.names[0]))
    expect(not lost, f"{len(lost)} readings are in no file")
    expect("was deleted or replaced" in house.log("sensorhub"), "the log does not say it")
    green(house)
    house.down()


def frozen_hub(houses):
    """Status: a sensorhub that is stopped does not look as if it worked."""
    house = House(houses, things=1)
    house.up()
    green(house)
    house.kill("sensorhub", number=signal.SIGSTOP)
    red(house, "does not answer")
    house.kill("sensorhub", number=signal.SIGCONT)
    green(house)
    house.down()


def locked_database(houses):
    """Status: while another program holds the lock of the database, readings wait, and status says it."""
    house = House(houses, things=1)
    house.up()
    publish(house, 20)
    house.drain()
    with contextlib.closing(sqlite3.connect(house.folder / LOCAL / "central.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        publisher = publish(house, 20, first=1000)
        red(house, "database")
        other.execute("ROLLBACK")
    house.drain()
    green(house)
    expect(not set(publisher.expected()) - set(house.rows(house.names[0])), "readings are lost")
    house.down()


def damaged(houses):
    """Status: a damaged last segment costs the records that it hit; their number is told until the file is taken away."""
    house = House(houses, things=1)
    house.up()
    house.kill("sensorhub", number=signal.SIGSTOP)
    publisher = publish(house, 200)
    house.kill("sensorhub", "mosquitto")
    segment = sorted((house.folder / LOCAL / "spool").glob("*.segment"))[-1]
    with open(segment, "r+b") as file:
        data = file.read()
        at = 64
        for _ in range(50):
            at += (struct.unpack_from("=I", data, at)[0] + 7) // 8 * 8
        file.seek(at)
        file.write(bytes(4096))
    house.up()
    eventually(20, lambda: house.counts().get("missing"), "the missing readings are not counted")
    missing = house.counts()["missing"]
    lost = set(publisher.expected()) - set(house.rows(house.names[0]))
    expect(0 < len(lost) <= missing < 50, f"{len(lost)} of {len(publisher.expected())} are lost, {missing} are counted")
    red(house, f"{missing} readings are missing")
    expect(f"{missing} readings are missing" in house.log("sensorhub"), "the log of sensorhub does not say it")
    expect("readings are missing" in house.log("mosquitto"), "the log of the broker does not say it")
    kept = list((house.folder / LOCAL / "spool").glob("*.damaged"))
    expect(len(kept) == 1, f"kept are {kept}")
    kept[0].unlink()
    green(house)
    house.down()
    return f"{missing} of {publisher.sent} readings"


def damaged_end(houses):
    """Status: where the last readings of the spool are damaged, they are counted at once, and told once."""
    house = House(houses, things=1)
    spool = house.folder / LOCAL / "spool"
    house.up()
    house.kill("sensorhub", number=signal.SIGSTOP)
    publisher = publish(house, 100)
    house.kill("sensorhub")
    segment = sorted(spool.glob("*.segment"))[-1]
    with open(segment, "r+b") as file:
        end = len(file.read().rstrip(b"\0"))
        file.seek(end - 300)  # a record has 248 bytes, or some more
        file.write(bytes(300))
    house.up()
    eventually(20, lambda: house.counts().get("missing") == 2, lambda: f"counted are {house.counts()}")
    red(house, "the spool was damaged, 2 readings are missing")
    expect("waiting    0 in the spool" in house.status()[1], f"status says that something waits: {house.status()[1]}")
    lost = set(publisher.expected()) - set(house.rows(house.names[0]))
    expect(len(lost) == 2, f"{len(lost)} readings are lost")
    for kept in spool.glob("*.damaged"):
        kept.unlink()
    for _ in range(2):
        expect("not stored" not in house.run("down", errors=True), "down says that readings wait")
        house.up()
        green(house)
    publish(house, 20, first=1000)
    house.drain()
    green(house)
    expect(house.log("sensorhub").count("readings are missing") == 1 and not list(spool.glob("*.damaged")), "it is told again")
    expect(house.counts()["missing"] == 2, f"counted are {house.counts()}")
    house.down()


def removed(houses):
    """Status: the spool's files are removed under a running broker; nothing that was acknowledged before or after is lost."""
    house = House(houses, things=1)
    house.up()
    house.kill("sensorhub", number=signal.SIGSTOP)
    publisher = house.publisher(house.names[0], window=5, pause=0.01)
    publisher.start()
    eventually(20, lambda: len(publisher.acknowledged) > 50, "readings are not acknowledged")
    for segment in (house.folder / LOCAL / "spool").glob("*.segment"):
        segment.unlink()
    before = len(publisher.acknowledged)
    eventually(20, lambda: len(publisher.acknowledged) > before + 50, "readings are not acknowledged any more")
    publisher.stop()
    eventually(20, lambda: "was removed while it was written" in house.log("mosquitto"), "the log of the broker does not say it")
    house.kill("sensorhub")
    house.up()
    house.drain()
    lost = set(publisher.expected()) - set(house.rows(house.names[0]))
    expect(not lost, f"{len(lost)} of {len(publisher.acknowledged)} acknowledged readings are lost")
    house.down()
    return f"{len(publisher.acknowledged)} readings"


def drained(houses):
    """Status: sensorhub run --drain stores what is behind the damage, and ends with an error."""
    house = House(houses, things=1)
    house.up()
    house.kill("sensorhub", number=signal.SIGSTOP)
    publisher = publish(house, 100)
    house.kill("sensorhub", "mosquitto")
    segment = sorted((house.folder / LOCAL / "spool").glob("*.segment"))[-1]
    with open(segment, "r+b") as file:
        file.seek(64)
        file.write(bytes(8))
    code, said = house.hub("run", "--drain")
    expect(code == REFUSED and "1 readings are missing" in said, f"it ended with {code}: {said}")
    lost = set(publisher.expected()) - set(house.rows(house.names[0]))
    expect(len(lost) == 1, f"{len(lost)} readings are lost")


def full_spool(houses):
    """Status: when the spool takes nothing, status says so."""
    house = House(houses, things=1, edits={"templates/mosquitto/system/mosquitto.conf.mustache": [
        ("spool_megabytes 1024", "spool_megabytes 1\\nplugin_opt_segment_megabytes 0.25"), ("spool_share 25", "spool_share 100")]})
    house.up()
    house.kill("sensorhub", number=signal.SIGSTOP)
    publisher = house.publisher(house.names[0])
    publisher.start()
    eventually(60, lambda: "refuses readings" in house.log("mosquitto"), "the spool is not full")
    publisher.stopping.set()
    publisher.stop()
    house.kill("sensorhub", number=signal.SIGCONT)
    red(house, "refuses readings")
    publish(house, 20, first=publisher.sent + 1000)
    green(house)
    house.down()


def full_logs(houses):
    """Logs: a full one is set aside while its program runs, three are kept, and nothing is lost between two; one that was removed is begun again."""
    house = House(houses, things=4)
    house.up()
    folder, refusals = house.folder / LOCAL / "log", iter(range(1000))

    def refuse():
        with contextlib.suppress(mqtt.Refused):
            house.thing("thing0").connect(f"wrong{next(refusals)}")

    def look():
        house.kill("sensorhub", number=signal.SIGHUP)
    for name, speak, words in (("mosquitto", refuse, "wrong{}"), ("sensorhub", look, "told to look at the types")):
        log = folder / f"{name}.log"
        for turn in range(5):
            speak()
            eventually(10, lambda: words.format(turn) in log.read_text(), f"{name} does not log any more, turn {turn}")
            with log.open("a") as more:  # as if the program had written it
                more.write(f"turn {turn}\n" + "x" * 99 + "\n")
                more.truncate((16 << 20) + 1)
            eventually(5, lambda: f"turn {turn}" not in log.read_text(), f"a full {log.name} is not set aside")
            expect(f"turn {turn}" in (folder / f"{log.name}.1").read_text(), f"{log.name}.1 is not the last full one")
        kept = sorted(path.name for path in folder.glob(f"{log.name}.*"))
        expect(kept == [f"{log.name}.{n}" for n in (1, 2, 3)], f"these are kept: {kept}")
        expect("turn 2" in (folder / f"{log.name}.3").read_text(), "the oldest that is kept is another one")
        expect(oct(log.stat().st_mode)[-3:] == "600", f"{log.name} has the rights {log.stat().st_mode:o}")
        log.unlink()
        eventually(5, log.exists, f"a removed {log.name} is not begun again")
        speak()
        eventually(10, lambda: words.format(5) in log.read_text(), f"{name} does not log any more after its log was removed")
    house.down()


def no_full_log(houses):
    """Logs: one client's refusals do not fill the log, and how many lines were left out is said."""
    house = House(houses, things=2)
    house.up()
    for n in range(60):
        with contextlib.suppress(mqtt.Refused):
            house.thing("thing0").connect(f"wrong{n}")
    log = house.log("mosquitto")
    expect(log.count("is refused") == log.count("sensorforge: thing0 as wrong") == 10, f"these refusals are logged:\n{log}")
    with contextlib.suppress(mqtt.Refused):
        house.thing("thing1").connect("wrong")
    expect(house.log("mosquitto").count("is refused") == 11, "another thing's refusal is not logged")
    eventually(20, lambda: "sensorforge: thing0: 50 lines like this are left out" in house.log("mosquitto"), "what was left out is not said")
    expect(house.log("mosquitto").count("left out") == 1, "what was left out is said more than once")
    house.down()


NOBODY = 65534


def owners(houses):
    """Owners: what root left in another's project is named with its owner and what to do, by up, status, down and others; nothing is changed."""
    if os.geteuid():
        raise Skip("it needs root")
    house = House(houses, things=1)
    local = house.folder / LOCAL

    def run(*words, user=NOBODY):
        ran = subprocess.run([PROGRAM, *words], cwd=house.folder, env=os.environ | WIFI, text=True, stdin=subprocess.DEVNULL, capture_output=True,
                             timeout=120, user=user, group=user, extra_groups=[])
        return ran.returncode, ran.stdout + ran.stderr

    def give(*paths):
        subprocess.run(["chown", "-R", "-h", f"{NOBODY}:{NOBODY}", *map(str, paths)], check=True)

    def fine(*words, user=NOBODY):
        code, said = run(*words, user=user)
        expect(code == 0, f"{words} ends with {code}: {said}")
        return said
    give(house.folder)
    try:
        run("--version")
    except PermissionError:
        raise Skip("the program cannot be run by another user here")
    expect("warning" not in fine("up"), "up warns the owner")
    fine("down")
    expect("warning: this project belongs to nobody" in fine("up", user=0), "root is not warned")
    fine("down", user=0)
    before = sorted((str(path), path.lstat().st_mtime_ns) for path in local.rglob("*"))
    for words in (("up",), ("status",), ("down",), ("up", "--foreground")):
        code, said = run(*words)
        expect(code == REFUSED and "belongs to root, and this is nobody" in said and f"sudo chown -R nobody {LOCAL}" in said,
               f"{words} ends with {code}: {said}")
    expect(before == sorted((str(path), path.lstat().st_mtime_ns) for path in local.rglob("*")), "something was changed")
    give(local)
    fine("up")
    fine("status")
    fine("down")
    for folder, words in ((LOCAL.parent / "authority", ("create", "x", "--type", TYPE)), (LOCAL / "central.sqlite", ("query", "--type", TYPE)),
                          (LOCAL, ("up",)), (LOCAL, ("status",)), (LOCAL, ("down",)), (LOCAL.parent, ("rotate", "thing0"))):
        os.chown(house.folder / folder, 0, 0)
        mode = (house.folder / folder).stat().st_mode
        os.chmod(house.folder / folder, 0o700)
        code, said = run(*words)
        expect(code == REFUSED and f"{folder} belongs to root, and this is nobody" in said and f"sudo chown -R nobody {folder}" in said,
               f"with root's {folder}, {words} ends with {code}: {said}")
        give(house.folder / folder)
        os.chmod(house.folder / folder, mode)
    fine("up")
    fine("down")


run_tests([deleted_database, frozen_hub, locked_database, damaged, damaged_end, removed, drained, full_spool, full_logs, no_full_log, owners])
