# What only the ESP8266 does its own way.
import machine

SMALL = True

VERIFIES_SERVER = False

DRIFT_MS = 0
GOOD_MS = 600000

REFUSED_MS = 5000

WATCHDOG_MS = None
TIMER = -1

MEMORY = 491
MEMORY_IS_FREE = True

WOKE = machine.reset_cause() == machine.DEEPSLEEP_RESET
FRESH = machine.reset_cause() in (machine.PWRON_RESET, machine.HARD_RESET)



def load():
    return machine.RTC().memory()[1:]


def save(data):
    machine.RTC().memory((machine.RTC().memory()[:1] or b"\0") + data)


def radio_off():
    pass


def hurry(on):
    machine.freq(160000000 if on else 80000000)


def reset():
    machine.reset()
