#!/usr/bin/env python3
"""zsh_complete.py FUNCTIONS FOLDER LINE...: what an interactive zsh makes of each line and the Tab key.

FUNCTIONS holds _sensorforge; the shell works in FOLDER. Prints each completed line.
"""

import os
import pty
import re
import select
import sys
import time


def read_until(terminal, mark, seconds=20):
    shown, end = b"", time.monotonic() + seconds
    while mark not in shown and time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            shown += os.read(terminal, 65536)
    if mark not in shown:
        sys.exit(f"zsh did not answer: {shown!r}")
    return shown


def main(functions, folder, lines):
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="dumb", ZDOTDIR=functions, PS1="", PS2="")
        os.execvp("zsh", ["zsh", "-f", "-i"])
    setup = (f"unsetopt zle_bracketed_paste prompt_cr prompt_sp; PS1=; fpath=({functions} $fpath); cd {folder}; "
             "autoload -Uz compinit; compinit -u -D; "
             # Control-X shows what the line has become, and empties it.
             "show() { print -r -- \"<<$BUFFER>>\"; BUFFER= }; zle -N show; bindkey '^X' show; print rea''dy\n")
    os.write(terminal, setup.encode())
    read_until(terminal, b"ready\r\n")
    for line in lines:
        os.write(terminal, line.encode() + b"\t")
        time.sleep(0.3)
        os.write(terminal, b"\x18")
        print(re.search(rb"<<(.*?)>>", read_until(terminal, b">>")).group(1).decode())
    os.close(terminal)


main(sys.argv[1], sys.argv[2], sys.argv[3:])
