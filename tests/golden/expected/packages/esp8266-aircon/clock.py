# Sets the clock.
import machine
import network
import socket
import struct
import time
from micropython import const

import board
from common import EPOCH_MS, SET_MS, is_set_for, memory, now_ms, settings

_ASK_MS = const(3600000)


def ask(host, first, last):
    query = bytearray(48)
    query[0] = 0x23
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.settimeout(2)
        sock.sendto(query, socket.getaddrinfo(host, 123)[0][-1])
        answer = sock.recv(48)
    finally:
        sock.close()
    seconds = struct.unpack("!I", answer[40:])[0]
    if answer[0] & 0xC7 not in (4, 0x44, 0x84) or not 0 < answer[1] < 16 or not seconds:
        raise ValueError("a server without a time")
    seconds += (answer[44] >> 7) - 2208988800
    if seconds < 0:
        seconds += 1 << 32
    if not first <= seconds <= last:
        raise ValueError("%d cannot be" % seconds)
    return seconds


def set():
    now = now_ms()
    good = board.DRIFT_MS if board.WOKE and memory["set_at"] < now - time.ticks_ms() else board.GOOD_MS
    asked = memory["asked_at"] and 0 <= now - memory["asked_at"] < _ASK_MS
    if is_set_for(good) or (asked and (now >= SET_MS or not board.VERIFIES_SERVER)):
        return
    config = settings()
    for host in (config["ntp"], network.WLAN(network.STA_IF).ifconfig()[2]):
        before, ticks = now_ms(), time.ticks_ms()
        try:
            seconds = ask(host, config["made"], config["until"])
        except Exception as error:
            print("clock: %s: %r" % (host, error))
            continue
        at = time.gmtime(seconds - EPOCH_MS // 1000)
        machine.RTC().datetime((at[0], at[1], at[2], at[6], at[3], at[4], at[5], 0))
        jump = now_ms() - before - time.ticks_diff(time.ticks_ms(), ticks)
        for i, record in enumerate(memory["pending"]):
            at, fields = record.split(" ", 1)
            if int(at) <= before:
                memory["pending"][i] = "%d %s" % (int(at) + jump, fields)
        memory["set_at"], memory["asked_at"] = now_ms(), 0
        return
    memory["asked_at"] = now_ms()
