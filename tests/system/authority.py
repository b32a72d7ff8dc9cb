#!/usr/bin/env python3
"""The authority is renewed under a running system: boards with the old package and boards with the new one connect, before and
after each step, and after a kill in each. The openssl command judges who signed what."""

import json
import os
import signal
import ssl
import subprocess
import threading

import mqtt
from house import PROGRAM, TYPE, WIFI, House, expect, run_tests


def openssl(*words):
    """Whether it is content, and what it says."""
    ran = subprocess.run(["openssl", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return ran.returncode == 0, ran.stdout + ran.stderr


class Renewal:
    """A house with three things, and what its boards have: certificate, key, and whom they trust."""

    def __init__(self, houses, things=3):
        self.house = House(houses, things=things)
        self.folder = self.house.folder / "boards"
        self.folder.mkdir()
        self.old = self.folder / "old-authority.pem"
        self.old.write_bytes(self.house.authority.read_bytes())
        self.boards = {}
        self.numbers = iter(range(1000))
        for name in self.house.names:
            self.flash(name)

    def flash(self, name):
        """The board gets the package that there is now."""
        package = self.house.folder / f"sensortypes/{TYPE}/sensors/{name}"
        made = self.folder / f"{name}-{next(self.numbers)}"
        made.mkdir()
        for what in ("cert", "key"):
            kind = ("x509",) if what == "cert" else ("pkey",)
            content, said = openssl(*kind, "-inform", "DER", "-in", package / f"{what}.der", "-out", made / f"{what}.pem")
            expect(content, said)
        authorities, trusted = (package / "ca.der").read_bytes(), []
        while authorities:  # as link.py reads them
            length = 4 + (authorities[2] << 8 | authorities[3])
            trusted.append(ssl.DER_cert_to_PEM_cert(authorities[:length]))
            authorities = authorities[length:]
        (made / "trusted.pem").write_text("".join(trusted))
        self.boards[name] = made
        return len(trusted)

    def board(self, name):
        made = self.boards[name]
        return mqtt.Thing(self.house.port, made / "trusted.pem", made / "cert.pem", made / "key.pem")

    def all_connect(self, when):
        """Each board connects with the package that it has, and verifies the broker by it; a reading is taken of each."""
        for name in self.boards:
            try:
                thing = self.board(name).connect(name)
            except mqtt.Refused as why:
                expect(False, f"{name} is not let in, or does not accept the broker, {when}: {why}")
            number = next(self.numbers)
            expect(thing.publish(f"{TYPE}/{name}", self.house.publisher(name).payload(number)), f"{name} cannot publish {when}")
            thing.disconnect()

    def new(self):
        """The authority that signs now, alone."""
        path = self.folder / "new-authority.pem"
        expect(*openssl("x509", "-in", self.house.authority, "-out", path))
        return path

    def broker_verifies(self, authority):
        content, said = openssl("s_client", "-connect", f"127.0.0.1:{self.house.port}", "-CAfile", authority, "-verify_return_error", "-brief")
        return content or "certificate required" in said or "Verification: OK" in said

    def signed(self, name, authority):
        return openssl("verify", "-CAfile", authority, "-purpose", "sslclient", self.house.certificate(name)[0])[0]

    def revoked(self):
        content, said = openssl("crl", "-in", self.house.authority.with_name("crl.pem"), "-CAfile", self.new(), "-noout", "-text")
        expect(content and "verify OK" in said, f"the revocation list is not signed by the authority: {said}")
        return said.count("Serial Number:")

    def whole(self, when):
        """Key and certificate of the authority belong together, and it signed what it should."""
        folder = self.house.authority.parent
        keys = [openssl("pkey", "-in", folder / "ca.key", "-pubout")[1], openssl("x509", "-in", folder / "ca.pem", "-pubkey", "-noout")[1]]
        expect(keys[0] == keys[1] and "BEGIN PUBLIC KEY" in keys[0], f"key and certificate of the authority do not belong together {when}")
        for name in self.house.names:
            expect(self.signed(name, self.house.authority), f"the certificate of {name} is not trusted {when}")
        expect(self.revoked() is not None, "")
        self.house.run("list")


def renewal(houses):
    """Authority: renewed step by step under a running system, no board is locked out, and in the end the old one counts for nothing."""
    it = Renewal(houses)
    house, authority = it.house, it.house.authority
    house.up()
    it.all_connect("before")
    before = authority.read_bytes()
    expect("valid until" in house.run("renew", fails=True) and authority.read_bytes() == before, "a young authority is renewed without a word")
    expect("until" in house.run("renew", "--finish") and authority.read_bytes() == before, "a renewal is finished that was not begun")
    connected = it.board("thing0").connect("thing0")
    expect("thing2" in house.run("renew", "--yes"), "what is left is not said")
    expect(connected.ended(5), "the broker was not started again: it trusts the old one only")
    expect(authority.read_text().count("BEGIN CERTIFICATE") == 2, "not both are trusted")
    it.all_connect("with the old packages, after the first step")
    expect(it.broker_verifies(it.old) and not it.broker_verifies(it.new()), "the broker's certificate is another one already")
    house.create("thing3")
    expect(it.signed("thing3", it.new()) and not it.signed("thing3", it.old), "the old authority still signs")
    expect(it.flash("thing3") == 2, "a new package does not carry both")
    house.run("package", "thing2")
    expect(it.flash("thing2") == 2, "a package that is made again does not carry both")
    it.all_connect("with packages of both kinds")
    left = json.loads(house.run("renew", "--json"))
    expect(left["under_way"] and not left["done"] and left["left"] == ["thing0", "thing1", "thing2"], f"the answer is {left}")
    expect("is renewed: 3 things" in house.run("doctor"), "doctor does not tell")
    two = authority.read_bytes()
    expect("3 things still have certificates of the old authority: thing0, thing1, thing2" in house.run("renew", "--finish", fails=True)
           and authority.read_bytes() == two, "it is finished though boards would be locked out")
    kept = it.boards["thing0"]
    for name in ("thing0", "thing2"):
        house.run("rotate", name)
        it.flash(name)
        it.all_connect(f"after {name} was rotated") if name == "thing2" else None
    retired = it.boards.pop("thing1")
    house.run("delete", "thing1")
    house.names.remove("thing1")
    expect(it.revoked() == 3, "certificates of the old authority cannot be revoked any more")
    expect("no thing needs the old one" in house.run("renew"), "it is not said that it can be finished")
    house.run("renew", "--finish")
    expect(authority.read_text().count("BEGIN CERTIFICATE") == 1 and not (authority.parent / "former").exists(), "the old one is still trusted")
    expect(it.broker_verifies(it.new()) and not it.broker_verifies(it.old), "the broker still has a certificate of the old one")
    it.all_connect("with packages that have both, after the second step")
    for board, name in ((kept, "thing0"), (retired, "thing1")):
        try:
            mqtt.Thing(house.port, authority, board / "cert.pem", board / "key.pem").connect(name)
            expect(False, f"a certificate of the old authority is let in: {name}")
        except mqtt.Refused:
            pass
    house.run("package", "thing0")
    expect(it.flash("thing0") == 1, "a package still carries the old one")
    it.all_connect("afterwards")
    expect(it.revoked() == 3, "revocations were lost")
    expect("there, and whole, until" in house.run("doctor"), "doctor is not content")
    hub = mqtt.Thing(house.port, authority, house.folder / "iot_system_infra/local/hub/cert.pem", house.folder / "iot_system_infra/local/hub/key.pem")
    expect(hub.connect("test-of-commands").publish("aircon/AC-1/command", b"{}"), "the system's own client is not let in")
    house.drain()
    house.down()


def killed(houses):
    """Authority: a renewal that is killed at any step leaves a whole authority; the same command goes on, and nothing is lost."""
    it = Renewal(houses)
    house = it.house
    house.up()
    house.run("delete", "thing2")
    house.names.remove("thing2")
    del it.boards["thing2"]
    it.all_connect("before")
    house.down()
    kills = 0

    def kill_at(*words):
        """Each point in turn, until the command comes through."""
        nonlocal kills
        for fault in ("authority", "replaced", *(f"rename:{n}" for n in range(1, 30))):
            ran = subprocess.run([PROGRAM, *words], cwd=house.folder, env=os.environ | WIFI | {"SENSORFORGE_FAULT": fault},
                                 stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
            it.whole(f"after a kill of {' '.join(words)} at {fault}")
            expect(it.revoked() == kept, f"a kill of {' '.join(words)} at {fault} loses revocations")
            if ran.returncode != -signal.SIGKILL:
                expect(ran.returncode == 0, f"{' '.join(words)}: {ran.stderr}")
                if fault.startswith("rename"):
                    return
            else:
                kills += 1
                house.up()
                it.all_connect(f"after a kill of {' '.join(words)} at {fault}")
                house.down()
        expect(False, "it is never done")
    kept = 1
    kill_at("renew", "--yes")
    copy = house.folder / "certificates/revoked.pem"
    expect(copy.read_bytes() == house.authority.with_name("crl.pem").read_bytes(), "the copy of the list is another one")
    for name in house.names:
        house.run("rotate", name)
        it.flash(name)
    kept = 3
    kill_at("renew", "--finish")
    expect(copy.read_bytes() == house.authority.with_name("crl.pem").read_bytes(), "the copy of the list is another one")
    house.up()
    expect(it.broker_verifies(it.new()), "the broker has a certificate of the old one")
    it.all_connect("in the end")
    expect(not list((house.folder / "iot_system_infra").glob(".authority*")), "a kill leaves something behind")
    house.down()
    return f"{kills} kills"


def supervised(houses):
    """Authority: renewed under `up --foreground`, both programs are started again by it, and both kinds of boards connect."""
    it = Renewal(houses)
    house = it.house
    supervisor = subprocess.Popen([PROGRAM, "up", "--foreground"], cwd=house.folder, env=os.environ | WIFI, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in supervisor.stderr:
        if "ready on port" in line:
            break
    reader = threading.Thread(target=supervisor.stderr.read, daemon=True)
    reader.start()
    try:
        it.all_connect("before")
        before = house.process("mosquitto"), house.process("sensorhub")
        house.run("renew", "--yes")
        after = house.process("mosquitto"), house.process("sensorhub")
        expect(all(after) and not set(before) & set(after), f"the programs {before} were not started again: {after}")
        for name in house.names:
            it.all_connect(f"before {name} is rotated")
            house.run("rotate", name)
            it.flash(name)
        house.run("renew", "--finish")
        it.all_connect("afterwards")
        expect(it.broker_verifies(it.new()) and not it.broker_verifies(it.old), "the broker still has a certificate of the old one")
        house.drain()
    finally:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait(60)
    expect(supervisor.returncode == 0, f"it ended with {supervisor.returncode}")


run_tests([renewal, killed, supervised])
