# Readings that could not be sent: kept.0 the older, kept.1 the newer.
import os

from common import SET_MS, memory, replace, size
from state import checked, checksum, time_of

OLD, NEW = "/kept.0", "/kept.1"
LARGEST = 8192
MOST_PENDING = 8


def remove(path):
    os.remove(path)
    memory["skip"] = 0


def append(record):
    line = ("\n%s%s\n" % (checksum(record), record)).encode()
    if size(NEW) + len(line) > LARGEST:
        if size(OLD):
            remove(OLD)
        replace(NEW, OLD)
    with open(NEW, "ab") as file:
        file.write(line)


def keep():
    pending = memory["pending"]
    while pending and time_of(pending[0]) >= SET_MS:
        try:
            append(pending[0])
            pending.pop(0)
        except OSError as error:
            print("kept: the flash takes no more: %r" % error)
            if len(pending) <= MOST_PENDING:
                break
            print("kept: the oldest are lost")
            if size(OLD) + size(NEW):
                remove(OLD if size(OLD) else NEW)
            else:
                pending.pop(0)
    del pending[: max(0, len(pending) - 4 * MOST_PENDING)]


def send(publish, most=100):
    for path in (OLD, NEW):
        if not size(path):
            continue
        with open(path, "rb") as file:
            number = 0
            for line in file:
                record = checked(line.rstrip(b"\n"))
                if record is None:
                    continue
                number += 1
                if number == 1 and memory["first"] != time_of(record):
                    memory["first"], memory["skip"] = time_of(record), 0
                if number <= memory["skip"]:
                    continue
                if not most:
                    return
                publish(record)
                memory["skip"] = number
                most -= 1
        print("kept: %d sent" % number)
        remove(path)
