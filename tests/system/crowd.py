#!/usr/bin/env python3
"""Many at once: thousands of connections, and one thing that floods. The others keep their service."""

import json
import os
import resource
import subprocess
import tempfile
import threading
import time

import mqtt
from house import REPO, SOAK, TYPE, House, Skip, expect, run_tests, stop_all, under_load

WANTED = int(os.environ.get("SYSTEM_CONNECTIONS", "10000" if SOAK else "400"))
LONGEST_GAP = 3.0  # seconds without an acknowledgement, for one that is served, on a machine that others use too


def load_program(folder):
    """The bench's own generator of load."""
    program = f"{folder}/load"
    built = subprocess.run(["gcc", "-std=c17", "-O2", "-D_GNU_SOURCE", "-o", program, REPO / "bench/load.c", "-lssl", "-lcrypto", "-pthread"],
                           capture_output=True, text=True)
    expect(built.returncode == 0, built.stderr)
    return program


def connections(houses):
    """Connections: thousands stay connected, each with its own certificate, while others publish."""
    room = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    count = min(WANTED, room - 500 if room != resource.RLIM_INFINITY else WANTED)
    if count < 100:
        raise Skip(f"only {room} files may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (room, room))
    house = House(houses, things=2)
    names = [f"idle{i}" for i in range(count)]
    house.create(*names)
    house.up()
    listing = house.folder / "things.txt"
    listing.write_text("".join(f"{n} {' '.join(str(p) for p in house.certificate(n))} {TYPE}/{n}\n" for n in names))
    publishers = under_load(house, 0, ["thing0", "thing1"], pause=0.02)
    with tempfile.TemporaryDirectory(prefix="sensorforge-load.") as folder:
        idle = subprocess.Popen([load_program(folder), "idle", str(house.port), house.authority, listing], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            first = idle.stdout.readline()
            expect(first, f"the idle ones: {idle.stderr.read() if not first else ''}")
            connected = json.loads(first)
            before = [len(p.acknowledged) for p in publishers]
            time.sleep(1)
            expect(all(len(p.acknowledged) > b for p, b in zip(publishers, before)), "a thing is not served beside them")
            out, err = idle.communicate("", timeout=120)
        finally:
            idle.kill()
            idle.wait()
    expect(idle.returncode == 0 and json.loads(out)["acknowledged"] == count, f"not all are still connected: {out}{err}")
    stop_all(publishers)
    gap, memory = max(p.longest_gap for p in publishers), house.memory("mosquitto")
    expect(gap < LONGEST_GAP and all(p.connections == 1 for p in publishers), f"a thing that publishes was not served for {gap:.1f} s")
    house.drain()
    house.count_all(publishers)
    house.down()
    less = "" if count == WANTED else f" (not {WANTED}: only {room} files may be open)"
    return f"{count} connections{less} in {connected['seconds']} s, broker {memory:.0f} MB, longest time without service {gap:.2f} s"


def flood(houses):
    """Flood: one thing sends all that it can, in large payloads and in many connections; the others are served."""
    house = House(houses, things=4)
    house.up()
    publishers = under_load(house, 0.5, ["thing1", "thing2", "thing3"], window=1, pause=0.02)
    stopping = threading.Event()

    def pour():
        """Never waits for an acknowledgement, takes those that come."""
        while not stopping.is_set():
            try:
                thing = house.thing("thing0", patience=5).connect("thing0")
                packet = mqtt.publish_packet(f"{TYPE}/thing0", b"x" * 4000, 1) * 64
                thing.socket.settimeout(0.5)
                while not stopping.is_set():
                    thing.send(packet)
                    thing.receive()
            except (OSError, mqtt.Refused):
                pass

    def knock():
        while not stopping.is_set():
            try:
                house.thing("thing0").connect("thing0").close()
            except (OSError, mqtt.Refused):
                pass
    floods = [threading.Thread(target=pour), threading.Thread(target=knock)]
    for thread in floods:
        thread.start()
    time.sleep(20 if SOAK else 4)
    stopping.set()
    for thread in floods:
        thread.join()
    stop_all(publishers)
    gap = max(p.longest_gap for p in publishers)
    served = min(len(p.acknowledged) for p in publishers)
    expect(gap < LONGEST_GAP and all(p.connections == 1 for p in publishers), f"a thing was not served for {gap:.1f} s")
    house.drain(120)
    for publisher in publishers:
        expect(house.rows(publisher.client_id) == publisher.expected(), f"{publisher.client_id}: not all is stored")
    memory = house.memory("sensorhub")
    expect(memory < 64, f"sensorhub took {memory:.0f} MB")
    flooded = house.query(f'SELECT count(*) FROM "iot-{TYPE}-invalid"')[0][0]
    house.down()
    return f"the others: {served} readings at least, longest time without service {gap:.2f} s; {flooded} rows of the flood; sensorhub {memory:.0f} MB"


def limited(houses):
    """Flood: a thing that sends more than system.yaml lets it loses its connection, however often; a board's backlog passes."""
    limit, seconds = 200, 3
    house = House(houses, things=2, limit=limit)
    house.up()
    board = house.thing("thing1").connect("thing1")
    backlog = [house.publisher("thing1").payload(number) for number in range(133)]  # the most that a board sends in one cycle
    expect(all(board.publish(f"{TYPE}/thing1", payload) for payload in backlog), "a board's backlog is refused")
    began, number, ended = time.monotonic(), 0, 0
    flood = house.publisher("thing0")
    while time.monotonic() - began < seconds:  # to connect again gives no more
        thing = house.thing("thing0").connect("thing0")
        while time.monotonic() - began < seconds and thing.publish(f"{TYPE}/thing0", flood.payload(number)):
            number += 1
        ended += thing.socket is None
    most = limit * (1 + time.monotonic() - began) + 2
    expect(number <= most, f"{number} readings were taken of a thing, not {most:.0f} at most")
    house.drain()
    expect(ended, f"no connection was ended, and {number} readings were taken")
    expect("thing0" in house.log("mosquitto") and "it exceeds messages_per_second" in house.log("mosquitto"), "the broker's log does not tell")
    rows = len(house.rows("thing0"))
    expect(rows == number and len(house.rows("thing1")) == len(backlog), f"{number} were acknowledged, {rows} are stored")
    house.down()
    return f"{number} readings, {ended} connections ended"


def heavy(houses):
    """Flood: large payloads within the message rate are limited in bytes; a single one of the largest size passes."""
    weight, seconds, size = 65536, 3, 120000
    house = House(houses, things=2, limit=200, weight=weight)
    house.up()
    flood, number, ended = house.publisher("thing0"), 0, 0
    payload = lambda: flood.payload(number)[:-1] + b',"note":"' + b"x" * size + b'"}'
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        thing = house.thing("thing0").connect("thing0")
        while time.monotonic() - began < seconds and thing.publish(f"{TYPE}/thing0", payload()):
            number += 1
        ended += thing.socket is None
    most = (131072 + weight * (time.monotonic() - began)) / size + 1
    expect(0 < number <= most, f"{number} payloads of {size} bytes were taken, not {most:.0f} at most")
    expect(ended and "it exceeds bytes_per_second" in house.log("mosquitto"), "the broker's log does not tell")
    other = house.thing("thing1").connect("thing1")
    expect(all(other.publish(f"{TYPE}/thing1", house.publisher("thing1").payload(n)) for n in range(133)), "a board's backlog is refused")
    house.drain()
    expect(len(house.rows("thing0")) == number, f"{number} were acknowledged, {len(house.rows('thing0'))} are stored")
    house.down()
    return f"{number} payloads of {size} bytes in {seconds} s, {ended} connections ended"


run_tests([connections, flood, limited, heavy])
