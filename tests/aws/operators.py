#!/usr/bin/env python3
"""operators.py: two people at once, and what must never be seen: keys, tokens and passwords in what a run says, in its processes'
command lines, or in files that are not meant for them."""

import json
import shutil
import sys
import threading
import time
from pathlib import Path

from lab import KEY_ID, PASSWORD, SECRET, Lab, expect, run_tests, same, test
from proxy import ONCE_OR_ON, Fault, forever

ROUNDS = 10
KITCHEN = ("esp32air", {"zone": "1", "altitude": "0"})
CREATE = ["create", "kitchen", "--type", "esp32air"]


def two_checkouts(lab):
    """The same project twice, each with nothing made yet."""
    one = lab.fresh_project("one", types=("esp32air",))
    two = lab.folder / "two"
    shutil.rmtree(two, ignore_errors=True)
    shutil.copytree(one, two, symlinks=True)
    lab.mock.reset()
    lab.plug_in("esp32air")
    lab.proxy.begin()
    return one, two


def both(lab, one, two, *words, **environment):
    children = [lab.start(*words, cwd=folder, **environment) for folder in (one, two)]
    return [lab.finish(child, *words) for child in children]


def there(project):
    return sorted(p.name for p in (project / "certificates").iterdir() if p.is_dir())


@test(f"two create the same thing at once from two checkouts: one wins, the other says so ({ROUNDS} rounds)")
def same_thing(lab):
    wins = [0, 0]
    for _ in range(ROUNDS):
        one, two = two_checkouts(lab)
        rans = both(lab, one, two, *CREATE)
        codes = [ran.code for ran in rans]
        expect(sorted(codes) in ([0, 1], [0, 3]), lambda: f"exit codes {codes}\n{rans[0]}\n{rans[1]}")
        winner = codes.index(0)
        wins[winner] += 1
        loser, lost = (one, two)[1 - winner], rans[1 - winner]
        expect("error" in lost.err and "kitchen" in lost.err, lambda: f"the other does not say so: {lost}")
        lab.expect_things({"kitchen": KITCHEN}, [(one, two)[winner]])
        same([], there(loser), "what the loser has on the disk")
        lab.no_problems()
    print(f"# won: {wins}", flush=True)


@test("one creates what another has: refused, and nothing of the other's is touched")
def taken(lab):
    one, two = two_checkouts(lab)
    lab.works(*CREATE, cwd=one)
    before = lab.things(), lab.client("iot").describe_thing(thingName="kitchen")["attributes"]
    ran = lab.run(*CREATE, cwd=two)
    expect(ran.code in (1, 3) and "kitchen" in ran.err, str(ran))
    same([], there(two), "what the other has on the disk")
    same(before, (lab.things(), lab.client("iot").describe_thing(thingName="kitchen")["attributes"]), "the account")
    lab.expect_things({"kitchen": KITCHEN}, [one])
    expect("sensorforge rotate kitchen" in ran.err, f"the way to take it over is not said: {ran}")


@test("things that were made by hand are left alone")
def by_hand(lab):
    one, _ = two_checkouts(lab)
    lab.client("iot").create_thing(thingName="kitchen", thingTypeName="esp32air", attributePayload={"attributes": KITCHEN[1]})
    ran = lab.run(*CREATE, cwd=one)
    expect(ran.code in (1, 3) and "kitchen" in ran.err, str(ran))
    same(({"kitchen": {"type": "esp32air", "attributes": KITCHEN[1], "certificates": []}}, []), lab.things(), "the account")
    same([], there(one), "what is on the disk")


@test("two create different things of one table at once: each thing is made once")
def same_table(lab):
    one, two = two_checkouts(lab)
    for project, first in ((one, 0), (two, 10)):
        (project / "things.csv").write_text("name,type,zone\n" + "".join(f"t{i},esp32air,1\n" for i in range(first, first + 20)))
    rans = both(lab, one, two, "create", "--from", "things.csv")
    expect(any(ran.code for ran in rans), lambda: f"ten names are taken, and nobody says so: {rans[0]}\n{rans[1]}")
    mine = [there(one), there(two)]
    same(sorted(f"t{i}" for i in range(30)), sorted(mine[0] + mine[1]), "things on both disks")
    lab.expect_things({f"t{i}": KITCHEN for i in range(30)})


@test("two deploy the same type at once: both end well, or one says that the other is at work; then it is deployed")
def same_deploy(lab):
    for _ in range(3):
        one, two = two_checkouts(lab)
        lab.mock.reset()
        rans = both(lab, one, two, "deploy", "esp32air", "--yes")
        expect(all(ran.code in (0, 3) for ran in rans), lambda: f"{rans[0]}\n{rans[1]}")
        lab.works("deploy", "esp32air", "--yes", cwd=two)
        twice = lab.infrastructure()
        lab.mock.reset()
        lab.works("deploy", "esp32air", "--yes", cwd=one)
        same(lab.infrastructure(), twice, "what two made, beside what one makes")
        lab.no_problems()


# --- secrets -------------------------------------------------------------------------------------------

class Watch:
    """Looks at the command lines and environments of our own processes, as often as it can."""

    def __init__(self, lab, secrets):
        self.lab, self.secrets, self.seen, self.looks = lab, secrets, [], 0

    def __enter__(self):
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def look(self):
        while not self.ended.is_set():
            for child in list(self.lab.children):
                for process in [child.pid, *descendants(child.pid)]:
                    try:
                        line = Path(f"/proc/{process}/cmdline").read_bytes()
                    except OSError:
                        continue
                    self.looks += 1
                    self.seen += [line for secret in self.secrets if secret.encode() in line]
            time.sleep(0.001)


def descendants(process):
    try:
        children = [int(c) for c in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []
    return children + [d for c in children for d in descendants(c)]


def files_with(secret, folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and not p.is_symlink() and secret.encode() in p.read_bytes())


@test("no secret is said, shown to other processes, or written where it does not belong")
def secrets(lab):
    session = "session/Token+of/the=operator"
    lab.proxy.keys = {**lab.proxy.keys, "ASIAOPERATOR": (SECRET, session)}
    project = lab.fresh_project("secrets", types=("esp32air",))
    lab.mock.reset()
    process = lab.home / "keys"
    process.write_text("#!/bin/sh\nsleep 0.05\necho '" + json.dumps({"Version": 1, "AccessKeyId": "ASIAOPERATOR", "SecretAccessKey": SECRET,
                                                                       "SessionToken": session}) + "'\n")
    process.chmod(0o755)
    (lab.home / ".aws").mkdir(exist_ok=True)
    (lab.home / ".aws/config").write_text(f"[default]\ncredential_process = {process}\n[profile role]\nrole_arn = arn:aws:iam::123456789012:role/r\n"
                                          "source_profile = default\n")
    (project / "things.csv").write_text("name,type,zone\na,esp32air,1\nb,esp32air,1\n")
    by_process = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    said, runs = [], 0
    commands = [["deploy", "esp32air", "--yes"], CREATE, ["create", "--from", "things.csv"], ["list"], ["show", "kitchen"], ["rotate", "kitchen"],
                ["package", "kitchen"], ["doctor"], ["delete", "kitchen", "a", "b"], ["show", "nothing"]]
    secrets_of_run = [SECRET, session, PASSWORD]
    with Watch(lab, secrets_of_run) as watch:
        for words in commands:
            for environment in ({}, by_process, {**by_process, "AWS_PROFILE": "role"}) if words[0] in ("show", "list", "doctor") else (by_process,):
                for option in ("--verbose", "--json"):
                    lab.proxy.begin()
                    said.append(lab.run(*words, option, **environment))
                    runs += 1
        for way in [*ONCE_OR_ON, "expired", "denied"]:
            lab.proxy.begin(forever(way, 3))
            said.append(lab.run("create", f"fault-{way}", "--type", "esp32air", "--verbose", **by_process, SENSORFORGE_AWS_TIMEOUT="0.2" if way == "timeout" else "10"))
            runs += 1
        for answer in (f'{{"message": "{SECRET}"}}', f"<Error><Message>{session}</Message></Error>"):
            # What a service (or a proxy that echoes headers) says of our own secrets is no reason to repeat it.
            lab.proxy.begin(Fault("answer", 2, answer=(400, {"x-amzn-ErrorType": "InvalidRequestException"}, answer.encode())))
            said.append(lab.run("create", "echo", "--type", "esp32air", "--verbose", **by_process))
    learned = [s for key, pair in lab.proxy.keys.items() if key not in (KEY_ID, "ASIAOPERATOR") for s in pair if s]
    for ran in said:
        leaked = [s for s in secrets_of_run + learned if s in ran.out + ran.err]
        expect(not leaked, lambda: f"{leaked} in {ran}")
    expect(watch.looks > 50, f"only {watch.looks} looks at command lines")
    expect(not watch.seen, lambda: f"on a command line: {watch.seen[:3]}")
    for secret in (SECRET, session, *learned):
        same([], files_with(secret, project), "files with a key or token")
    meant = {f"certificates/{n}/thing.json" for n in there(project)} | {f"sensortypes/esp32air/sensors/{n}/config.json" for n in there(project)}
    expect(set(files_with(PASSWORD, project)) <= meant, lambda: f"files with the password: {set(files_with(PASSWORD, project)) - meant}")
    wire = [c for c in lab.proxy.calls if PASSWORD in json.dumps(c["parameters"], default=str)]
    same([], wire, "calls with the password")
    for folder in ("certificates", "sensortypes/esp32air/sensors"):
        for path in (project / folder).rglob("*"):
            if path.is_file() and path.name in ("thing.json", "key.pem", "config.json", "key.der"):
                same("0o600", oct(path.stat().st_mode & 0o777), f"mode of {path.name}")
    print(f"# {runs} runs, {watch.looks} looks at command lines", flush=True)


if __name__ == "__main__":
    with Lab() as the_lab:
        sys.exit(run_tests(the_lab))
