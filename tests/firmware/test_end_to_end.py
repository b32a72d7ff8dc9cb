#!/usr/bin/env python3
"""A package of each type, as it was created, on MicroPython, over mutual TLS, to mosquitto."""

import json
import re
import socket
import ssl
import subprocess
import sys
import threading
import time

from bench import (CLEAN_UP, DEEP_SLEEP, ENVIRONMENT, MICROPYTHON, PROGRAM, TIME_IS_OVER, Board, Broker, Project, ended, free_port, main, note,
                   run, same, test, until)

PROJECT = Project()
THINGS = {kind: PROJECT.create(f"{kind}-1", kind) for kind in PROJECT.types()}
BROKER = Broker(PROJECT)
BROKER.start()
MODELS = {kind: PROJECT.model(kind) for kind in THINGS}
# One type for each platform, the one that sleeps deepest.
PLATFORMS = {MODELS[kind]["platform"]: kind for kind in sorted(THINGS, key=lambda k: ["none", "light", "deep"].index(MODELS[k]["sleep"]))}
SLACK_MS = 2000


def first_readings(kind, **world):
    """A board that was switched on, what it published in its first two intervals, and its first run."""
    board = Board(PROJECT, THINGS[kind], kind, **world)
    seen = len(BROKER.received(board.topic))
    cycles = board.live(board.model["publish_every_seconds"] * 1.5)
    for cycle in cycles:
        ended(cycle, DEEP_SLEEP, TIME_IS_OVER)
    return board, BROKER.wait_for(board.topic, seen + 2)[seen:], cycles[0]


def check_reading(board, reading, at_ms):
    """All measures with their types, the attributes, the time at which it was read; nothing else."""
    kind = board.model
    same({m["name"] for m in kind["measures"]} | {a["name"] for a in kind["attributes"]} | {"time"}, set(reading), "the names of a payload")
    for measure in kind["measures"]:
        value = reading[measure["name"]]
        wanted = {"double": float, "bigint": int, "boolean": bool, "varchar": str}[measure["type"]]
        assert type(value) is wanted, f"{measure['name']} is {value!r}"
    for attribute in kind["attributes"]:
        same(attribute["default"], reading[attribute["name"]])
    assert abs(reading["time"] - at_ms) < SLACK_MS, f"read at {at_ms}, and the payload says {reading['time']}"


def check_type(kind):
    board, readings, first = first_readings(kind)
    measured = board.measured()
    for reading in readings:
        drivers = {m["driver"]["name"] for m in board.model["measures"] if m.get("driver")}
        if drivers == {"pulse"} or not drivers:  # counted, or read by the type's own code: no moment that the simulator knows
            check_reading(board, reading, reading["time"])
            continue
        at, values = min(measured, key=lambda m: abs(m[0] - reading["time"]))
        check_reading(board, reading, at)
        for measure in board.model["measures"]:  # the sensor's own numbers, to the sensor's own precision
            assert abs(values[measure["driver"]["quantity"]] - reading[measure["name"]]) <= 0.1, f"measured {values}, published {reading}"
    if drivers == {"pulse"}:  # what the meter shows is what was published so far
        pulses = [r["litres"] for r in readings]
        assert sum(pulses) == readings[-1]["total"] and pulses[-1] > 0, readings
    assert abs(readings[1]["time"] - readings[0]["time"] - board.model["publish_every_seconds"] * 1000) < SLACK_MS, readings
    log = BROKER.log() + BROKER.log(PROJECT.old_port)
    assert re.search(rf"New client connected from \S+ as {kind}-1 \(.*u'{kind}-1'\)", log), "the certificate's name is the client's"
    note(f"{kind} ({board.model['platform']}): {json.dumps(readings[0])}")
    if first.code == DEEP_SLEEP:
        note(f"{kind}: from reset to deep sleep {first.seconds:.2f} s of ours, {first.state['took_ms'] / 1000:.2f} s of the board's with its sensor's own time"
             " (the seed: 20 s of fixed sleeps)")
        assert first.seconds < 1, f"{first.seconds} s"


for each in THINGS:
    def one(kind=each):
        check_type(kind)
    one.__name__ = f"{each}: its package publishes what it measures, as itself, with the time"
    test(one)


@test
def every_umqtt():
    """umqtt takes TLS in three ways, and each works"""
    for version in ("1.22", "1.24", "1.25"):
        for kind in PLATFORMS.values():
            first_readings(kind, micropython=version)


@test
def keys_are_what_the_boards_libraries_load():
    """Keys have the form that each board's TLS library loads"""
    for kind, package in THINGS.items():
        platform = MODELS[kind]["platform"]
        text = run("openssl", "asn1parse", "-inform", "DER", "-in", package / "key.der").stdout.decode()
        numbers = [line for line in text.splitlines() if "d=1" in line]
        if platform == "esp8266":  # RFC 8017 A.1.2: version, n, e, d, p, q and three more; nothing else
            same(["INTEGER"] * 9, [re.search(r"prim: (\w+)", line).group(1) for line in numbers], text)
            run("openssl", "rsa", "-inform", "DER", "-in", package / "key.der", "-check", "-noout")
        else:  # RFC 5915: version, private key, parameters, public key
            assert "prim: INTEGER           :01" in numbers[0] and "OCTET STRING" in numbers[1], text
            assert "prime256v1" in text, text
            run("openssl", "ec", "-inform", "DER", "-in", package / "key.der", "-noout", "-check")
        public = run("openssl", "pkey", "-inform", "DER", "-in", package / "key.der", "-pubout").stdout
        certified = run("openssl", "x509", "-inform", "DER", "-in", package / "cert.der", "-noout", "-pubkey").stdout
        same(public, certified, "key and certificate belong together")


@test
def the_broker_takes_the_ciphers_of_an_esp8266():
    """A broker as it comes takes the ESP8266's ciphers, its key and its certificate"""
    package = THINGS[PLATFORMS["esp8266"]]
    for cipher in ("AES128-SHA", "AES256-SHA", "AES128-SHA256", "AES256-SHA256"):
        for port in (PROJECT.port, PROJECT.old_port):
            words = ["-cert", package / "cert.der", "-certform", "DER", "-key", package / "key.der", "-keyform", "DER",
                     "-CAfile", PROJECT.authority / "ca.pem", "-verify_return_error"]
            ran = run("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2", "-cipher", cipher, *words, input=b"").stdout.decode()
            assert f"Cipher is {cipher}" in ran and "Verify return code: 0" in ran, ran


@test
def the_servers_name_is_sent():
    """The server's name is in the handshake, and the server sees the thing's certificate"""
    for platform, kind in PLATFORMS.items():
        for version in ("1.22", "1.24", "1.25"):
            names, port = [], free_port()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(BROKER.folder / "server.pem", BROKER.folder / "server.key")
            context.load_verify_locations(PROJECT.authority / "ca.pem")
            context.verify_mode, context.maximum_version = ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_2 if platform == "esp8266" else ssl.TLSVersion.TLSv1_3
            context.set_ciphers("DEFAULT:kRSA")
            context.sni_callback = lambda _, name, __: names.append(name)  # noqa: B023
            board = Board(PROJECT, THINGS[kind], kind, ports={str(PROJECT.port): port}, micropython=version)
            server = threading.Thread(target=serve_once, args=(port, context, names), daemon=True)
            server.start()
            board.live(20)
            server.join(10)
            same(["iot.local", f"{kind}-1"], names[:2], f"{platform}, MicroPython {version}")


def serve_once(port, context, names):
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(10)
        with context.wrap_socket(server.accept()[0], server_side=True) as connection:
            subject = dict(pair[0] for pair in connection.getpeercert()["subject"])
            names.append(subject["commonName"])


@test
def an_esp8266_hurries_in_its_handshake():
    """An ESP8266's handshake is at 160 MHz, all else at 80, also where the handshake fails"""
    for faults in ({}, {"hang": "handshake"}):
        board = Board(PROJECT, THINGS[PLATFORMS["esp8266"]], PLATFORMS["esp8266"], network_speed=400)
        board.live(60, **faults)
        same((160000000, 80000000), (board.state()["handshake_hertz"], board.state()["hertz"]), faults)


@test
def a_server_of_another_authority_gets_nothing():
    """A server with a certificate of another authority gets nothing from a board that verifies"""
    other = Project()
    other.create("any", "esp32air")
    foreign = Broker(other)
    foreign.start()
    for kind in (k for p, k in PLATFORMS.items() if p != "esp8266"):
        board = Board(PROJECT, THINGS[kind], kind, ports={str(PROJECT.port): other.port})
        cycles = board.live(20)
        assert any("failed" in c.said or "SSL" in c.said or "cert" in c.said.lower() for c in cycles), cycles[0]
    assert "PUBLISH" not in foreign.log(), foreign.log()
    foreign.stop()


@test
def the_policy_keeps_others_out():
    """With a thing's key one can publish to its own topic and to no other"""
    for kind, package in THINGS.items():
        key, certificate = BROKER.folder / "thing.key", BROKER.folder / "thing.pem"
        key.write_bytes(run("openssl", "pkey", "-inform", "DER", "-in", package / "key.der").stdout)
        certificate.write_bytes(run("openssl", "x509", "-inform", "DER", "-in", package / "cert.der").stdout)
        words = ["-h", "127.0.0.1", "-p", str(PROJECT.port), "--cafile", PROJECT.authority / "ca.pem", "--cert", certificate, "--key", key,
                 "-i", f"{kind}-1", "-q", "1", "-m", '{"probe":1}', "-V", "mqttv5"]
        assert b"Not authorized" in (run("mosquitto_pub", *words, "-t", f"{kind}/another", check=False).stderr), kind
        run("mosquitto_pub", *words, "-t", f"{kind}/{kind}-1")


@test
def commands_reach_the_actuator():
    """A command reaches code/actuator.py, and the new state is published at once"""
    kind = next(k for k in THINGS if MODELS[k]["commands"])
    board = Board(PROJECT, THINGS[kind], kind)
    before = len(BROKER.received(board.topic))
    process = board.switch_on(600)
    BROKER.wait_for(board.topic, before + 1)
    until(lambda: f"SUBSCRIBE from {kind}-1" in BROKER.log(PROJECT.old_port), "it listens")
    BROKER.publish(f"{board.topic}/command", '{"state": {"enabled": true}}')
    began = time.monotonic()
    until(lambda: any(r["enabled"] for r in BROKER.received(board.topic)[before:]), "it says that it runs", lambda: str(BROKER.received(board.topic)[before:]))
    note(f"{kind}: published {time.monotonic() - began:.2f} s after the command")
    BROKER.publish(f"{board.topic}/command", "this is no JSON")
    BROKER.publish(f"{board.topic}/command", '{"state": {"enabled": false}}')
    until(lambda: BROKER.received(board.topic)[-1]["enabled"] is False, "it says that it stopped")
    process.kill()
    said = process.communicate()[0].decode()
    assert "pin 5 is high" in said and "pin 5 is low" in said, said


def can_run():
    """An interpreter without ffi ends by a signal, which these tests know and `run` does not."""
    return run(MICROPYTHON, "-c", "import ffi", check=False).returncode == 0


@test
def run_shows_a_thing_at_work():
    """`sensorforge run` runs a package against the broker, and ends when it was told to"""
    if not can_run():
        return
    for platform, kind in PLATFORMS.items():
        name = f"run-{platform}"
        package = PROJECT.create(name, kind)
        before = {p.name: p.read_bytes() for p in package.rglob("*") if p.is_file()}
        ran = run(PROGRAM, "-C", PROJECT.folder, "run", name, "--fast", "--cycles", "2")
        readings = BROKER.wait_for(f"{kind}/{name}", 2)
        same(2, len(readings), ran.stdout.decode() + ran.stderr.decode())
        assert b"2 readings: 2 valid, 0 invalid, 0 not sent" in ran.stderr, ran.stderr
        every = MODELS[kind]["publish_every_seconds"] * 1000
        assert abs(readings[1]["time"] - readings[0]["time"] - every) < SLACK_MS, readings
        assert time.time() * 1000 - 4 * every < readings[0]["time"] < readings[1]["time"] < time.time() * 1000, readings
        same(2, ran.stdout.count(b"  stored, valid\n"), ran.stdout)
        same(before, {p.name: p.read_bytes() for p in package.rglob("*") if p.is_file()}, "the package is as it was")


@test
def run_ends_cleanly():
    """`sensorforge run` ends at Ctrl-C with exit code 0, and leaves nothing behind"""
    if not can_run():
        return
    for number in (2, 15):  # SIGINT as from a terminal, to the whole group; SIGTERM to the program alone
        folder = PROJECT.root / f"tmp{number}"
        folder.mkdir()
        process = subprocess.Popen([PROGRAM, "-C", str(PROJECT.folder), "run", f"{PLATFORMS['esp8266']}-1"], env=ENVIRONMENT | {"TMPDIR": str(folder)},
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        CLEAN_UP.callback(process.kill)
        until(lambda: list(folder.glob("*/state.json")), "it has slept once")
        (run("kill", "-s", str(number), "--", f"-{process.pid}" if number == 2 else str(process.pid)))
        said = process.communicate(timeout=10)
        same(0, process.returncode, said)
        same([], list(folder.iterdir()))
        assert b"reading" in said[1], said


@test
def run_says_what_is_wrong():
    for code, text, words in ((1, "there is no thing", ["nobody"]), (2, "takes a number", ["x", "--cycles", "none"]),
                              (2, "takes a number", ["x", "--seconds", "0"])):
        ran = PROJECT.sensorforge("run", *words, check=False)
        same(code, ran.returncode, ran.stderr)
        assert text in ran.stderr.decode(), ran.stderr


if __name__ == "__main__":
    sys.exit(main())
