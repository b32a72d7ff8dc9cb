# What only the RP2040 and RP2350 do their own way.
import machine
import network
import os
import time

SMALL = False

VERIFIES_SERVER = True

DRIFT_MS = 3600000
GOOD_MS = 6 * 3600000

REFUSED_MS = 5000

WATCHDOG_MS = 8000
TIMER = -1

MEMORY = 2048
MEMORY_IS_FREE = False


def write(path, data):
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.rename(path + ".new", path)


def load():
    with open("/memory", "rb") as file:
        return file.read()


def save(data):
    write("/memory", data)


def leave():
    try:
        write("/wake", str((time.time_ns() + 500000000) // 1000000000).encode())
    except OSError:
        pass


def come_back():
    try:
        with open("/wake") as file:
            now = int(file.read())
        os.remove("/wake")
    except (OSError, ValueError):
        return False
    if machine.reset_cause() == machine.PWRON_RESET:
        return False
    t = time.gmtime(now)
    machine.RTC().datetime((t[0], t[1], t[2], t[6], t[3], t[4], t[5], 0))
    return True


WOKE = come_back()
FRESH = not WOKE and machine.reset_cause() == machine.PWRON_RESET


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
    leave()
    machine.reset()
