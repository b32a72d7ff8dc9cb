#!/usr/bin/env python3
"""faults.py CASE [once|forever|kill]: every single call of a command fails in turn, in each way; then the same command runs again.

A clean run counts the calls. Then for each call n and each way, from the same account and project: the n-th call fails
(once, as a passing fault would; or it and all after it, so that no retry hides it; or the program gets SIGKILL before or after
the call was answered), and the command is run again without faults. In the end there must be exactly the wanted things in the
account and on the disk, one active certificate each, nothing else; and no request may have been one that AWS refuses.

Cases are rows of CASES below. Without SOAK=1 each call fails in two of the ways only, others at each call, so that all of them
come up in a case.
"""

import copy
import os
import re
import shutil
import sys

from lab import PASSWORD, SECRET, Lab, Wrong, expect, run_tests, same, test
from proxy import ONCE_OR_ON, Fault, forever

SHORT, PATIENT, LONG = "0.2", "3", "10"  # seconds an attempt of the program may take, where the answer is held back and elsewhere
ZONE = {"zone": "1", "altitude": "0"}
KITCHEN, ATTIC = ("esp32air", ZONE), ("esp32air", ZONE)
CSV = "name,type,zone\na,esp32air,1\nb,esp32air,2\nc,esp32air,3\n"
# What a failure that lasts may be called; the rest of the message is the program's affair.
SAYS = {"reset": r"answer|connection|reset|closed", "error-500": r"InternalFailure|500|internal failure", "throttle": r"[Tt]hrottl|Rate exceeded",
        "timeout": r"answer|time", "garbage": r"answer|understand|not (JSON|XML)|HTML|unexpected", "half": r"answer|connection|half|closed|partial"}


class Case:
    """words: the command. before: commands that make what it needs. wanted: things in the end. done: what the same command says, with
    exit code 1, when nothing is left to do. infrastructure: compared with what a clean run made. lasting: the ways that last, all
    but where there are many calls. again: what finishes the work, where it is another command. told: what the command says when its last
    call, which only looks, is not answered; it fails nothing."""

    def __init__(self, words, wanted, before=(), done=None, infrastructure=False, plugged=True, points=(), lasting=ONCE_OR_ON, again=None, told=None):
        self.words, self.wanted, self.before, self.done, self.next, self.told = words, wanted, before, done, again, told
        self.infrastructure, self.plugged, self.points, self.lasting = infrastructure, plugged, points, lasting


FEW = ["reset-after", "error-500-before", "garbage-before"]
CREATE = ["create", "kitchen", "--type", "esp32air"]
CASES = {
    "create": Case(CREATE, {"kitchen": KITCHEN}, done="exists already",
                   points=["create:begun", "create:remembered", "create:certified", "create:staged", "create:done", "create:activated", "enrol:attached",
                           "enrol:active"]),
    "rotate": Case(["rotate", "kitchen"], {"kitchen": KITCHEN, "attic": ATTIC}, [CREATE, ["create", "attic", "--type", "esp32air"]],
                   points=["rotate:begun", "rotate:remembered", "rotate:certified", "rotate:replaced", "rotate:retired", "rotate:cleaned",
                           "enrol:attached", "enrol:active", "retire:inactive", "retire:disconnected", "retire:policy", "retire:detached", "retire:deleted"]),
    "delete": Case(["delete", "kitchen"], {"attic": ATTIC}, [CREATE, ["create", "attic", "--type", "esp32air"]], done="there is no thing",
                   points=["delete:begun", "delete:retired", "delete:package", "delete:record", "retire:inactive", "retire:disconnected", "retire:policy", "retire:detached",
                           "retire:deleted", "retire:thing"]),
    "delete-elsewhere": Case(["delete", "kitchen"], {}, [CREATE], done="there is no thing",
                             points=["delete:begun", "delete:retired", "delete:package", "delete:record", "retire:inactive", "retire:disconnected", "retire:policy", "retire:detached", "retire:deleted", "retire:thing"]),
    "delete-stale": Case(["delete", "kitchen"], {}, [CREATE], done="there is no thing", points=["delete:begun", "retire:inactive", "retire:disconnected", "retire:policy", "retire:detached", "retire:deleted"]),
    "rotate-elsewhere": Case(["rotate", "kitchen"], {"kitchen": KITCHEN}, [CREATE],
                             points=["rotate:begun", "rotate:remembered", "rotate:certified", "rotate:replaced", "rotate:retired", "rotate:cleaned", "retire:inactive", "retire:disconnected", "retire:policy", "retire:detached", "retire:deleted"]),
    "rotate-stale": Case(["rotate", "kitchen"], {"kitchen": KITCHEN}, [CREATE], points=["rotate:begun", "rotate:replaced", "rotate:retired", "retire:inactive", "retire:disconnected", "retire:policy", "retire:detached", "retire:deleted"]),
    "package-elsewhere": Case(["package", "kitchen"], {"kitchen": KITCHEN}, [CREATE], again=["rotate", "kitchen"], lasting=FEW,
                              points=["rotate:begun", "rotate:replaced", "rotate:retired"]),
    "list": Case(["list"], {"kitchen": KITCHEN}, [CREATE]),
    "half-made": Case(["delete", "kitchen"], {}, done="there is no thing"),
    "package": Case(["package", "kitchen", "--set", "zone=9"], {"kitchen": ("esp32air", {"zone": "9", "altitude": "0"})}, [CREATE]),
    "bulk": Case(["create", "--from", "things.csv"],
                 {n: ("esp32air", {"zone": z, "altitude": "0"}) for n, z in (("a", "1"), ("b", "2"), ("c", "3"))}, lasting=FEW,
                 points=["create:begun", "create:remembered", "enrol:attached:2", "enrol:active:2", "create:activated:2"]),
    "deploy": Case(["deploy", "esp32air", "--yes"], {}, infrastructure=True, plugged=False, lasting=FEW, told="not known whether AWS IoT writes a log"),
    "update": Case(["deploy", "esp32air", "--yes"], {}, infrastructure=True, plugged=False, lasting=FEW, told="not known whether AWS IoT writes a log"),
    "destroy-all": Case(["destroy", "--all", "--data", "--confirm", "home"], {}, infrastructure=True, plugged=False, lasting=FEW),
    "destroy": Case(["destroy", "esp32air", "--data", "--confirm", "esp32air"], {}, infrastructure=True, plugged=False, lasting=FEW),
}


class Run:
    """One case: the account and the project that every attempt begins with."""

    def __init__(self, lab, case):
        self.lab, self.case, self.calls, self.clean = lab, case, 0, None
        self.base, self.copy = lab.folder / "base", lab.folder / "copy"

    def prepare(self):
        lab, case = self.lab, self.case
        shutil.rmtree(self.base, ignore_errors=True)
        lab.fresh_project("base", types=("esp32air",))
        (self.base / "things.csv").write_text(CSV)
        lab.mock.reset()
        if case.plugged:
            lab.plug_in("esp32air")
        for words in case.before:
            lab.works(*words)
        self.special()
        lab.mock.save()
        lab.proxy.begin()
        self.start()
        lab.works(*case.words)
        lab.no_problems()
        self.calls = len(lab.proxy.calls)
        self.clean = lab.infrastructure() if case.infrastructure else None
        self.check()
        expect(self.calls, "the clean run made no call")

    def special(self):
        """What a case needs besides commands."""
        lab, case = self.lab, self.case
        name = next(n for n, c in CASES.items() if c is case)
        if name.endswith("-elsewhere"):  # as in a clone
            shutil.rmtree(self.base / "certificates/kitchen")
            shutil.rmtree(self.base / "sensortypes/esp32air/sensors/kitchen")
        if name.endswith("-stale"):  # a clone has rotated it since
            shutil.rmtree(self.copy, ignore_errors=True)
            shutil.copytree(self.base, self.copy, symlinks=True)
            lab.works("rotate", "kitchen", cwd=self.copy)
        if case is CASES["half-made"]:
            lab.proxy.begin(forever("error-500-before", operation="AttachThingPrincipal"))
            expect(lab.run(*CREATE).code == 3, "it was not left half-made")
        if case in (CASES["update"], CASES["destroy"], CASES["destroy-all"]):
            lab.works("deploy", "esp32air", "--yes")
        if case is CASES["update"]:
            spec = self.base / "sensortypes/esp32air/spec.yaml"
            text = spec.read_text(encoding="utf-8")
            text = text.replace("valid: {min: -40, max: 85}", "valid: {min: -30, max: 80}")
            spec.write_text(text.replace("magnetic: 730d", "magnetic: 365d"), encoding="utf-8")

    def start(self):
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.base, self.copy, symlinks=True)
        self.lab.project = self.copy
        self.lab.mock.restore()

    def check(self):
        lab, case = self.lab, self.case
        lab.expect_things(case.wanted, [self.copy])
        if case.infrastructure:
            same(self.clean, lab.infrastructure(), "what deploying made")

    def again(self, first):
        """The same command without faults: it finishes the work, or says that there is nothing left to do."""
        ran = self.lab.run(*self.case.words, SENSORFORGE_AWS_TIMEOUT=LONG)
        if self.case.next and ran.code == 1 and "finish that first" in ran.err:
            ran = self.lab.run(*self.case.next, SENSORFORGE_AWS_TIMEOUT=LONG)
        fine = ran.code == 0 or (ran.code == 1 and self.case.done and self.case.done in ran.err)
        expect(fine, lambda: f"again: {ran}\nfirst: {first}")
        return ran

    def attempt(self, fault, judge, **environment):
        """On a busy machine, calls that are answered may take longer than SHORT, too; what then goes wrong is tried once more."""
        if not fault or fault.way != "timeout":
            return self.attempt_within(LONG, fault, judge, **environment)
        again = copy.deepcopy(fault)
        try:
            return self.attempt_within(SHORT, fault, judge, **environment)
        except Wrong:
            return self.attempt_within(PATIENT, again, judge, **environment)

    def attempt_within(self, seconds, fault, judge, **environment):
        lab = self.lab
        self.start()
        lab.proxy.begin(fault)
        first = lab.run(*self.case.words, SENSORFORGE_AWS_TIMEOUT=seconds, **environment)
        lab.no_problems()
        if fault and not fault.hit:
            # How often a stack is asked how far it is varies: the last call of the clean run may not come.
            expect(self.case.infrastructure and first.code == 0, lambda: f"the fault never struck: {first}")
        else:
            judge(first)
        lab.proxy.begin()
        again = self.again(first)
        lab.no_problems()
        try:
            self.check()
        except Wrong as wrong:
            raise Wrong(f"{wrong}\nfirst: {first}\nagain: {again}") from None

    def all(self, attempts):
        """attempts: (name, fault, judge, environment)."""
        wrong, count = [], 0
        for name, fault, judge, environment in attempts:
            count += 1
            try:
                self.attempt(fault, judge, **environment)
            except Wrong as error:
                wrong.append(f"{name}: {error}")
        expect(not wrong, lambda: "\n".join([*wrong[:3], f"{len(wrong)} of {count} went wrong:", *(w.splitlines()[0][:150] for w in wrong)]))
        expect(count, "nothing was tried")
        print(f"# {count} runs", flush=True)


def clean_words(ran):
    """No secret in what it said."""
    for secret in (PASSWORD, SECRET):
        expect(secret not in ran.out + ran.err, f"a secret was said: {ran}")


def passed_or_refused(ran):
    expect(ran.code in (0, 3), lambda: f"exit code {ran.code}: {ran}")
    clean_words(ran)


def refused(way):
    words = SAYS[re.sub("-(before|after)$", "", way)]

    def judge(ran):
        expect(ran.code == 3, lambda: f"expected exit code 3: {ran}")
        expect("error" in ran.err and re.search(words, ran.out + ran.err), lambda: f"the message says nothing of {words}: {ran}")
        clean_words(ran)
    return judge


def told_or_refused(words, way):
    def judge(ran):
        if ran.code or words not in ran.err:
            refused(way)(ran)
        clean_words(ran)
    return judge


def killed(ran):
    """Itself, or one of its workers."""
    expect(ran.code == -9 or ran.code == 3 and "worker process ended" in ran.err, lambda: f"it was not killed: {ran}")


def some(ways, n):
    """The ways in which call n fails: all, or two that are not next to each other."""
    if os.environ.get("SOAK") or len(ways) < 3:
        return ways
    return [ways[n % len(ways)], *([ways[(n + len(ways) // 2) % len(ways)]] if len(ways) > 3 else [])]


def once(run):
    """A fault that passes is not even noticed, but where the answer was no answer of AWS."""
    for n in range(1, run.calls + 1):
        for way in some(ONCE_OR_ON, n):
            yield f"call {n}, {way}", Fault(way, n), passed_or_refused, {}


def for_ever(run):
    for n in range(1, run.calls + 1):
        for way in some(run.case.lasting, n):
            last = n >= run.calls - 1  # a stack is asked for once more or less
            judge = told_or_refused(run.case.told, way) if run.case.told and last else refused(way)
            yield f"from call {n} on, {way}", forever(way, n), judge, {}


def kills(run):
    for n in range(1, run.calls + 1):
        for way in ("kill-before", "kill-after"):
            yield f"call {n}, {way}", forever(way, n), killed, {}
    for point in run.case.points:
        yield f"at {point}", None, killed, {"SENSORFORGE_FAULT": point}


MODES = {"once": ("each call fails once", once), "forever": ("each call fails, and all after it", for_ever), "kill": ("killed at each call and step", kills)}


def add(name, mode):
    what, attempts = MODES[mode]

    @test(f"{name}: {what}; then again")
    def run_mode(lab):
        run = Run(lab, CASES[name])
        run.prepare()
        run.all(list(attempts(run)))


if __name__ == "__main__":
    for chosen_mode in sys.argv[2:] or MODES:
        add(sys.argv[1], chosen_mode)
    with Lab() as the_lab:
        sys.exit(run_tests(the_lab))
