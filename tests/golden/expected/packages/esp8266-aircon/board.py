# What only the ESP8266 does its own way.
import machine

VERIFIES_SERVER = False

LONGEST_SLEEP_MS = 4200000

DRIFT_MS = 0

WATCHDOG_MS = None
TIMER = -1
NAP_MS = 30000

MEMORY = 492
MEMORY_IS_FREE = True

WOKE = machine.reset_cause() == machine.DEEPSLEEP_RESET
FRESH = machine.reset_cause() in (machine.PWRON_RESET, machine.HARD_RESET)

POINT_FIRST = True
POINT_SECURITY = 3


def load():
    return machine.RTC().memory()


def save(data):
    machine.RTC().memory(data)


def deepsleep(ms, _):
    clock = machine.RTC()
    clock.irq(trigger=clock.ALARM0, wake=machine.DEEPSLEEP)
    clock.alarm(clock.ALARM0, ms)
    machine.deepsleep()


def reset():
    machine.reset()
