# How the RP2040 and RP2350 sleep.
import machine
import time

import board

LONGEST_MS = 400000000

NAP_MS = 6000


def light(ms, watch):
    board.radio_off()
    watch.stop()
    wake_at = time.ticks_add(time.ticks_ms(), ms)
    while time.ticks_diff(wake_at, time.ticks_ms()) > 0:
        machine.lightsleep(min(time.ticks_diff(wake_at, time.ticks_ms()), NAP_MS))
        watch.feed()


def deep(ms, watch):
    light(ms, watch)
    board.reset()
