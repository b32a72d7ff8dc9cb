#!/usr/bin/env python3
"""Who may come in, and publish what: things with the right and the wrong certificate, id and topic."""

import subprocess
import threading
import time

import mqtt
from house import TYPE, House, expect, run_tests


def openssl(folder, *words):
    subprocess.run(["openssl", *map(str, words)], cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)


def foreign_pair(house):
    """A certificate that says all the right things, signed by another authority that calls itself as ours does."""
    folder = house.folder / "foreign"
    folder.mkdir()
    subject = subprocess.run(["openssl", "x509", "-in", house.authority, "-noout", "-subject", "-nameopt", "compat"],
                             check=True, capture_output=True, text=True).stdout.strip().removeprefix("subject=").strip()
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
            "-out", "ca.pem", "-days", "2", "-subj", subject)
    return signed_pair(folder, folder / "ca.pem", folder / "ca.key", "thing0", days=2)


def signed_pair(folder, authority, key, name, days, unit=TYPE):
    """A pair of a key and a certificate by an authority; days below 0: it has expired."""
    stem = f"{name}-{unit}{days}".replace("/", "_")
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{stem}.key", "-out",
            f"{stem}.csr", "-subj", f"/OU={unit}/CN={name}")
    openssl(folder, "x509", "-req", "-in", f"{stem}.csr", "-CA", authority, "-CAkey", key, "-set_serial", str(time.time_ns()), "-out",
            f"{stem}.pem", "-days", days)
    return folder / f"{stem}.pem", folder / f"{stem}.key"


def refused(house, name, pair=None, client_id=None):
    try:
        house.thing(name, pair).connect(name if client_id is None else client_id).disconnect()
    except mqtt.Refused:
        return True
    return False


def good_and_bad(houses):
    """Rights: only a thing with its own certificate comes in, under its own name, to its own topic."""
    house = House(houses, things=3)
    house.up()
    probe = house.publisher("thing0")
    good = house.thing("thing0").connect("thing0")
    expect(good.publish(f"{TYPE}/thing0", probe.payload(0)), "a thing cannot publish to its own topic")
    good.disconnect()
    expect(refused(house, "thing0", pair=(None, None)), "a client without a certificate comes in")
    expect(refused(house, "thing0", client_id="thing1"), "a thing connects with another's client id")
    for strange in ("", "thing0 ", "Thing0", "thing0/x", "+", "#", "sensorhub", "thing0\0"):
        expect(refused(house, "thing0", client_id=strange), f"a thing connects as {strange!r}")
    expect(refused(house, "thing0", pair=foreign_pair(house)), "a certificate of another authority is let in")
    folder = house.folder / "made"
    folder.mkdir()
    own = (house.authority, house.authority.with_name("ca.key"))
    expect(refused(house, "thing0", signed_pair(folder, *own, "thing0", -1)), "an expired certificate is let in")
    expect(refused(house, "thing0", signed_pair(folder, *own, "thing0", 2, unit="nosuchtype")), "a type that is not there is let in")
    expect(refused(house, "thing0", signed_pair(folder, *own, "thing0", 2, unit="../esp32air")), "a path for a type is let in")
    expect(refused(house, "thing0", signed_pair(folder, *own, "thing0", 2)), "a certificate that no record has is let in")
    expect(refused(house, "sensorhub", signed_pair(folder, *own, "sensorhub", 2, unit="sensorforge-service"), "x"), "a second sensorhub is let in")
    expect(refused(house, "other", signed_pair(folder, *own, "other", 2, unit="sensorforge-service"), "x"), "an unknown service is let in")
    expect("not the one in the record" in house.log("mosquitto"), "the broker's log does not tell why")

    topics = [f"{TYPE}/thing1", f"{TYPE}/thing0/x", f"{TYPE}", f"{TYPE}/", "esp8266temp/thing0", f"x/{TYPE}/thing0", f"{TYPE}/Thing0",
              "aircon/thing0/command", f"/{TYPE}/thing0", f"{TYPE}/thing0/", "$aws/things/thing0/shadow/update", "a" * 300]
    for topic in topics:
        thing = house.thing("thing0").connect("thing0")
        expect(not thing.publish(topic, probe.payload(1)), f"a publish to {topic[:40]} is acknowledged")
        expect(thing.socket is None, f"a publish to {topic[:40]} does not end the connection")
    # mosquitto denies these before it asks the plugin, with an acknowledgement: docs/local.md, "Limits".
    for topic in ("$SYS/broker", "$share/group/x", f"$share/group/{TYPE}/thing0"):
        house.thing("thing0").connect("thing0").publish(topic, probe.payload(1))
    thing = house.thing("thing0").connect("thing0")
    expect(not thing.publish(f"{TYPE}/thing0", probe.payload(2), retain=True), "a retained reading is acknowledged")
    for pattern in ("#", "+/+", f"{TYPE}/#", f"{TYPE}/thing0", f"{TYPE}/thing1", "$SYS/#", "$share/group/#", "aircon/thing0/command"):
        thing = house.thing("thing0").connect("thing0")
        try:
            granted = thing.subscribe(pattern)
        except (OSError, mqtt.Refused):
            granted = 128
        expect(granted == 128, f"a subscription to {pattern} is granted")
        expect(thing.socket is None or thing.ended(2), f"a denied subscription to {pattern} does not end the connection")
    thing = house.thing("thing0").connect("thing0")
    before = len(house.log("mosquitto"))
    filters = b"".join(mqtt.string(f"not/mine/{n}") + b"\1" for n in range(5000))
    thing.send(mqtt.packet(0x82, b"\0\1" + filters))
    expect(thing.ended(5), "a packet of denied filters does not end the connection")
    expect(len(house.log("mosquitto")) - before < 2000, "a packet of denied filters fills the log")
    thing = house.thing("thing0").connect("thing0")
    thing.disconnect()
    house.drain()
    expect(house.rows("thing0") == dict([probe.reading(0)]), f"what is stored of thing0 is {house.rows('thing0')}")
    stored = house.query(f'SELECT count(*) FROM "{TYPE}"')
    expect(stored == [(1,)] and not house.invalid(), f"more was stored than one reading: {stored}, {house.invalid()}")
    house.down()


def takeover(houses):
    """Rights: who takes another's client id does not put that other out."""
    house = House(houses, things=2)
    house.up()
    victim = house.thing("thing0").connect("thing0")
    for _ in range(20):
        expect(refused(house, "thing1", client_id="thing0"), "a thing connects with another's client id")
    expect(victim.alive(), "a thing is put out by one that may not have its client id")
    again = house.thing("thing0").connect("thing0")
    expect(victim.ended(5), "the same thing, connected again, leaves its old connection")
    expect(again.alive(), "the new connection of a thing does not live")
    house.down()


def will(houses):
    """Rights: a last will to another's topic is not delivered, one to its own is a reading; a command is, to its own thing only."""
    house = House(houses, things=2)
    house.create("AC-1", "AC-2", kind="aircon")
    house.up()
    first, second = house.thing("AC-1").connect("AC-1"), house.thing("AC-2").connect("AC-2")
    expect(first.subscribe("aircon/AC-1/command") == 1 and second.subscribe("aircon/AC-2/command") == 1, "no subscription to its own command")
    try:
        house.thing("thing0").connect("thing0", will=("aircon/AC-1/command", '{"state":{"enabled":true}}')).close()
    except mqtt.Refused:
        pass
    probe = house.publisher("thing1")
    house.thing("thing1").connect("thing1", will=(f"{TYPE}/thing1", probe.payload(0).decode())).close()
    hub = mqtt.Thing(house.port, house.authority, house.folder / "iot_system_infra/local/hub/cert.pem",
                     house.folder / "iot_system_infra/local/hub/key.pem").connect("test-of-commands")
    time.sleep(0.3)
    expect(hub.publish("aircon/AC-1/command", b'{"state":{"enabled":false}}'), "the system's own client cannot publish a command")
    expect(first.message(5) == ("aircon/AC-1/command", b'{"state":{"enabled":false}}'), "a command does not arrive, or a will did")
    expect(second.message(0.3) is None, "another's command arrives")
    hub.disconnect()
    house.drain()
    stored = house.query('SELECT count(*) FROM "aircon"')
    expect(stored in ([], [(0,)]), "a command was stored as a reading")
    expect(house.rows("thing1") == dict([probe.reading(0)]), f"a last will to its own topic is stored as {house.rows('thing1')}")
    house.down()


def old_will(houses):
    """Rights: the last will of a connection whose end was not noticed is stored when its thing connects again, with either protocol and kind of session."""
    house = House(houses, things=1)
    house.up()
    probe, number, before = house.publisher("thing0"), 0, None
    for version in (4, 5):
        for clean in (True, False):
            for again in (True, False):
                will = (f"{TYPE}/thing0", probe.payload(number).decode())
                old = house.thing("thing0").connect("thing0", clean=clean, will=will, version=version)
                new = house.thing("thing0").connect("thing0", clean=again, version=version)
                expect(old.ended(5), "the old connection is still there")
                expect(new.alive(), "the new connection was put out with the old one")
                new.disconnect()
                number += 1
    # One that says goodbye leaves no will, and the session and what waits in it stay.
    house.thing("thing0").connect("thing0", will=(f"{TYPE}/thing0", probe.payload(number).decode())).disconnect()
    house.drain()
    expected = dict(probe.reading(n) for n in range(number))
    expect(house.rows("thing0") == expected, f"of {number} wills these are missing: {set(expected) - set(house.rows('thing0'))}")
    house.create("AC-1", kind="aircon")
    hub = mqtt.Thing(house.port, house.authority, house.folder / "iot_system_infra/local/hub/cert.pem",
                     house.folder / "iot_system_infra/local/hub/key.pem")
    first = house.thing("AC-1").connect("AC-1", clean=False)
    expect(first.subscribe("aircon/AC-1/command") == 1, "no subscription to its own command")
    second = house.thing("AC-1").connect("AC-1", clean=False)
    expect(first.ended(5), "the old connection is still there")
    hub.connect("test-of-commands").publish("aircon/AC-1/command", b"{}")
    expect(second.message(5) == ("aircon/AC-1/command", b"{}"), "the session was lost with its old connection")
    house.down()


class Storm:
    """One thing that connects, and goes, and connects: each time the broker looks at the files."""

    def __init__(self, house, name):
        self.house, self.name, self.stop = house, name, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stop.is_set():
            self.house.thing(self.name).connect(self.name).disconnect()

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def out_at_once(houses):
    """Rights: a thing that is rotated or deleted is out within a second, connected or not, whoever connects; the others stay."""
    house = House(houses, things=4)
    house.up()
    old = house.folder / "old"
    old.mkdir()
    for name in ("thing0", "thing1"):
        for path in house.certificate(name):
            (old / f"{name}-{path.name}").write_bytes(path.read_bytes())
    kept = {name: (old / f"{name}-cert.pem", old / f"{name}-key.pem") for name in ("thing0", "thing1")}
    rotated, deleted, other = (house.thing(name).connect(name) for name in ("thing0", "thing1", "thing2"))
    house.run("rotate", "thing0")
    expect(rotated.ended(1), "a thing that was rotated stays connected with its old certificate")
    expect(refused(house, "thing0", kept["thing0"]), "an old certificate is let in after rotating")
    renewed = house.thing("thing0").connect("thing0")
    expect(renewed.publish(f"{TYPE}/thing0", house.publisher("thing0").payload(1)), "the new certificate cannot publish")
    with Storm(house, "thing3"):
        house.run("delete", "thing1")
        expect(deleted.ended(1), "a deleted thing stays connected")
    expect(refused(house, "thing1", kept["thing1"]), "a deleted thing is let in")
    expect(other.alive() and renewed.alive(), "others were put out with it")
    house.down()
    house.up()
    expect(refused(house, "thing0", kept["thing0"]) and refused(house, "thing1", kept["thing1"]), "a start forgets who was revoked")
    house.down()


def lost_list(houses):
    """Rights: a list of revocations that is lost, emptied or older lets nobody in again, and no new one is begun without a word."""
    house = House(houses, things=4)
    house.up()
    kept = house.folder / "kept"
    kept.mkdir()
    pairs = {}
    for name in ("thing0", "thing1", "thing2"):
        pairs[name] = tuple(kept / f"{name}-{path.name}" for path in house.certificate(name))
        for path, copy in zip(house.certificate(name), pairs[name]):
            copy.write_bytes(path.read_bytes())
    crl = house.authority.with_name("crl.pem")
    house.run("delete", "thing0")
    older = crl.read_bytes()
    house.run("rotate", "thing1")
    newest = crl.read_bytes()

    def all_out(when):
        for name in ("thing0", "thing1"):
            expect(refused(house, name, pairs[name]), f"{name}'s old certificate is let in: {when}")
        expect(not refused(house, "thing3"), f"a thing that is there is not let in: {when}")
    crl.write_bytes(older)
    all_out("the list is older")
    for damage in (crl.unlink, lambda: crl.write_bytes(b"")):
        damage()
        expect("doctor --clean" in house.run("delete", "thing2", fails=True), "a new list is begun without a word")
        expect("doctor --clean" in house.run("rotate", "thing3", fails=True), "a new list is begun without a word")
        all_out("the list is lost")
        time.sleep(0.5)
        expect(refused(house, "thing2"), "a thing that is being deleted is let in")
    expect("crl.pem" in house.run("doctor", code=3), "doctor is satisfied without a list")
    expect("with 3 certificates" in house.run("doctor", "--clean", errors=True), "the list that is made anew forgets some")
    for name in ("thing2", "thing3"):
        house.run({"thing2": "delete", "thing3": "rotate"}[name], name)
    expect(crl.read_bytes() not in (older, newest), "the list was not made anew")
    all_out("the list was made anew")
    # The list alone does it, too, and an older one is made whole by the next command.
    crl.write_bytes(older)
    house.run("rotate", "thing3")
    listed = subprocess.run(["openssl", "crl", "-in", crl, "-noout", "-text"], check=True, capture_output=True, text=True).stdout
    expect(listed.count("Serial Number:") == 5, f"an older list forgets what was revoked later:\n{listed}")
    house.down()


def put_out_by_record(houses):
    """Rights: a thing whose record is gone or half-deleted is put out though the list does not know it."""
    house = House(houses, things=3)
    house.up()
    first, second, third = (house.thing(name).connect(name) for name in ("thing0", "thing1", "thing2"))
    record = house.folder / "certificates/thing1/thing.json"
    record.write_text(record.read_text().replace('"active"', '"deleting"'))
    expect(second.ended(2), "a thing that is being deleted stays connected")
    (house.folder / "certificates/thing0").rename(house.folder / "elsewhere")
    expect(first.ended(2), "a thing without a record stays connected")
    expect(third.alive(), "another is put out with them")
    (house.folder / "elsewhere").rename(house.folder / "certificates/thing0")
    expect(not refused(house, "thing0"), "a thing whose record is back is not let in")
    house.down()


def departed(houses):
    """Rights: what waited for a deleted thing (session, commands, retained messages) does not reach a new thing of its name."""
    house = House(houses, things=0)
    house.create("AC-1", "AC-2", kind="aircon")
    house.up()
    old, new = b'{"state":{"enabled":true}}', b'{"state":{"enabled":false}}'

    def command(topic, payload, **how):
        hub = mqtt.Thing(house.port, house.authority, house.folder / "iot_system_infra/local/hub/cert.pem",
                         house.folder / "iot_system_infra/local/hub/key.pem").connect("test-of-commands")
        expect(hub.publish(topic, payload, **how), "the system's own client cannot publish a command")
        hub.disconnect()

    def connect(name):
        return house.thing(name).connect(name, clean=False)

    for name, running in (("AC-1", True), ("AC-2", False)):
        topic = f"aircon/{name}/command"
        thing = connect(name)
        expect(thing.subscribe(topic) == 1, "no subscription to its own command")
        thing.disconnect()
        command(topic, old)
        command(topic, old, retain=True)
        if not running:
            house.down()
        house.run("delete", name)
        house.create(name, kind="aircon")
        if not running:
            house.up()
        thing = connect(name)
        expect(thing.subscribe(topic) == 1, "no subscription to its own command")
        expect(thing.message(1) is None, "a new thing gets the command of a deleted one")
        command(topic, new)
        expect(thing.message(5) == (topic, new), "a new thing does not get its own command")
        thing.disconnect()
    house.down()
    expect(not list((house.folder / "iot_system_infra/local/departed").iterdir()), "a note stays after the sessions were saved")
    house.up()
    expect(connect("AC-2").message(5) == ("aircon/AC-2/command", new), "what waits for the new thing is lost by a start")
    house.down()


run_tests([good_and_bad, takeover, will, old_will, out_at_once, lost_list, put_out_by_record, departed])
