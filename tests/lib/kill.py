#!/usr/bin/env python3
"""kill.py COMMAND WAY AFTERWARDS [TYPE]: SIGKILL at every step of a command, then what a person would do next.

COMMAND     create, first-create (on a fresh project), rotate or delete
WAY         points: the fault points of generator/thing/ and targets/local.c by name, and every rename
            calls:  every third system call that changes the disk, with SOAK=1 every one (strace injects the signal)
AFTERWARDS  again: the same command; delete: the thing is deleted

After that exactly what belongs there must be there: one thing with one valid certificate and one package, or nothing
of it at all; the revocation list must hold every certificate that was on the disk and is not the thing's; nothing
temporary may be left; and the list must say so. Works on copies of the current folder's project with $SENSORFORGE.
Prints how often it killed; exits with 1 and says where it went wrong. Exits with 77 when it cannot work here.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, os.path.dirname(__file__))
import package as packages

PROGRAM, NAME = os.environ["SENSORFORGE"], "kitchen"
CALLS = ["mkdir", "rename", "renameat2", "unlink", "unlinkat", "rmdir", "write", "fsync", "syncfs"]
POINTS = {
    "create": ["create:begun", "create:certified", "create:staged", "create:done"],
    "first-create": ["authority", "create:begun"],
    "rotate": ["rotate:begun", "rotate:certified", "rotate:replaced", "rotate:retired", "rotate:cleaned"],
    "delete": ["delete:begun", "delete:retired", "delete:package", "delete:record"],
}
WORDS = {"create": ["create", NAME], "first-create": ["create", NAME], "rotate": ["rotate", NAME], "delete": ["delete", NAME]}
AUTHORITY = Path("iot_system_infra/authority")


class Wrong(Exception):
    pass


def run(words, **environment):
    return subprocess.run(words, env=os.environ | environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def must(words):
    ran = run(words)
    if ran.returncode:
        raise Wrong(f"{' '.join(words)}: exit {ran.returncode}: {ran.stderr.strip()}")
    return ran.stdout


def expect(truth, why):
    if not truth:
        raise Wrong(why)


def serial(path, form="PEM"):
    ran = run(["openssl", "x509", "-inform", form, "-in", str(path), "-noout", "-serial"])
    return ran.stdout.strip().removeprefix("serial=") if ran.returncode == 0 else None


def revoked():
    if not AUTHORITY.exists():
        return set()
    text = must(["openssl", "crl", "-in", str(AUTHORITY / "crl.pem"), "-noout", "-text", "-CAfile", str(AUTHORITY / "ca.pem")])
    return set(re.findall(r"Serial Number: ([0-9A-F]+)", text))


def certificates(kind):
    """The serials of all certificates of the thing that are on the disk, under their own names."""
    places = [(f"certificates/{NAME}/cert.pem", "PEM"), (f"certificates/{NAME}/next-cert.pem", "PEM"),
              (f"sensortypes/{kind}/sensors/{NAME}/cert.der", "DER")]
    return {serial(path, form) for path, form in places if os.path.exists(path)} - {None}


def nothing_temporary(of_things_only):
    """of_things_only: what generating or making the authority left goes when these are done again, which delete does not."""
    left = [str(p) for p in Path(".").rglob(".*") if p.name not in (".index", ".gitignore")]
    if of_things_only:
        left = [p for p in left if "/generated/" not in p and p != "iot_system_infra/.authority" and p.count("/") != 2]
    expect(not left, f"left over: {left}")


def one_thing(kind, gone):
    things = json.loads(must([PROGRAM, "list", "--json"]))
    expect([t["name"] for t in things] == [NAME], f"list says {[t['name'] for t in things]}")
    thing = json.loads(must([PROGRAM, "show", NAME, "--json"]))
    expect(thing["state"] == "active", f"its state is {thing['state']}")
    expect(thing["type"] == kind and "next_serial" not in thing and "retired" not in thing, f"its record is {thing}")
    expect(sorted(os.listdir(f"certificates/{NAME}")) == ["cert.pem", "key.pem", "thing.json"],
           f"its folder holds {os.listdir(f'certificates/{NAME}')}")
    expect(os.listdir(f"sensortypes/{kind}/sensors") == [NAME], "packages: " + str(os.listdir(f"sensortypes/{kind}/sensors")))
    faults = list(packages.faults(f"sensortypes/{kind}/sensors/{NAME}"))
    expect(not faults, f"its package: {faults}")
    expect(certificates(kind) == {thing["serial"]} == {thing["certificate"]["serial"]}, "more than one certificate")
    must(["openssl", "verify", "-CAfile", str(AUTHORITY / "ca.pem"), "-purpose", "sslclient", f"certificates/{NAME}/cert.pem"])
    public = must(["openssl", "x509", "-in", f"certificates/{NAME}/cert.pem", "-noout", "-pubkey"])
    for words in (["-in", f"certificates/{NAME}/key.pem"], ["-inform", "DER", "-in", f"sensortypes/{kind}/sensors/{NAME}/key.der"]):
        expect(must(["openssl", "pkey", "-pubout", *words]) == public, f"{words[-1]} is another key than the certificate's")
    expect(revoked() == gone - {thing["serial"]}, f"revoked: {revoked()}; should be: {gone - {thing['serial']}}")
    expect(thing["serial"] not in revoked(), "its own certificate is revoked")


def no_thing(gone):
    expect(json.loads(must([PROGRAM, "list", "--json"])) == [], "it is still in the list")
    left = [str(p) for p in Path(".").rglob("*") if NAME in p.name]
    expect(not left, f"left over: {left}")
    expect(revoked() >= gone, f"not revoked: {gone - revoked()}")


def afterwards(command, then, kind, before):
    must([PROGRAM, "list"])  # whatever was left, listing works
    seen = before | certificates(kind)
    gone = before
    if command == "rotate" and os.path.exists(f"certificates/{NAME}/thing.json"):
        record = json.loads(Path(f"certificates/{NAME}/thing.json").read_text(encoding="utf-8"))
        if record["state"] == "active" and record["serial"] not in before:
            gone = before | {record["serial"]}  # it was killed when all was done: the next is another rotation
    if then == "delete" or command == "delete":
        ran = run([PROGRAM, "delete", NAME])
        gone_already = ran.returncode == 1 and "there is no thing" in ran.stderr and not os.path.exists(f"certificates/{NAME}")
        expect(ran.returncode == 0 or gone_already, f"delete: exit {ran.returncode}: {ran.stderr}")
        no_thing(seen)
    else:
        ran = run([PROGRAM, *WORDS[command]])
        done_already = command.endswith("create") and ran.returncode == 1 and "exists already" in ran.stderr
        expect(ran.returncode == 0 or done_already, f"{command} again: exit {ran.returncode}: {ran.stderr}")
        one_thing(kind, gone)
    nothing_temporary(command == "first-create" and then == "delete")


def ways(command, way):
    """Rows of attempts, each (its name, what goes before the program, environment); a row ends when a run is not killed."""
    if way == "points":
        for point in POINTS[command]:
            yield [(point, [], {"SENSORFORGE_FAULT": point})]
        yield ((f"rename:{number}", [], {"SENSORFORGE_FAULT": f"rename:{number}"}) for number in range(1, 1000))
    else:
        # A first create makes an RSA key each time; what it shares with every create is tried there.
        for call in ["mkdir", "write", "renameat2"] if command == "first-create" else CALLS:
            yield ((f"{call} {number}", ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                                         f"inject={call}:signal=SIGKILL:when={number}"], {})
                   for number in range(1, 1000, 1 if os.environ.get("SOAK") else 3))


def attempt(base, copy, command, then, kind, before, point, prefix, environment):
    """Whether it was killed, and what was wrong then (or with the run that was not)."""
    shutil.copytree(base, copy, symlinks=True)
    os.chdir(copy)
    try:
        ran = run([*prefix, PROGRAM, *WORDS[command]], **environment)
        if ran.returncode not in (-9, 137):
            missed = point in POINTS[command]
            return False, f"not killed: exit {ran.returncode} {ran.stderr}" if missed or ran.returncode else ""
        afterwards(command, then, kind, before)
        return True, ""
    except Wrong as error:
        return True, str(error)
    finally:
        os.chdir(base)
        shutil.rmtree(copy)


def main(command, way, then, kind="esp32air"):
    home = Path.cwd()
    if way == "calls" and ("sanitized" in PROGRAM or run(["strace", "-o", "/dev/null", "true"]).returncode):
        print("strace cannot trace here" if "sanitized" not in PROGRAM else "a sanitized program cannot be traced")
        return 77
    killed, wrong = 0, []
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        shutil.copytree(home, base, symlinks=True)
        os.chdir(base)
        with open("sensortypes/notes", "w", encoding="utf-8"):
            pass  # a file that is nobody's, in the way of whoever clears up too much
        WORDS["create"] += ["-t", kind]
        WORDS["first-create"] += ["-t", kind]
        if command != "first-create":
            must([PROGRAM, "create", NAME, "-t", kind])
            if command == "create":
                shutil.rmtree(f"certificates/{NAME}")
                shutil.rmtree(f"sensortypes/{kind}/sensors")
        before = certificates(kind) if command != "create" else set()
        for row in ways(command, way):
            for point, prefix, environment in row:
                died, fault = attempt(base, Path(folder) / "copy", command, then, kind, before, point, prefix, environment)
                killed += died
                if fault:
                    wrong.append(f"{command} killed at {point}, then {then}: {fault}")
                if not died:
                    break
        os.chdir(home)
    print(f"{command}, {way}: killed {killed} times")
    print("\n".join(wrong[:10]), file=sys.stderr)
    return 1 if wrong or killed < len(POINTS[command]) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
