# Joins the wifi. What fails raises, within bounded time.
import network
import time
from micropython import const

import board
from common import memory, settings

_LONGEST_MS = const(20000)


def networks():
    found = [settings()["wifi"]]
    return found


def refusal(status):
    for name in ("WRONG_PASSWORD", "NO_AP_FOUND", "CONNECT_FAIL"):
        if status == getattr(network, "STAT_" + name, None):
            return name


def join():
    wlan = network.WLAN(network.STA_IF)
    found = networks()
    wifi = found[memory["network"] % len(found)]
    if not wlan.active():
        wlan.active(True)
    by_itself = wlan.config("ssid") == wifi["ssid"] and (wlan.isconnected() or wlan.status() == network.STAT_CONNECTING)
    if not by_itself:
        wlan.connect(wifi["ssid"], wifi["password"] or None)
    began = heard = time.ticks_ms()
    while not wlan.isconnected():
        now, status = time.ticks_ms(), wlan.status()
        if not refusal(status):
            heard = now
        elif by_itself:
            by_itself, heard = False, now
            wlan.connect(wifi["ssid"], wifi["password"] or None)
        if time.ticks_diff(now, began) > _LONGEST_MS or time.ticks_diff(now, heard) > board.REFUSED_MS:
            memory["network"] = (memory["network"] + 1) % len(found)
            board.radio_off()
            raise OSError("wifi: %s" % (refusal(status) or "status %s" % status))
        time.sleep_ms(20)
    memory["offline"] = 0
