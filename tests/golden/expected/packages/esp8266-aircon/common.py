# What the other modules share: a little memory that outlives a reset, the clock, files, and room in the heap.
import gc
import os
import sys
import time

import board

EPOCH_MS = 946684800000 if time.gmtime(0)[0] == 2000 else 0
SET_MS = 1704067200000

memory = dict(failures=0, network=0, skip=0, first=0, read_in=0, try_in=0, offline=0, set_at=0, asked_at=0, ran=0, failed="", pending=[])


def settings():
    import json

    with open("config.json") as file:
        return json.load(file)


def once(module, function, *arguments):
    try:
        return getattr(__import__(module), function)(*arguments)
    finally:
        forget(module)


def forget(*modules):
    if board.SMALL:
        for name in modules:
            sys.modules.pop(name, None)
    gc.collect()


def keep_going(error):
    if isinstance(error, MemoryError) and not memory["failed"]:
        raise error


def now_ms():
    return time.time_ns() // 1000000 + EPOCH_MS


def is_set_for(ms):
    return now_ms() >= SET_MS and 0 <= now_ms() - memory["set_at"] < ms


def size(path):
    try:
        return os.stat(path)[6]
    except OSError:
        return 0


def replace(made, path):
    try:
        os.rename(made, path)
    except OSError:
        os.remove(path)
        os.rename(made, path)
