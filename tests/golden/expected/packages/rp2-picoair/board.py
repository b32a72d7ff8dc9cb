# What only the RP2040 and RP2350 do their own way.
import machine
import os
import time

VERIFIES_SERVER = True

LONGEST_SLEEP_MS = 400000000

DRIFT_MS = 3600000

WATCHDOG_MS = 8000
TIMER = -1
NAP_MS = 6000

MEMORY = 2048
MEMORY_IS_FREE = False

POINT_FIRST = False
POINT_SECURITY = 0x00400004


def write(path, data):
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.rename(path + ".new", path)


def load():
    with open("memory", "rb") as file:
        return file.read()


def save(data):
    write("memory", data)


def leave(ms):
    try:
        write("wake", str(time.time() + ms // 1000).encode())
    except OSError:
        pass


def come_back():
    try:
        with open("wake") as file:
            now = int(file.read())
        os.remove("wake")
    except (OSError, ValueError):
        return False
    if machine.reset_cause() == machine.PWRON_RESET:
        return False
    t = time.gmtime(now)
    machine.RTC().datetime((t[0], t[1], t[2], t[6], t[3], t[4], t[5], 0))
    return True


WOKE = come_back()
FRESH = not WOKE and machine.reset_cause() == machine.PWRON_RESET


def deepsleep(ms, feed):
    import network

    network.WLAN(network.STA_IF).active(False)
    leave(ms)
    while ms > NAP_MS:
        machine.lightsleep(NAP_MS)
        feed()
        ms -= NAP_MS
    machine.deepsleep(ms)


def reset():
    leave(0)
    machine.reset()
