#!/usr/bin/env python3
"""A type whose documents cannot be read, or whose table cannot be made: its readings are set aside, the others are stored."""

import subprocess
import time
from pathlib import Path

from house import LOCAL, PROGRAM, TYPE, House, eventually, expect, run_tests, stop_all, under_load

OTHER = "esp8266climate"


def held(house, count):
    """Waits until so many readings of the type are set aside, and returns what status says."""
    aside = lambda: {item["type"]: item["count"] for item in house.hub_status().get("aside", [])}  # noqa: E731
    eventually(10, lambda: aside() == {TYPE: count} and not house.unstored(), lambda: f"{aside()} is set aside, {house.unstored()} wait")
    expect(not house.trouble(), f"the others are held up: {house.trouble()}")
    return house.run("status", code=3)


def of_others(house):
    """How many readings of the other type are stored."""
    return len(house.query(f'SELECT time FROM "{OTHER}"')) + len(house.invalid(OTHER))


def start_hub(house):
    """Without up, which writes documents anew that differ from what the spec says."""
    words = [str(Path(PROGRAM).parent / "sensorhub"), "run", "--log", f"{LOCAL}/log/sensorhub.log"]
    subprocess.Popen(words, cwd=house.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    eventually(10, lambda: house.process("sensorhub"), "sensorhub does not start")


def documents_that_break(houses):
    """Documents: broken while sensorhub is away, its readings are set aside, others go on; all is stored when they are right."""
    house = House(houses, things=1)
    house.create("other0", kind=OTHER)
    house.up()
    first, second = house.publisher("thing0"), house.publisher("other0", kind=OTHER)
    thing, other = house.thing("thing0").connect("thing0"), house.thing("other0").connect("other0")
    expect(thing.publish(f"{TYPE}/thing0", first.payload(0)), "a thing is not served")
    house.drain()
    documents = house.folder / f"sensortypes/{TYPE}/generated/awscli"
    good = {path: path.read_bytes() for path in documents.glob("*rule.json")}
    expect(len(good) == 2, f"the type has the rules {list(good)}")
    for number, broken in enumerate((b'{"ruleName": ', b"", None), 1):
        house.kill("sensorhub")
        for path in good:
            if broken is None:
                path.unlink()
            else:
                path.write_bytes(broken)
        expect(other.publish(f"{OTHER}/other0", second.payload(2 * number)), "a thing of another type is not served")
        expect(thing.publish(f"{TYPE}/thing0", first.payload(number)), "a thing whose rules are broken is not served")
        expect(other.publish(f"{OTHER}/other0", second.payload(2 * number + 1)), "a thing of another type is not served behind it")
        start_hub(house)
        said = held(house, 1)
        expect(f"{TYPE}: 1 readings are set aside, the oldest of 20" in said, f"status says: {said}")
        expect(of_others(house) == 2 * number, "the other type is held up")
        expect(len(house.rows("thing0")) == number, "a reading was stored without its rule")
        house.kill("sensorhub")  # what is set aside is in the database
        start_hub(house)
        held(house, 1)
        # In place, so that neither the folder nor the mark changes; where the files are gone, by the command that is advised.
        if broken is None:
            house.run("deploy", TYPE)
        else:
            for path, content in good.items():
                path.write_bytes(content)
        eventually(20, lambda: house.status()[0] == 0, lambda: f"it is not stored: {house.status()}")
        expect(len(house.rows("thing0")) == number + 1, "the reading that was set aside is not stored")
    counts = house.counts()
    expect(counts["readings"] == 1 + 3 * 3 and not counts["unmatched"], f"sensorhub counted {counts}")
    house.down()


def documents_at_the_end(houses):
    """Documents: broken at the end, nothing stays in the spool, sensorhub --drain says what is set aside; the next start stores it."""
    house = House(houses, things=1)
    house.up()
    rule = house.folder / f"sensortypes/{TYPE}/generated/awscli/rule.json"
    good = rule.read_bytes()
    house.kill("sensorhub")
    rule.write_bytes(b"{")
    thing, publisher = house.thing("thing0").connect("thing0"), house.publisher("thing0")
    expect(thing.publish(f"{TYPE}/thing0", publisher.payload(0)), "a thing is not served")
    began = time.monotonic()
    house.run("down")
    expect(time.monotonic() - began < 60, "down takes too long")
    code, said = house.hub("run", "--drain")
    expect(code == 3 and "readings of 1 types are set aside" in said, f"run --drain ends with {code}: {said}")
    rule.write_bytes(good)
    code, said = house.hub("run", "--drain")
    expect(code == 0, f"run --drain ends with {code}: {said}")
    expect(house.rows("thing0") == dict([publisher.reading(0)]), "what was left is not stored")


def table_that_is_in_the_way(houses):
    """Documents: a view has the name of a type's table; the type is held, others go on; in order when the view is gone, under load."""
    house = House(houses, things=2)
    house.create("other0", kind=OTHER)
    house.change_database(f"CREATE VIEW {TYPE} AS SELECT 1 AS thing")
    house.up()
    publishers = under_load(house, 0, ["thing0", "thing1"], pause=0.02)
    second, other = house.publisher("other0", kind=OTHER), house.thing("other0").connect("other0")
    for number in range(20):
        expect(other.publish(f"{OTHER}/other0", second.payload(number)), "a thing of another type is not served")
        time.sleep(0.05)
    eventually(10, lambda: of_others(house) == 20, "the other type is held up")
    said = house.run("status", code=3)
    expect(f'the database has a table "{TYPE}" that is not what the documents ask for' in said, f"status says: {said}")
    house.change_database(f"DROP VIEW {TYPE}")
    eventually(70, lambda: house.status()[0] == 0, lambda: f"it is not stored: {house.status()}")
    stop_all(publishers)
    house.drain()
    for publisher in publishers:
        expect(house.rows(publisher.client_id) == publisher.expected(), f"readings of {publisher.client_id} are lost")
    counts = house.counts()
    expect(counts["readings"] == counts["valid"] + 20 and not counts["duplicates"] + counts["rejected"], f"sensorhub counted {counts}")
    house.down()
    return f"{counts['readings']} readings"


run_tests([documents_that_break, documents_at_the_end, table_that_is_in_the_way])
