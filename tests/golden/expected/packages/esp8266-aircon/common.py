# What the other modules share: the configuration, the clock, and a little memory that outlives a reset.
import board
import json
import os
import time

with open("config.json") as file:
    config = json.load(file)

EPOCH_MS = 946684800000 if time.gmtime(0)[0] == 2000 else 0
SET_MS = 1704067200000

memory = dict(failures=0, network=0, skip=0, read_in=0, try_in=0, offline=0, set_at=0, asked_at=0, ran=0, pending=[])


def now_ms():
    return time.time_ns() // 1000000 + EPOCH_MS


def checksum(text):
    a = b = 7
    for byte in text.encode():
        a = (a + byte) % 251
        b = (b + a) % 251
    return "%02x%02x " % (a, b)


def checked(data):
    try:
        text = data.decode()
    except UnicodeError:
        return None
    return text[5:] if len(text) > 5 and text[:5] == checksum(text[5:]) else None


def recall():
    try:
        memory.update(json.loads(checked(board.load())))
    except (OSError, TypeError, ValueError):
        pass


def remember():
    memory["ran"] = now_ms()
    while True:
        text = json.dumps(dict([(name, value) for name, value in memory.items() if value]))
        data = (checksum(text) + text).encode()
        if len(data) <= board.MEMORY or not memory["pending"]:
            break
        print("memory: full, a reading is lost")
        memory["pending"].pop(0)
    try:
        board.save(data)
    except (OSError, ValueError) as error:
        print("memory: %r" % error)


def size(path):
    try:
        return os.stat(path)[6]
    except OSError:
        return 0


def replace(made, path):
    try:
        os.rename(made, path)
    except OSError:
        os.remove(path)
        os.rename(made, path)
