# Reads the sensor, publishes the reading, sleeps: run() is the story, board.py what differs between boards.
import gc
import machine
import random
import time
from micropython import const

import board
import link
import watch
from common import memory, once, size

_ATTEMPT_SECONDS = const(90)
_FIRST_PAUSE = const(15000)
_LONGEST_PAUSE = const(3600000)
_DAY = const(86400000)
_EVERY = const(300000)

client = None
since = time.ticks_ms()


def spend(slept=0):
    global since
    now = time.ticks_ms()
    ms = time.ticks_diff(now, since) + slept
    since = now
    for name in ("read_in", "try_in"):
        memory[name] = max(memory[name] - ms, 0)
    memory["offline"] = 0 if client else min(memory["offline"] + ms, 2 * _DAY)


def count_failure(more=1):
    spend()
    memory["failures"] = min(memory["failures"] + more, 255)
    pause = min(_FIRST_PAUSE << min(memory["failures"] - 1, 10), _LONGEST_PAUSE)
    memory["try_in"] = pause - (pause >> 10) * random.getrandbits(8)


def hung():
    print("no end")
    try:
        once("rest", "sleep_deep")
    finally:
        machine.reset()


def restart():
    once("backlog", "keep")
    once("state", "remember")
    board.reset()


def waits():
    return size("/kept.0") + size("/kept.1") > 0


def wants_link():
    return memory["pending"] or waits()


def next_in():
    if memory["failures"] and wants_link():
        return min(memory["read_in"], memory["try_in"])
    return memory["read_in"]


def attempt():
    global client
    if not client:
        once("wifi", "join")
    once("clock", "set")
    if not client:
        client = link.connect()
    for record in memory["pending"][:]:
        if link.publish(client, record):
            memory["pending"].remove(record)
    if waits():
        once("backlog", "send", lambda record: link.publish(client, record))


def try_once():
    count_failure()
    if board.MEMORY_IS_FREE:
        once("state", "remember")
    try:
        attempt()
        memory["failures"] = memory["try_in"] = 0
        hang_up()
    except Exception as error:
        hang_up()
        print("failed: %r" % error)
        count_failure(0)
        if isinstance(error, MemoryError):
            memory["failed"] = repr(error)


def hang_up():
    global client
    if client:
        link.close(client)
    client = None
    gc.collect()


def run():
    once("state", "recall")
    while True:
        watch.guard(_ATTEMPT_SECONDS, hung)
        if memory["read_in"] <= 0:
            memory["read_in"] = _EVERY
            memory["pending"].append(once("reading", "take"))
        if memory["try_in"] <= 0 and wants_link():
            try_once()
        if memory["pending"]:
            once("backlog", "keep")
        spend()
        once("rest", "rest")
        spend()
