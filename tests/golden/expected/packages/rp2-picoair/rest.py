# What a board does until something is due.
from micropython import const

import cycle
import sleep
import watch
from common import once

_DAY = const(86400000)
_MARGIN_SECONDS = const(90)


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
    sleep.light(wait, watch)
