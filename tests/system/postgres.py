#!/usr/bin/env python3
"""PostgreSQL as the central database, in a cluster of its own: stopped and killed under load, all is stored in the end."""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

from house import LOCAL, SOAK, TYPE, House, Skip, eventually, expect, free_port, postgres_query, run_tests, stop_all, under_load

OTHER = "esp8266climate"
STOPPED = 60 if SOAK else 4  # seconds


class Cluster:
    """PostgreSQL does not run as root: then it runs as the user that Debian's package makes."""

    def __init__(self):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin")) or [os.path.dirname(shutil.which("initdb") or "/nowhere/x")]
        self.programs, self.port = found[-1], free_port()
        if not os.path.exists(f"{self.programs}/initdb"):
            raise Skip("PostgreSQL is not installed")
        self.user = None
        if os.getuid() == 0:
            with contextlib.suppress(KeyError):
                self.user = pwd.getpwnam("postgres").pw_name
            if not self.user:
                raise Skip("PostgreSQL does not run as root, and there is no user postgres")
        self.folder = tempfile.mkdtemp(prefix="sensorforge-postgres.")
        if self.user:
            shutil.chown(self.folder, self.user)
        self.run("initdb", "-D", f"{self.folder}/data", "-U", "house", "-A", "trust", "-N", "--no-locale", "-E", "UTF8")
        self.url = f"postgresql://house:a-secret-word@127.0.0.1:{self.port}/postgres"

    def run(self, program, *words):
        ran = subprocess.run([f"{self.programs}/{program}", *words], user=self.user, group=self.user and pwd.getpwnam(self.user).pw_gid,
                             extra_groups=[] if self.user else None, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace", timeout=60)
        expect(ran.returncode == 0, f"{program}: {ran.stdout}")

    def start(self):
        self.run("pg_ctl", "start", "-s", "-w", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-o",
                 f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}")

    def stop(self, how):
        self.run("pg_ctl", "stop", "-s", "-w", "-D", f"{self.folder}/data", "-m", how)

    def remove(self):
        with contextlib.suppress(Exception):
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)


def stopped(houses):
    """PostgreSQL: stopped, killed and started under load; publishers notice nothing, each reading is stored once."""
    cluster = Cluster()
    try:
        cluster.start()
        house = House(houses, store=cluster.url)
        house.up()
        publishers = under_load(house, 1, pause=0.01)
        for how, seconds in (("fast", STOPPED), ("immediate", 0.5)):
            cluster.stop(how)
            before = sum(len(p.acknowledged) for p in publishers)
            time.sleep(seconds)
            expect(sum(len(p.acknowledged) for p in publishers) > before, "publishers are not served meanwhile")
            cluster.start()
            time.sleep(0.5)
        expect(all(p.connections == 1 for p in publishers), "a thing had to connect again")
        house.kill("sensorhub")
        house.up()
        time.sleep(0.5)
        stop_all(publishers)
        eventually(90, lambda: not house.unstored(), lambda: f"{house.unstored()} readings stay in the spool: {house.trouble()}")
        count = house.count_all(publishers)
        house.down()
        for file in (house.folder / LOCAL).glob("*/*"):
            expect(file.is_dir() or b"a-secret-word" not in file.read_bytes(), f"{file.name} tells the password")
        return f"{count} readings"
    finally:
        cluster.remove()


def red(house, words, seconds):
    eventually(seconds, lambda: house.status()[0] and words in house.status()[1], lambda: f"status does not say {words!r}: {house.status()}")


def frozen(houses):
    """PostgreSQL: a table that is locked and a server that is frozen are said, end by timeouts, and cost no reading."""
    cluster = Cluster()
    try:
        cluster.start()
        house = House(houses, things=1, store=cluster.url)
        house.up()
        publishers = under_load(house, 1, pause=0.05)
        house.drain()
        with subprocess.Popen([f"{cluster.programs}/psql", "-q", "-d", cluster.url], stdin=subprocess.PIPE, text=True) as other:
            other.stdin.write(f'BEGIN; LOCK TABLE "{TYPE}"; \n')
            other.stdin.flush()
            red(house, "lock", 20)
            other.stdin.write("ROLLBACK;\n")
        eventually(30, lambda: house.status()[0] == 0, lambda: f"it does not go on: {house.status()}")
        backend = int(house.query("SELECT pid FROM pg_stat_activity WHERE application_name = 'sensorhub'")[0][0])
        os.kill(backend, signal.SIGSTOP)
        try:
            red(house, "the database has not answered", 25)
            eventually(20, lambda: "the database has not answered for 15 s" in house.log("sensorhub"), "the call does not end")
        finally:
            os.kill(backend, signal.SIGCONT)
        eventually(30, lambda: house.status()[0] == 0, lambda: f"it does not go on: {house.status()}")
        stop_all(publishers)
        house.drain()
        count = house.count_all(publishers)
        house.down()
        return f"{count} readings"
    finally:
        cluster.remove()


def rights(houses):
    """PostgreSQL: the right to a table is taken away under load: its type is held, others go on; all is stored when it is given back."""
    cluster = Cluster()
    try:
        cluster.start()
        postgres_query(cluster.url, "CREATE ROLE hub LOGIN; GRANT ALL ON SCHEMA public TO hub")
        house = House(houses, things=1, store=cluster.url.replace("house:", "hub:"))
        house.create("other0", kind=OTHER)
        house.up()
        publishers = under_load(house, 0, ["thing0"], pause=0.02)
        second, other = house.publisher("other0", kind=OTHER), house.thing("other0").connect("other0")
        eventually(20, lambda: house.rows("thing0"), "nothing is stored")
        postgres_query(cluster.url, f'ALTER TABLE "{TYPE}" OWNER TO house')
        red(house, f"{TYPE}: ", 20)
        expect(other.publish(f"{OTHER}/other0", second.payload(0)), "a thing of another type is not served")
        eventually(10, lambda: house.query(f'SELECT time FROM "{OTHER}"') or house.invalid(OTHER), "the other type is held up")
        expect("does not let this role" in house.status()[1], f"status says: {house.status()}")
        postgres_query(cluster.url, f'ALTER TABLE "{TYPE}" OWNER TO hub')
        eventually(90, lambda: house.status()[0] == 0, lambda: f"it does not go on: {house.status()}")
        stop_all(publishers)
        house.drain()
        for publisher in publishers:
            expect(set(publisher.expected()) <= set(house.rows("thing0")), "readings are lost")
        house.down()
        return f"{len(house.rows('thing0'))} readings"
    finally:
        cluster.remove()


run_tests([stopped, frozen, rights])
