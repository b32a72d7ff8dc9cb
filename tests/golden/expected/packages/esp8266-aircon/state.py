# The memory that outlives a reset: taken up at the start, put down before a sleep.
import json

import board
import common
from common import memory


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


def time_of(record):
    return int(record.split(" ", 1)[0])


def recall():
    try:
        memory.update(json.loads(checked(board.load())))
    except (OSError, TypeError, ValueError):
        pass
    if memory["failed"]:
        print("an earlier run ended with %s" % memory["failed"])
    if not board.WOKE:
        memory["read_in"] = 0
    if board.FRESH:
        memory["failures"] = memory["try_in"] = 0
    if common.now_ms() + 1000 < memory["ran"]:
        memory["pending"] = [r for r in memory["pending"] if time_of(r) >= common.SET_MS]


def remember():
    memory["ran"] = common.now_ms()
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


def remember_failure(error):
    memory["failed"] = repr(error)[:80]
    remember()
