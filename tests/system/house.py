"""A whole local system in a temporary project: types plugged in, things created, `sensorforge up` and `down`, processes
killed by their number, and what is in the database counted reading by reading.

Environment: SENSORFORGE, the program (sensorhub beside it, ../lib/sensorforge_broker.so below its folder's parent);
SYSTEM_PRELOAD, libasan.so when they are sanitized; SOAK=1 for the long variants; SYSTEM_SEED for another course of what is random (it is printed).
"""

import contextlib
import ctypes
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, os.path.dirname(__file__))
import mqtt

REPO = Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("SENSORFORGE") or str(REPO / "build/bin/sensorforge")
PRELOAD = os.environ.get("SYSTEM_PRELOAD")  # libasan.so, when the programs are sanitized
SOAK = os.environ.get("SOAK", "") not in ("", "0")
SEED = int(os.environ.get("SYSTEM_SEED", "0")) or 20261121
chance = random.Random(SEED)
WIFI = {"SENSORFORGE_WIFI_SSID": "system", "SENSORFORGE_WIFI_PASSWORD": "a system's password"}
LOCAL = Path("iot_system_infra/local")
TYPE = "esp32air"  # of things that tests make: its keys (EC) are made in no time


# --- TAP ------------------------------------------------------------------------------------------------

class Wrong(Exception):
    """What a test expected and did not find."""


class Skip(Exception):
    """Why a test cannot run on this machine."""


def expect(truth, why):
    if not truth:
        raise Wrong(why)


def eventually(seconds, what, why):
    """Waits until what() is true; its value."""
    until = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > until:
            raise Wrong(f"{why() if callable(why) else why} (after {seconds} seconds)")
        time.sleep(0.05)


def run_tests(tests):
    """Runs the functions, says TAP, ends the program. A test is called as its first line of documentation."""
    print(f"1..{len(tests)}\n# seed {SEED}{', soak' if SOAK else ''}", flush=True)
    failed = 0
    for number, test in enumerate(tests, 1):
        title, began, houses = (test.__doc__ or test.__name__).strip().splitlines()[0].rstrip("."), time.monotonic(), []
        try:
            note = test(houses)
            print(f"ok {number} - {title}")
            if note:
                print(f"# {note}")
        except Skip as reason:
            print(f"ok {number} - {title} # skip {reason}")
        except Exception as error:
            failed += 1
            print(f"not ok {number} - {title}")
            if not isinstance(error, Wrong):
                import traceback
                print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), end="")
            print("".join(f"# {line}\n" for line in str(error).splitlines()), end="")
            for house in houses:
                print("".join(f"# {line}\n" for line in house.last_words()), end="")
        finally:
            for house in houses:
                house.remove(keep=failed and "SYSTEM_KEEP" in os.environ)
        print(f"# {time.monotonic() - began:.1f} s", flush=True)
    sys.exit(1 if failed else 0)


# --- the spool, read by another's hand --------------------------------------------------------------------

SEALED = 0x7FFFFFFF


XXHASH = ctypes.CDLL("libxxhash.so.0")
XXHASH.XXH3_64bits.restype = ctypes.c_uint64
XXHASH.XXH3_64bits.argtypes = ctypes.c_char_p, ctypes.c_size_t


def checksum_of(data):
    return XXHASH.XXH3_64bits(data, len(data)) & 0xFFFFFFFF


def spool_records(folder):
    """(number, topic, client id, payload) of all that is in the segments; Wrong when a record is damaged or missing."""
    expected = None
    for path in sorted(Path(folder).glob("*.segment")):
        try:
            data = path.read_bytes()
        except FileNotFoundError:  # stored meanwhile, and removed; one before it may have been read
            expected = None
            continue
        expect(data[:8] == b"SFSPOOL1", f"{path.name} is no segment")
        at, begins_anew = 64, struct.unpack_from("=I", data, 24)[0] == 1
        while at + 40 <= len(data):
            length, checksum, number, _, *lengths = struct.unpack_from("=IIQqIIII", data, at)
            if length in (0, SEALED):
                break
            expect(checksum_of(data[at + 8:at + length]) == checksum, f"{path.name}: the record at {at} is torn")
            expect(expected in (None, number) or begins_anew and at == 64, f"{path.name}: record {number} where {expected} was due")
            expected, texts, begins = number + 1, [], at + 40
            for size in lengths:
                texts.append(data[begins:begins + size])
                begins += size
            yield number, texts[0].decode(), texts[1].decode(), texts[3]
            at += (length + 7) // 8 * 8


def postgres_query(url, sql):
    """Rows by psql, every value as a text."""
    words = ["psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]
    ran = subprocess.run(words, capture_output=True, text=True)
    if ran.returncode:
        if "does not exist" in ran.stderr:
            return []
        raise Wrong(f"psql: {ran.stderr}")
    return [tuple(line.split("\x1f")) for line in ran.stdout.removesuffix("\n").split("\x1e") if line]


# --- a system ---------------------------------------------------------------------------------------------

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def gone(process):
    """Whether a process has ended. One that nobody has waited for yet (there may be no init here) has ended too."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


class House:
    """Its own project, port and processes. edits: {part of a template's or file's path: [(pattern, replacement)]}; limit and
    weight: messages and bytes that the broker takes of a thing in a second, where three things make the load any."""

    def __init__(self, houses, things=3, store="sqlite", edits=None, limit=0, weight=0):
        self.held = contextlib.ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="sensorforge-system."))
        self.port, self.names, self.store = free_port(), [], store
        self.environment = {}
        houses.append(self)
        for name in ("templates", "sensortypes"):
            shutil.copytree(REPO / name, self.folder / name, ignore=shutil.ignore_patterns("sensors", "generated", "deployed.json"))
        (self.folder / "scripts").symlink_to(REPO / "scripts")  # packages are compiled by one of them
        (self.folder / "certificates").mkdir()
        (self.folder / "iot_system_infra").mkdir()
        system = (REPO / "iot_system_infra/system.yaml").read_text()
        for pattern, text in ((r"mqtt_port: \d+", f"mqtt_port: {self.port}\n  messages_per_second: {limit}\n  bytes_per_second: {weight}"), (r"host: \S+", "host: localhost"),
                              (r"(?<=port: )8080", str(free_port())), (r"(?m)^(  store: )sqlite\b", rf"\g<1>{store}")):
            system, count = re.subn(pattern, text, system, count=1)
            expect(count == 1, f"system.yaml has no {pattern}")
        (self.folder / "iot_system_infra/system.yaml").write_text(system)
        for name, changes in (edits or {}).items():
            self.edit(name, changes)
        self.run("deploy", "--all")
        if things:
            self.create(*(f"thing{i}" for i in range(things)))

    def edit(self, name, changes):
        path = self.folder / name
        text = path.read_text()
        for pattern, replacement in changes:
            text, count = re.subn(pattern, replacement, text)
            expect(count, f"{name} has no {pattern}")
        path.write_text(text)

    def run(self, *words, fails=False, code=0, errors=False):
        """The output of the program, which ends with this code; with errors, its messages. With fails, the messages, and it must fail."""
        ran = subprocess.run([PROGRAM, *words], cwd=self.folder, env=os.environ | WIFI | self.environment, text=True,
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=200)
        if not ran.returncode if fails else ran.returncode != code:
            raise Wrong(f"sensorforge {' '.join(words)}: exit code {ran.returncode}\n{ran.stdout}{ran.stderr}")
        return ran.stderr if fails or errors else ran.stdout

    def status(self):
        """The exit code of status, and what it says."""
        ran = subprocess.run([PROGRAM, "status"], cwd=self.folder, text=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        return ran.returncode, ran.stdout + ran.stderr

    def hub(self, *words):
        """The exit code of sensorhub, and what it says."""
        ran = subprocess.run([str(Path(PROGRAM).parent / "sensorhub"), *words], cwd=self.folder, text=True, stdin=subprocess.DEVNULL,
                             capture_output=True, timeout=60)
        return ran.returncode, ran.stdout + ran.stderr

    def create(self, *names, kind=TYPE):
        table = self.folder / "things.csv"
        table.write_text("name,type,zone\n" + "".join(f"{name},{kind},1\n" for name in names))
        self.run("create", "--quiet", "--from", "things.csv")
        self.names += names

    # processes

    def up(self):
        """With sanitized programs, the broker is made to hold what its plugin needs. Its own leaks are not counted."""
        before = self.environment
        if PRELOAD:
            self.environment = before | {"LD_PRELOAD": PRELOAD, "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=0"}
        self.run("up")
        self.environment = before

    def down(self):
        """Ends it, and looks that nothing is left of it: neither a process nor a reading that was not stored."""
        processes = [p for p in (self.process("mosquitto"), self.process("sensorhub")) if p]
        self.run("down")
        expect(all(gone(p) for p in processes), "down leaves a process behind")
        expect(not self.unstored(), f"down leaves {self.unstored()} readings in the spool")

    def process(self, name):
        """Its number; None when it is not running."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            number = int((self.folder / LOCAL / f"run/{name}.pid").read_text())
            return None if gone(number) else number
        return None

    def kill(self, *names, number=signal.SIGKILL):
        processes = [(name, self.process(name)) for name in names]
        for name, process in processes:
            expect(process, f"{name} is not running")
            os.kill(process, number)
        if number == signal.SIGKILL:
            for name, process in processes:
                eventually(20, lambda process=process: gone(process), f"{name} outlives SIGKILL")

    def memory(self, name, what="VmHWM"):
        """MB of a process: the most that it ever had."""
        status = Path(f"/proc/{self.process(name)}/status").read_text()
        return int(re.search(rf"{what}:\s+(\d+)", status).group(1)) / 1024

    def hub_status(self):
        """What sensorhub says of itself."""
        return json.loads((self.folder / LOCAL / "run/sensorhub.status.json").read_text())

    def trouble(self):
        """What sensorhub says that keeps it from working; "" when it works."""
        return self.hub_status()["trouble"]

    def change_database(self, sql):
        """As an administrator, in SQLite."""
        (self.folder / LOCAL).mkdir(mode=0o700, exist_ok=True)
        with contextlib.closing(sqlite3.connect(self.folder / LOCAL / "central.sqlite", timeout=10)) as database:
            database.execute(sql)
            database.commit()

    def log(self, name):
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / LOCAL / f"log/{name}.log").read_text(errors="replace")
        return ""

    def last_words(self):
        return [f"{name}: {line}" for name in ("mosquitto", "sensorhub") for line in self.log(name).splitlines()[-12:]]

    def holds(self, manager):
        """Enters a context that ends with the house, after its processes."""
        return self.held.enter_context(manager)

    def remove(self, keep=False):
        for name in ("sensorforge", "mosquitto", "sensorhub"):
            process = self.process(name)
            if process:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)
                    os.kill(process, signal.SIGKILL)
        self.held.close()
        if keep:
            print(f"# kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    # things

    def certificate(self, name):
        return self.folder / f"certificates/{name}/cert.pem", self.folder / f"certificates/{name}/key.pem"

    @property
    def authority(self):
        return self.folder / "iot_system_infra/authority/ca.pem"

    def thing(self, name, pair=None, **how):
        """Not connected yet. pair: another's certificate and key, or (None, None)."""
        return mqtt.Thing(self.port, self.authority, *(pair or self.certificate(name)), **how)

    def publisher(self, name, kind=TYPE, **how):
        first = int(time.time() * 1000) - 12 * 3600 * 1000
        return mqtt.Publisher(self.thing(name), name, f"{kind}/{name}", first, **how)

    # the database

    def query(self, sql):
        """Rows, each a tuple of texts, numbers or None; [] where there is no such table yet."""
        if self.store != "sqlite":
            return postgres_query(self.store, sql)
        path = self.folder / LOCAL / "central.sqlite"
        if not path.exists():
            return []
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
            try:
                return database.execute(sql).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []
                raise

    def position(self):
        rows = self.query('SELECT position FROM "_hub"')
        return int(rows[0][0]) if rows else 0

    def counts(self):
        rows = self.query('SELECT counts FROM "_hub"')
        return json.loads(rows[0][0]) if rows else {}

    def unstored(self):
        """How many records of the spool are not in the database yet."""
        position = self.position()
        return sum(number > position for number, *_ in spool_records(self.folder / LOCAL / "spool"))

    def drain(self, seconds=60):
        eventually(seconds, lambda: not self.unstored(), lambda: f"{self.unstored()} readings stay in the spool")

    def rows(self, name, kind=TYPE):
        """{time: temperature} of a thing in the table of valid readings."""
        rows = self.query(f"SELECT time, temperature FROM \"{kind}\" WHERE thing = '{name}'")
        expect(len({time_ for time_, _ in rows}) == len(rows), f"{name}: a reading is stored twice")
        return {int(time_): float(temperature) for time_, temperature in rows}

    def invalid(self, kind=TYPE):
        """[(thing, item)] of the table of invalid readings."""
        return [(thing, json.loads(item)) for thing, item in self.query(f'SELECT thing, item FROM "iot-{kind}-invalid"')]

    def count_all(self, publishers):
        """Each acknowledged reading is stored once, with its value; what else is stored was sent by that thing, too
        (its acknowledgement was lost); nothing is in the table of invalid ones, nothing was rejected."""
        acknowledged = 0
        for publisher in publishers:
            stored, expected = self.rows(publisher.client_id), publisher.expected()
            acknowledged += len(expected)
            lost = sorted(set(expected) - set(stored))
            expect(not lost, f"{publisher.client_id}: {len(lost)} of {len(expected)} acknowledged readings are lost, the first is "
                             f"number {lost[0] - publisher.first_time if lost else ''}")
            sent = dict(publisher.reading(number) for number in range(publisher.sent))
            strange = [t for t, value in stored.items() if t not in sent or abs(sent[t] - value) > 1e-9]
            expect(not strange, f"{publisher.client_id}: {len(strange)} stored readings were never sent like this: {strange[:3]}")
        names = {publisher.client_id for publisher in publishers}
        others = [row[0] for row in self.query(f'SELECT DISTINCT thing FROM "{TYPE}"') if row[0] not in names]
        expect(not others, f"there are readings of {others}")
        expect(not self.invalid(), f"{len(self.invalid())} readings are in the table of invalid ones: {self.invalid()[:2]}")
        logged = self.query('SELECT message FROM "_log" LIMIT 3')
        expect(not logged, f"the log of errors has: {logged}")
        expect(acknowledged, "nothing was acknowledged at all")
        counts, stored = self.counts(), self.query(f'SELECT count(*) FROM "{TYPE}"')[0][0]
        expect(counts["readings"] == counts["valid"] == int(stored) + counts["duplicates"] and not counts["rejected"] + counts["errors"],
               f"sensorhub counted {counts}, and {stored} are stored")
        return acknowledged


def under_load(house, seconds, names=None, **how):
    """Publishers of all things, started; the caller stops them."""
    publishers = [house.publisher(name, **how) for name in names or house.names]
    for publisher in publishers:
        publisher.start()
    eventually(20, lambda: all(p.acknowledged for p in publishers), "a thing is not served")
    if seconds:
        time.sleep(seconds)
    return publishers


def stop_all(publishers):
    for publisher in publishers:
        publisher.stopping.set()
    for publisher in publishers:
        publisher.stop()
