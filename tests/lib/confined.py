#!/usr/bin/env python3
"""confined.py UNIT TRACE: whether what strace -f saw of programs is what a systemd unit lets them do.

Held against SystemCallFilter=, RestrictAddressFamilies=, MemoryDenyWriteExecute=, RestrictNamespaces=, RestrictRealtime= and
RestrictSUIDSGID=. Says each call that the unit would refuse, and ends with 1.
"""

import re
import subprocess
import sys
from pathlib import Path


def groups():
    """Of systemd's groups of calls, what is in each."""
    found, name = {}, None
    for line in subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True, check=True).stdout.splitlines():
        word = line.strip()
        if line.startswith("@"):
            name = word
            found[name] = []
        elif name and word and not word.startswith("#"):
            found[name].append(word)
    return found


def expand(name, known):
    if not name.startswith("@"):
        return {name}
    return set().union(*(expand(inner, known) for inner in known[name]))


def main():
    unit, trace = Path(sys.argv[1]).read_text(), Path(sys.argv[2]).read_text(errors="replace")
    settings = dict(re.findall(r"^(\w+)=(.*)$", unit, re.MULTILINE))
    known, refused = groups(), set()
    allowed = set().union(*(expand(word, known) for word in settings["SystemCallFilter"].split()))
    families = set(settings["RestrictAddressFamilies"].split())
    calls = re.findall(r"^(?:\d+ +)?(\w+)\((.*)$", trace, re.MULTILINE)
    for name, rest in calls:
        if name not in allowed:
            refused.add(f"the call {name}")
        if name in ("socket", "socketpair") and rest.split(",")[0] not in families:
            refused.add(f"a socket of {rest.split(',')[0]}")
        if settings.get("MemoryDenyWriteExecute") == "yes" and "PROT_EXEC" in rest and (
                name == "mmap" and "PROT_WRITE" in rest or name in ("mprotect", "pkey_mprotect")):
            refused.add(f"memory that is code and data: {name}({rest}")
        if settings.get("RestrictNamespaces") == "yes" and (name == "setns" or "CLONE_NEW" in rest):
            refused.add(f"a namespace: {name}({rest}")
        if settings.get("RestrictRealtime") == "yes" and name.startswith("sched_set") and re.search(r"SCHED_(FIFO|RR|DEADLINE)", rest):
            refused.add(f"real time: {name}({rest}")
        if settings.get("RestrictSUIDSGID") == "yes" and re.search(r"S_IS[UG]ID|0[2467]\d{3}\b", rest) and "chmod" in name:
            refused.add(f"a program for everybody: {name}({rest}")
    print(f"{len(calls)} calls of {len({n for n, _ in calls})} kinds")
    for line in sorted(refused):
        print(f"refused: {line}")
    return 1 if refused or not calls else 0


if __name__ == "__main__":
    sys.exit(main())
