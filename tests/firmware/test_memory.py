#!/usr/bin/env python3
"""What a package costs: heap, flash, time."""

import platform
import subprocess
import sys
import time

from bench import DEEP_SLEEP, ENVIRONMENT, HEAP_KB, MICROPYTHON, TIME_IS_OVER, Board, Broker, Project, main, note, test

PROJECT = Project()
THINGS = {kind: PROJECT.create(f"{kind}-1", kind) for kind in PROJECT.types()}
MODELS = {kind: PROJECT.model(kind) for kind in THINGS}
BROKER = Broker(PROJECT)
BROKER.start()
NARROW = {"x86_64": "i386", "aarch64": "armhf"}.get(platform.machine(), "")
LARGEST_PACKAGE = 28 * 1024
SEEDS_SLEEPS = 20  # seconds that the first sensor of the seed waits in fixed sleeps


def publishes(board):
    """Whether one interval ends as it should: a reading at the broker, and no word of memory."""
    before = len(BROKER.received(board.topic))
    cycles = board.live(min(board.model["publish_every_seconds"], 60))
    time.sleep(0.05)
    return all(c.code in (DEEP_SLEEP, TIME_IS_OVER) and "memory" not in c.said.lower() for c in cycles) and len(BROKER.received(board.topic)) > before


def narrow(kind, **world):
    """A board on a MicroPython of 32 bits, on which objects are as large as on the boards."""
    board = Board(PROJECT, THINGS[kind], kind, speed=200, **world)
    board.environment = ENVIRONMENT | {"SENSORFORGE_ARCHITECTURE": NARROW}
    return board


def heap_that_suffices(kind):
    """KB of the smallest heap in which a board publishes: first with plenty, then ever less. The stand-ins take none of it."""
    low, high = 4, 64
    assert publishes(narrow(kind)), "with plenty of heap"
    while low < high:
        middle = (low + high) // 2
        if publishes(narrow(kind, heap_kb=middle)):
            high = middle
        else:
            low = middle + 1
    return low


def has_narrow():
    """Not every kernel runs programs of 32 bits."""
    environment = ENVIRONMENT | {"SENSORFORGE_ARCHITECTURE": NARROW}
    return NARROW and subprocess.run([MICROPYTHON, "-c", ""], env=environment, capture_output=True, check=False).returncode == 0


for each in [k for k in THINGS if MODELS[k]["platform"] == "esp8266"] if has_narrow() else ():
    def heap(kind=each):
        peak = heap_that_suffices(kind)
        note(f"{kind}: {peak} KB of heap suffice, TLS aside")
        assert peak <= HEAP_KB, f"{peak} KB"
    heap.__name__ = f"heap_of_{each}"
    heap.__doc__ = f"{each}: publishes in the heap that a board has"
    test(heap)


@test
def size_of_the_packages():
    """A package is small"""
    for kind, package in THINGS.items():
        sizes = [p.stat().st_size for p in package.rglob("*") if p.is_file()]
        note(f"{kind}: {len(sizes)} files, {sum(sizes) / 1024:.1f} KB")
        assert sum(sizes) < LARGEST_PACKAGE, f"{kind}: {sum(sizes)} bytes"


@test
def time_from_reset_to_sleep():
    """From reset to deep sleep takes less than a second, beside what sensors take"""
    for kind in (k for k in THINGS if MODELS[k]["sleep"] == "deep"):
        board = Board(PROJECT, THINGS[kind], kind, speed=1000000)  # what sensors and settling take is skipped
        cycles = [board.cycle() for _ in range(3)]
        best = min(c.seconds for c in cycles)
        took = cycles[-1].state["took_ms"] / 1000
        note(f"{kind}: {best:.2f} s of firmware, {took:.2f} s with its sensor's own time; the seed's first sensor: {SEEDS_SLEEPS} s of fixed sleeps")
        assert best < 1, cycles


@test
def nothing_is_left_behind_in_the_heap():
    """A board that stays awake lives ten minutes in little more heap than it began with"""
    kind = next(k for k in THINGS if MODELS[k]["sleep"] == "none")
    board = narrow(kind, heap_kb=48) if has_narrow() else Board(PROJECT, THINGS[kind], kind, speed=200)
    before = len(BROKER.received(board.topic))
    for cycle in board.live(600):
        assert cycle.code == TIME_IS_OVER and "memory" not in cycle.said.lower(), cycle
    count, wanted = len(BROKER.received(board.topic)) - before, 600 // MODELS[kind]["publish_every_seconds"]
    assert abs(count - wanted) <= 2, f"{count} readings, wanted {wanted}"


if __name__ == "__main__":
    sys.exit(main())
