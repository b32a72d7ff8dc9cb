# What only the ESP32 does its own way.
import machine
import network

SMALL = False

VERIFIES_SERVER = True

DRIFT_MS = 3600000
GOOD_MS = 6 * 3600000

REFUSED_MS = 15000

WATCHDOG_MS = 60000
TIMER = 0

MEMORY = 2047
MEMORY_IS_FREE = True

WOKE = machine.reset_cause() == machine.DEEPSLEEP_RESET
FRESH = machine.reset_cause() == machine.PWRON_RESET


def load():
    return machine.RTC().memory()[1:]


def save(data):
    machine.RTC().memory((machine.RTC().memory()[:1] or b"\0") + data)


def radio_off():
    wlan = network.WLAN(network.STA_IF)
    try:
        wlan.disconnect()
    except OSError:
        pass
    wlan.active(False)


def hurry(_):
    pass


def reset():
    machine.reset()
