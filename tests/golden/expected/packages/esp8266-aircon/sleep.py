# How the ESP8266 sleeps.
import machine
import time

LONGEST_MS = 4200000


def deep(ms, _):
    clock = machine.RTC()
    clock.irq(trigger=clock.ALARM0, wake=machine.DEEPSLEEP)
    clock.alarm(clock.ALARM0, ms)
    machine.deepsleep()


def light(ms, watch):
    while ms > 0:
        time.sleep_ms(min(ms, 1000))
        ms -= 1000
        watch.feed()
