#!/usr/bin/env python3
"""terminal.py [--answer PROMPT TEXT]... -- COMMAND...

Runs the command on a terminal of its own, and writes all that the terminal showed to stdout. When PROMPT appears,
TEXT and Enter are typed. Exits with the command's exit code (124: it took over 30 seconds; 125: a prompt never came).
"""

import os
import pty
import select
import sys
import time


def main(words):
    answers = []
    while words[0] != "--":
        if words[0] != "--answer":
            sys.exit(f"terminal.py: {words[0]}?")
        answers.append((os.fsencode(words[1]), os.fsencode(words[2])))
        words = words[3:]
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(words[1], words[1:])
    shown, seen, end = b"", 0, time.monotonic() + 30
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            got = os.read(terminal, 65536)
        except OSError:  # the other side was closed
            break
        if not got:
            break
        shown += got
        if answers and answers[0][0] in shown[seen:]:
            seen = len(shown)
            time.sleep(0.05)  # until the program has switched the echo off
            os.write(terminal, answers.pop(0)[1] + b"\n")
    else:
        sys.stdout.buffer.write(shown)
        os.kill(child, 9)
        return 124
    sys.stdout.buffer.write(shown)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return 125 if answers else code if code >= 0 else 128 - code


sys.exit(main(sys.argv[1:]))
