#!/usr/bin/env python3
"""A type whose documents cannot be read when sensorhub starts: its readings wait in the spool, and so do those behind them."""

import time

from house import LOCAL, TYPE, House, eventually, expect, run_tests

OTHER = "esp8266climate"


def documents_that_break(houses):
    """Documents: broken while sensorhub is away, nothing is lost; it says why it waits, and goes on when they are right."""
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
        house.up()
        eventually(10, lambda: f"a reading of type {TYPE} waits" in house.trouble(), lambda: f"the trouble is: {house.trouble()}")
        expect(house.unstored() == 2, f"{house.unstored()} readings wait, not the one and what is behind it")
        said = house.run("status", code=3)
        expect(f"a reading of type {TYPE} waits" in said and f"make sensortype NAME={TYPE}" in said, f"status says: {said}")
        expect(len(house.rows("thing0")) == number, "a reading was stored without its rule")
        # In place, so that neither the folder nor the mark changes; where the files are gone, by the command that is advised.
        if broken is None:
            house.run("deploy", TYPE)
        else:
            for path, content in good.items():
                path.write_bytes(content)
        eventually(20, lambda: not house.unstored() and not house.trouble(), lambda: f"{house.unstored()} wait: {house.trouble()}")
        expect(len(house.rows("thing0")) == number + 1, "the reading that waited is not stored")
    counts = house.counts()
    expect(counts["readings"] == 1 + 3 * 3 and not counts["unmatched"], f"sensorhub counted {counts}")
    house.down()


def documents_at_the_end(houses):
    """Documents: broken at the end, down ends all the same and says what is left; the next start stores it."""
    house = House(houses, things=1)
    house.up()
    rule = house.folder / f"sensortypes/{TYPE}/generated/awscli/rule.json"
    good = rule.read_bytes()
    house.kill("sensorhub")
    rule.write_bytes(b"{")
    thing, publisher = house.thing("thing0").connect("thing0"), house.publisher("thing0")
    expect(thing.publish(f"{TYPE}/thing0", publisher.payload(0)), "a thing is not served")
    began = time.monotonic()
    said = house.run("down", errors=True)
    expect("storing what is in the spool" in said and "warning: 1 reading is in the spool" in said, f"down says: {said}")
    expect(f"a reading of type {TYPE} waits" in said, f"down does not say why: {said}")
    expect(time.monotonic() - began < 60, "down takes too long")
    rule.write_bytes(good)
    house.up()
    house.drain()
    expect(house.rows("thing0") == dict([publisher.reading(0)]), "what was left is not stored")
    house.down()
    expect(not list((house.folder / LOCAL / "run").glob("*.pid")), "a process is left")


run_tests([documents_that_break, documents_at_the_end])
