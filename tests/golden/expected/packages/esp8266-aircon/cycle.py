# Reads the sensor, publishes the reading, sleeps: run() is the story, board.py what differs between boards.
import gc
import machine
import random
import sys
import time

import backlog
import board
import common
import watch
from common import config, memory

ATTEMPT_SECONDS = 90
FIRST_PAUSE = 15000
LONGEST_PAUSE = 3600000
LASTING = 60000
QUIET = 1000
DAY = 24 * 3600000
EVERY = config["publish_every_seconds"] * 1000
DEEP = config["sleep"] == "deep"
AWAKE = config["sleep"] == "none"

client = None
state = ""
since = time.ticks_ms()


def spend(slept=0):
    global since
    now = time.ticks_ms()
    ms = time.ticks_diff(now, since) + slept
    since = now
    for name in ("read_in", "try_in"):
        memory[name] = max(memory[name] - ms, 0)
    memory["offline"] = 0 if client else min(memory["offline"] + ms, 2 * DAY)


def count_failure(more=1):
    spend()
    memory["failures"] = min(memory["failures"] + more, 255)
    pause = min(FIRST_PAUSE << min(memory["failures"] - 1, 10), LONGEST_PAUSE)
    memory["try_in"] = pause - (pause >> 10) * random.getrandbits(8)


def count_success():
    memory["failures"] = memory["try_in"] = 0


def hung():
    print("no end")
    try:
        if DEEP:
            sleep_deep()
        restart()
    finally:
        machine.reset()


def restart():
    backlog.keep()
    common.remember()
    board.reset()


def sleep_deep():
    backlog.keep()
    spend()
    wait = min(next_in(), board.LONGEST_SLEEP_MS)
    spend(wait)
    common.remember()
    board.deepsleep(max(wait, 1), watch.feed)


def wants_link():
    return memory["pending"] or (AWAKE and not client) or backlog.waits()


def next_in():
    if memory["failures"] and wants_link():
        return min(memory["read_in"], memory["try_in"])
    return memory["read_in"]


def attempt():
    global client
    import link

    if client:
        link.clock.set_by(link.wifi.wlan.ifconfig()[2])
    else:
        client = link.connect()
    for record in memory["pending"][:]:
        if link.publish(client, record):
            memory["pending"].remove(record)
    backlog.send(lambda record: link.publish(client, record))
    if not AWAKE:
        import listen

        while listen.hold(client, QUIET):
            pass


def try_once():
    global state
    count_failure()
    if board.MEMORY_IS_FREE:
        common.remember()
    try:
        attempt()
        count_success()
        state = "sent"
        if not AWAKE:
            hang_up()
    except Exception as error:
        print("failed: %r" % error)
        count_failure(0)
        state = "not sent"
        hang_up()
        if isinstance(error, MemoryError) and not DEEP:
            restart()


def hang_up():
    global client
    if client:
        sys.modules["link"].close(client)
    client = None
    gc.collect()


def rest():
    wait = min(next_in(), DAY)
    watch.guard(wait // 1000 + ATTEMPT_SECONDS, hung)
    if DEEP:
        sleep_deep()
    elif client:
        hold(wait)
    else:
        if "wifi" in sys.modules:
            sys.modules["wifi"].off()
        nap = time.sleep_ms if AWAKE else machine.lightsleep
        while wait > 0:
            nap(min(wait, board.NAP_MS))
            wait -= board.NAP_MS
            watch.feed()


def hold(wait):
    import listen

    began = time.ticks_ms()
    try:
        if listen.hold(client, wait):
            memory["read_in"] = 0
    except Exception as error:
        print("connection: %r" % error)
        hang_up()
        if time.ticks_diff(time.ticks_ms(), began) < LASTING:
            count_failure()


def begin():
    common.recall()
    if not board.WOKE:
        memory["read_in"] = 0
    if board.FRESH:
        count_success()
    if common.now_ms() < memory["ran"]:
        memory["pending"] = [r for r in memory["pending"] if backlog.time_of(r) >= common.SET_MS]


def run():
    begin()
    while True:
        watch.guard(ATTEMPT_SECONDS, hung)
        if memory["read_in"] <= 0:
            memory["read_in"] = EVERY
            import reading

            memory["pending"].append(reading.take())
        if memory["try_in"] <= 0 and wants_link():
            try_once()
        backlog.keep()
        gc.collect()
        spend()
        rest()
        spend()

