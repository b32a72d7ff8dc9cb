# What only the ESP32 does its own way.
import machine

VERIFIES_SERVER = True

LONGEST_SLEEP_MS = 400000000

DRIFT_MS = 3600000

WATCHDOG_MS = 60000
TIMER = 0
NAP_MS = 30000

MEMORY = 2048
MEMORY_IS_FREE = True

WOKE = machine.reset_cause() == machine.DEEPSLEEP_RESET
FRESH = machine.reset_cause() == machine.PWRON_RESET

POINT_FIRST = True
POINT_SECURITY = 3


def load():
    return machine.RTC().memory()


def save(data):
    machine.RTC().memory(data)


def deepsleep(ms, _):
    machine.deepsleep(ms)


def reset():
    machine.reset()
