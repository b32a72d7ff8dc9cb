# Joins the wifi. What fails raises, within bounded time.
import network
import time

from common import config, memory

LONGEST_MS = 20000
REFUSED_MS = 5000

wlan = network.WLAN(network.STA_IF)


def networks():
    found = [config["wifi"]]
    return found


def refusal(status):
    for name in ("WRONG_PASSWORD", "NO_AP_FOUND", "CONNECT_FAIL"):
        if status == getattr(network, "STAT_" + name, None):
            return name


def join():
    wlan.active(True)
    if not wlan.isconnected():
        found = networks()
        wifi = found[memory["network"] % len(found)]
        wlan.connect(wifi["ssid"], wifi["password"] or None)
        began = heard = time.ticks_ms()
        while not wlan.isconnected():
            now, status = time.ticks_ms(), wlan.status()
            if not refusal(status):
                heard = now
            if time.ticks_diff(now, began) > LONGEST_MS or time.ticks_diff(now, heard) > REFUSED_MS:
                memory["network"] = (memory["network"] + 1) % len(found)
                off()
                raise OSError("wifi: %s" % (refusal(status) or "status %s" % status))
            time.sleep_ms(20)
    memory["offline"] = 0


def off():
    try:
        wlan.disconnect()
    except OSError:
        pass
    wlan.active(False)
