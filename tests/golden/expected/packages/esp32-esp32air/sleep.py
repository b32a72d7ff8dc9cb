# How the ESP32 sleeps.
import machine
import time

import board

LONGEST_MS = 400000000

NAP_MS = 30000


def deep(ms, _):
    machine.deepsleep(ms)


def light(ms, watch):
    board.radio_off()
    wake_at = time.ticks_add(time.ticks_ms(), ms)
    while time.ticks_diff(wake_at, time.ticks_ms()) > 0:
        machine.lightsleep(min(time.ticks_diff(wake_at, time.ticks_ms()), NAP_MS))
        watch.feed()
