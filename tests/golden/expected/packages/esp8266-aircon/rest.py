# What a board does until something is due.
import time
from micropython import const

import cycle
import sleep
import watch
from common import memory, once

_DAY = const(86400000)
_MARGIN_SECONDS = const(90)
_LASTING = const(60000)


def sleep_deep():
    once("backlog", "keep")
    cycle.spend()
    wait = min(cycle.next_in(), sleep.LONGEST_MS)
    cycle.spend(wait)
    once("state", "remember")
    sleep.deep(max(wait, 1), watch)


def rest():
    wait = min(cycle.next_in(), _DAY)
    watch.guard(wait // 1000 + _MARGIN_SECONDS, cycle.hung)
    if cycle.client:
        return hold(wait)
    wake_at = time.ticks_add(time.ticks_ms(), wait)
    while time.ticks_diff(wake_at, time.ticks_ms()) > 0:
        time.sleep_ms(min(time.ticks_diff(wake_at, time.ticks_ms()), 1000))
        watch.feed()


def hold(wait):
    import link

    began = time.ticks_ms()
    try:
        if link.hold(cycle.client, wait):
            memory["read_in"] = 0
    except Exception as error:
        cycle.hang_up()
        print("connection: %r" % error)
        if time.ticks_diff(time.ticks_ms(), began) < _LASTING:
            cycle.count_failure()
