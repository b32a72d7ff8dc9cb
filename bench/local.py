"""The rows of the local system: from the board's TLS socket to a committed row, beside the bare broker and a subscriber.

ingest and sessions return rows for bench/run's table. All brokers are the same mosquitto with the configuration that
`sensorforge up` writes; the bare one lacks the plugin, and the one of the subscriber also the limits of its queue. Rounds
alternate and the best of each counts, because the machine does other things, too. bench/load.c makes the load; what it
takes itself is in the table, for the broker has the other core only as long as the load leaves it.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import sqlite3
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/bin/sensorforge"
LOCAL = Path("iot_system_infra/local")
COMPILE = "gcc -std=c17 -O2 -Wall -Wextra -D_GNU_SOURCE -o".split()
TYPE, THINGS, PAYLOAD, WINDOW, ROUNDS = "esp8266temp", 10, 80, 200, 5
MOSQUITTO = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")


def must(*command, folder=None):
    done = subprocess.run([str(word) for word in command], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=os.environ | {"SENSORFORGE_WIFI_SSID": "bench", "SENSORFORGE_WIFI_PASSWORD": "a bench's password"}, timeout=300)
    if done.returncode:
        raise SystemExit(f"bench: {' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def port_open(port):
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(what, seconds, why):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise SystemExit(f"bench: {why}")
        time.sleep(0.01)


class Place:
    """A project with things, and the configurations of the brokers that are compared."""

    def __init__(self, work, kind=TYPE):
        self.folder, self.kind = work / f"local-{kind}", kind
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (self.folder / "iot_system_infra").mkdir(parents=True)
        (self.folder / "certificates").mkdir()
        (self.folder / "templates").symlink_to(ROOT / "templates")
        (self.folder / "scripts").symlink_to(ROOT / "scripts")  # packages are compiled by one of them
        shutil.copytree(ROOT / "sensortypes", self.folder / "sensortypes", ignore=shutil.ignore_patterns("sensors", "generated", "deployed.json"))
        system = (ROOT / "iot_system_infra/system.yaml").read_text()
        system = re.sub(r"mqtt_port: \d+", f"mqtt_port: {self.port}", re.sub(r"host: \S+", "host: localhost", system, count=1))
        system = system.replace("\n  mqtt_port:", "\n  messages_per_second: 0\n  bytes_per_second: 0\n  mqtt_port:", 1)  # ten connections make all the load
        (self.folder / "iot_system_infra/system.yaml").write_text(system)
        names = [f"board{i}" for i in range(THINGS)]
        (self.folder / "things.csv").write_text("name,type,zone\n" + "".join(f"{n},{kind},1\n" for n in names))
        must(PROGRAM, "create", "--quiet", "--from", "things.csv", folder=self.folder)
        (self.folder / "list.txt").write_text("".join(f"{n} certificates/{n}/cert.pem certificates/{n}/key.pem {kind}/{n}\n" for n in names))
        must(PROGRAM, "up", folder=self.folder)
        must(PROGRAM, "down", folder=self.folder)
        must(*COMPILE, work / "load", ROOT / "bench/load.c", "-lssl", "-lcrypto", "-pthread")
        must(*COMPILE, work / "peer_subscriber", ROOT / "bench/peer_subscriber.c", "-lmosquitto", "-lcjson", "-lsqlite3")
        self.work = work
        whole = (self.folder / LOCAL / "mosquitto.conf").read_text()
        bare = re.sub(r"(?m)^plugin.*\n", "", whole).replace("allow_anonymous false", "allow_anonymous true")
        wide = re.sub(r"(?m)^max_queued.*\n", "", bare) + "max_inflight_messages 0\nmax_queued_messages 0\nmax_queued_bytes 0\n"
        for name, text in (("plugin", whole), ("bare", bare), ("wide", wide)):
            (self.folder / f"{name}.conf").write_text(text)

    def anew(self):
        """Nothing that a round before left: neither a spool nor a database."""
        for path in (*(self.folder / LOCAL).glob("central.sqlite*"), *(self.folder / LOCAL / "broker").glob("sessions.db*")):
            path.unlink()
        shutil.rmtree(self.folder / LOCAL / "spool", ignore_errors=True)

    @contextlib.contextmanager
    def broker(self, configuration):
        self.anew()
        broker = subprocess.Popen([MOSQUITTO, "-c", f"{configuration}.conf"], cwd=self.folder, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until(lambda: port_open(self.port), 10, f"mosquitto does not start with {configuration}.conf")
            yield
        finally:
            broker.terminate()
            _, code, used = os.wait4(broker.pid, 0)
            broker.returncode, self.broker_seconds = code, used.ru_utime + used.ru_stime

    def load(self, what, *words):
        return json.loads(must(self.work / "load", what, self.port, "iot_system_infra/authority/ca.pem", "list.txt", *words, folder=self.folder))

    def publish(self, seconds):
        return self.load("publish", seconds, WINDOW, PAYLOAD, int(time.time() * 1000) - 20 * 3600 * 1000)

    def alone(self, configuration, seconds):
        """Readings a second; the load's own seconds for one, and the broker's (with what it starts and ends with)."""
        with self.broker(configuration):
            done = self.publish(seconds)
        count = done["acknowledged"]
        return count / done["seconds"], done["cpu"] / count, self.broker_seconds / count

    def stored(self):
        with contextlib.closing(sqlite3.connect(f"file:{self.folder / LOCAL / 'central.sqlite'}?mode=ro", uri=True, timeout=10)) as database:
            return database.execute(f'SELECT count(*) FROM "{self.kind}"').fetchone()[0]

    def whole(self, seconds):
        """With sensorhub: what was acknowledged, until the last of it is committed. And sensorhub's memory."""
        self.anew()
        must(PROGRAM, "up", folder=self.folder)
        try:
            done = self.publish(seconds)
            began, at_end = time.monotonic(), self.position()
            until(lambda: self.position() - self.first() + 1 >= done["acknowledged"], 120, "sensorhub does not store all")
            took = done["seconds"] + time.monotonic() - began
            process = int((self.folder / LOCAL / "run/sensorhub.pid").read_text())
            memory = int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process}/status").read_text()).group(1)) / 1024
            if self.stored() != done["acknowledged"]:
                raise SystemExit(f"bench: {done['acknowledged']} were acknowledged, {self.stored()} are stored")
        finally:
            must(PROGRAM, "down", folder=self.folder)
        behind = 1 - (at_end - self.began + 1) / done["acknowledged"]
        return done["acknowledged"] / done["seconds"], done["acknowledged"] / took, memory, behind

    def first(self):
        """The number of the first reading: the segments are removed as they are stored, the log of counts is not."""
        with contextlib.closing(sqlite3.connect(f"file:{self.folder / LOCAL / 'central.sqlite'}?mode=ro", uri=True, timeout=10)) as database:
            position, counts = database.execute('SELECT position, counts FROM "_hub"').fetchone()
        self.began = position - json.loads(counts)["readings"] + 1
        return self.began

    def position(self):
        with contextlib.closing(sqlite3.connect(f"file:{self.folder / LOCAL / 'central.sqlite'}?mode=ro", uri=True, timeout=10)) as database:
            return database.execute('SELECT position FROM "_hub"').fetchone()[0]

    def subscriber(self, seconds):
        """A broker without limits, and a subscriber that inserts: what is in its database, until it is there."""
        database = self.folder / "peer.sqlite"
        for path in self.folder.glob("peer.sqlite*"):
            path.unlink()
        with self.broker("wide"):
            hub = LOCAL / "hub"
            peer = subprocess.Popen([self.work / "peer_subscriber", str(self.port), "iot_system_infra/authority/ca.pem", hub / "cert.pem",
                                     hub / "key.pem", f"{self.kind}/+", database], cwd=self.folder, stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, text=True)
            try:
                if peer.stdout.readline() != "ready\n":
                    raise SystemExit("bench: peer_subscriber does not get ready")
                done = self.publish(seconds)
                began = last = time.monotonic()
                count = -1
                with contextlib.closing(sqlite3.connect(database, timeout=10)) as reader:
                    while time.monotonic() - last < 1:
                        now = reader.execute("SELECT count(*) FROM readings").fetchone()[0]
                        if now != count:
                            count, last = now, time.monotonic()
                        if now >= done["acknowledged"]:
                            break
                        time.sleep(0.05)
                peer.communicate("", timeout=60)
            finally:
                peer.kill()
                peer.wait()
        return count / (done["seconds"] + last - began), 1 - count / done["acknowledged"]


def best(rounds):
    return max(rounds, key=lambda one: one[0])


def ingest(work, scale):
    place, seconds = Place(work), max(1, 4 * scale)
    bare, plugin, whole, peer = [], [], [], []
    for _ in range(ROUNDS):
        bare.append(place.alone("bare", seconds))
        plugin.append(place.alone("plugin", seconds))
        whole.append(place.whole(seconds))
        peer.append(place.subscriber(seconds))
    (bare_rate, load, _), (rate, _, _), (peer_rate, dropped) = best(bare), best(plugin), best(peer)
    bare_cost, cost = min(one[2] for one in bare), min(one[2] for one in plugin)
    taken, committed, _, behind = max(whole, key=lambda one: one[1])
    most = max(one[2] for one in whole)
    yield (f"ingest, TLS, QoS 1, {THINGS} publishers, spooled", f"{rate / 1e3:.0f}k/s", f"bare mosquitto {bare_rate / 1e3:.0f}k/s",
           f"{rate / bare_rate:.0%}", ">= 95%", rate >= 0.95 * bare_rate)
    yield ("  the broker's processor time for one", f"{cost * 1e6:.2f} us", f"bare mosquitto {bare_cost * 1e6:.2f} us", f"{bare_cost / cost:.0%}")
    yield ("  until committed by sensorhub, too", f"{committed / 1e3:.0f}k/s", f"bare mosquitto {bare_rate / 1e3:.0f}k/s",
           f"{committed / bare_rate:.0%}", ">= 70%", committed >= 0.7 * bare_rate)
    yield ("", f"{committed / 1e3:.0f}k/s", f"subscriber + SQLite {peer_rate / 1e3:.0f}k/s", f"{committed / peer_rate:.2f}", ">= 1.3",
           committed >= 1.3 * peer_rate)
    yield ("  acknowledged meanwhile; stored later", f"{taken / 1e3:.0f}k/s; {max(0, behind):.0%}", f"subscriber lost {dropped:.0%}")
    yield ("  memory of sensorhub, at most", f"{most:.0f} MB", "limit 64 MB", f"{most / 64:.2f}", "< 64 MB", most < 64)
    yield ("  the load's own cost", f"{load * 1e6:.1f} us each", "", f"{load * bare_rate:.0%}", "< 50% of a core", load * bare_rate < 0.5)


def sessions(work, scale):
    """RSA and EC: what an ESP8266 and an ESP32 have."""
    for kind, keys in (("esp8266temp", "RSA"), ("esp32air", "EC")):
        folder = work / f"sessions-{kind}"
        folder.mkdir()
        place, seconds, rates = Place(folder, kind), max(1, 2 * scale), {"bare": [], "plugin": []}
        for _ in range(2 * ROUNDS):
            for configuration, found in rates.items():
                with place.broker(configuration):
                    done = place.load("sessions", seconds)
                found.append((done["acknowledged"] / done["seconds"], done["cpu"] / done["acknowledged"]))
        (mine, load), (peer, _) = best(rates["plugin"]), best(rates["bare"])
        ratio = statistics.median(one[0] / other[0] for one, other in zip(rates["plugin"], rates["bare"]))  # of neighbours in time
        yield (f"sessions, {keys}: TLS, connect, publish, disconnect", f"{mine:.0f}/s", f"bare mosquitto {peer:.0f}/s", f"{ratio:.0%}",
               ">= 100% (noise: 97%)", ratio >= 0.97)
        yield ("  the load's own cost", f"{load * 1e6:.0f} us each", "", f"{load * mine:.0%}")
