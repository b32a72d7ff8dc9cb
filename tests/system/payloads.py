#!/usr/bin/env python3
"""Payloads that no board should send: each that was acknowledged is found again, byte for byte, in the invalid table."""

import base64
import json
import time

from house import PRELOAD, TYPE, House, expect, run_tests

GOOD = {"time": 0, "temperature": 21.5, "humidity": 45.5, "pressure": 1013.25, "zone": "1", "altitude": "0"}
LARGEST = 128 * 1024


def good(**changes):
    """A reading, with some fields as others have them; None leaves a field out."""
    fields = GOOD | {"time": int(time.time() * 1000)} | changes
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


def bad_payloads():
    whole = good()
    yield from (b"", b" ", b"\0", b"null", b"true", b"0", b'""', b"[]", b"{}", b"{", b"}", b"{}{}", b"\xff\xfe\xfd", b"\xc0\x80",
                b"\xed\xa0\x80", b"\xef\xbb\xbf" + whole, b"NaN", b"[" * 100, b"[" * 60000, b"[" * 20000 + b"]" * 20000,
                b'{"a":' * 15000 + b"1" + b"}" * 15000, b'{"temperature": "\xff"}', whole + b"x", whole[:-1], whole + b"\0", b"\0" + whole,
                b"x" * LARGEST, b'{"temperature": 1' + b"0" * 1000 + b"}", b'{"temperature": 1e999}', b"'); DROP TABLE esp32air; --")
    yield whole.replace(b'"zone": "1"', b'"zone": "\xff"')
    yield whole.replace(b"21.5", b"2e400")
    yield whole.replace(b"21.5", b"21.5.5")
    yield whole.replace(b'"1"', b'"' + b"z" * (LARGEST - len(whole) + 1))[:-1]
    for field in GOOD:
        if field != "time":
            yield good(**{field: None})
        yield good(**{field: [1]})
        yield good(**{field: {"a": 1}})
        yield good(**{field: True})
    for value in ("", "z" * 2049, "\0", "a\0b", "ä" * 2048):
        yield good(zone=value)
    for value in (-40.5, 85.5, 1e300, -1e300, "21.5", "", "x"):
        yield good(temperature=value)
    for value in (int(time.time() * 1000) + 3600_000, int(time.time() * 1000) - 26 * 3600_000, int(time.time()), -1, 1e300, "soon", "", 1.5e13):
        yield good(time=value)


def bad_readings(houses):
    """Payloads: malformed, deeply nested, not UTF-8, out of range: each is in the invalid table, byte for byte."""
    house = House(houses, things=2)
    house.up()
    thing, other = house.thing("thing0").connect("thing0"), house.thing("thing1").connect("thing1")
    kept = []
    for payload in bad_payloads():
        expect(thing.publish(f"{TYPE}/thing0", payload), f"a payload of {len(payload)} bytes is not acknowledged: {payload[:60]}")
        kept.append(payload)
    expect(other.publish(f"{TYPE}/thing1", good()), "another thing is not served")
    house.drain()
    stored = sorted(base64.b64decode(item["payload"]) for thing_, item in house.invalid() if thing_ == "thing0")
    missing = [p for p in kept if p not in stored]
    expect(not missing, f"{len(missing)} of {len(kept)} are not in the invalid table: {[(len(p), p[:80]) for p in missing[:5]]}\n"
                        f"valid ones: {house.query(f'SELECT * FROM {TYPE}')}\nlog: {house.query('SELECT message FROM _log LIMIT 5')}")
    expect(len(stored) == len(kept), f"{len(kept)} were sent, {len(stored)} are stored")
    expect(not house.rows("thing0") and len(house.rows("thing1")) == 1, "the table of valid ones has others than the good one")
    expect(PRELOAD or house.memory("sensorhub") < 64, f"sensorhub took {house.memory('sensorhub'):.0f} MB")
    house.down()
    return f"{len(kept)} payloads"


def large_packets(houses):
    """Payloads: of 1 MB is refused, with nothing stored; the largest that AWS takes is accepted."""
    house = House(houses, things=2)
    house.up()
    other = house.thing("thing1").connect("thing1")
    for size in (LARGEST * 2, 1 << 20, 16 << 20):
        thing = house.thing("thing0").connect("thing0")
        expect(not thing.publish(f"{TYPE}/thing0", b"x" * size), f"a payload of {size} bytes is acknowledged")
    thing = house.thing("thing0").connect("thing0")
    expect(thing.publish(f"{TYPE}/thing0", b"y" * LARGEST), "a payload of 128 KB is not acknowledged")
    expect(other.alive(), "another thing was put out")
    house.drain()
    items = house.invalid()
    expect(len(items) == 1 and base64.b64decode(items[0][1]["payload"]) == b"y" * LARGEST, "something else than the largest one is stored")
    house.down()


def raw_packets(houses):
    """Payloads: packets that are no MQTT, or none of a board's, end their connection and nothing else."""
    house = House(houses, things=2)
    house.up()
    other = house.thing("thing1").connect("thing1")
    topic = f"{TYPE}/thing0".encode()
    packets = {"no packet": b"\xff" * 64, "a length without end": b"\x32\xff\xff\xff\xff\xff", "QoS 3": b"\x36\x05\x00\x01a\x00\x01",
               "a topic longer than its packet": b"\x32\x05\xff\xffabc", "a wildcard in a topic": b"\x32\x08\x00\x04a/+b\x00\x01",
               "a NUL in a topic": b"\x32\x07\x00\x03a\x00b\x00\x01", "a topic that is not UTF-8": b"\x32\x07\x00\x03\xff\xfeb\x00\x01",
               "a second CONNECT": b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04abcd",
               "QoS 2": b"\x34" + bytes([2 + len(topic) + 4]) + bytes([0, len(topic)]) + topic + b"\x00\x01hi"}
    for what, packet in packets.items():
        thing = house.thing("thing0").connect("thing0")
        thing.send(packet)
        expect(thing.ended(5), f"{what} does not end the connection")
    expect(other.publish(f"{TYPE}/thing1", good()), "another thing is not served")
    house.drain()
    expect(house.query(f"SELECT thing FROM {TYPE}") == [("thing1",)] and not house.invalid(), "something of it is stored")
    house.down()


run_tests([bad_readings, large_packets, raw_packets])
