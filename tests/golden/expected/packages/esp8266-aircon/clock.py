# Sets the clock.
import time

import board
from common import SET_MS, config, memory, now_ms

GOOD_MS = 6 * 3600000
ASK_MS = 3600000

drift_ms = board.DRIFT_MS if board.WOKE else GOOD_MS


def is_set():
    return now_ms() >= SET_MS


def is_set_for(ms):
    return is_set() and 0 <= now_ms() - memory["set_at"] < ms


def set_by(router):
    global drift_ms
    asked = memory["asked_at"] and 0 <= now_ms() - memory["asked_at"] < ASK_MS
    if is_set_for(drift_ms) or (asked and (is_set() or not board.VERIFIES_SERVER)):
        return
    import ntptime

    ntptime.timeout = 2
    for host in (config["ntp"], router):
        before, ticks = now_ms(), time.ticks_ms()
        try:
            ntptime.host = host
            ntptime.settime()
        except Exception as error:
            print("clock: %s: %r" % (host, error))
            continue
        jump = now_ms() - before - time.ticks_diff(time.ticks_ms(), ticks)
        for i, record in enumerate(memory["pending"]):
            at, fields = record.split(" ", 1)
            memory["pending"][i] = "%d %s" % (int(at) + jump, fields)
        memory["set_at"], memory["asked_at"], drift_ms = now_ms(), 0, GOOD_MS
        return
    memory["asked_at"] = now_ms()
