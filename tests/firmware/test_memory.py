#!/usr/bin/env python3
"""What a package costs: heap, flash, time. `test_memory.py --table` prints it as JSON, a line for each type, for `make bench`."""

import json
import platform
import shutil
import subprocess
import sys

from bench import DEEP_SLEEP, ENVIRONMENT, MICROPYTHON, PASSWORD, SSID, TIME_IS_OVER, Board, Broker, Project, main, note, only, test

PROJECT = Project()
THINGS = {kind: PROJECT.create(f"{kind}-1", kind) for kind in PROJECT.types()}
MODELS = {kind: PROJECT.model(kind) for kind in THINGS}
BROKER = Broker(PROJECT)
BROKER.start()
NARROW = {"x86_64": "i386", "aarch64": "armhf"}.get(platform.machine(), "")
# An ESP8266's heap is 38 KB, of which 35 are free at the start. Above BUDGET_KB there is too little left for a heap in pieces, and for updates.
BUDGET_KB = 30
TLS_KB = 13  # axTLS's peak in a handshake with our broker and RSA-2048 keys: 13,280 bytes, on a MicroPython 1.28 whose axTLS is on the same heap
HANDSHAKE = 919e6  # instructions of axTLS for it, counted on x86; a board needs a cycle for each at least
LARGEST_PACKAGE = 28 * 1024
SEEDS_SLEEPS = 20  # seconds that the first sensor of the seed waits in fixed sleeps


def publishes(board):
    """Whether one interval ends as it should: a reading at the broker, and no word of memory."""
    before = len(BROKER.received(board.topic))
    cycles = board.live(min(board.model["publish_every_seconds"], 60))
    if any(c.code not in (DEEP_SLEEP, TIME_IS_OVER) or "memory" in c.said.lower() or "failed" in c.said for c in cycles):
        return False
    BROKER.wait_for(board.topic, before + 1)  # it was acknowledged
    return True


def narrow(kind, **world):
    """A board on a MicroPython of 32 bits, on which objects are as large as on the boards."""
    board = Board(PROJECT, THINGS[kind], kind, speed=200, **world)
    board.environment = ENVIRONMENT | {"SENSORFORGE_ARCHITECTURE": NARROW}
    return board


def heap_that_suffices(kind, **world):
    """KB, in quarters, of the smallest heap in which a board publishes. The stand-ins take none of it."""
    low, high = 4 * 8, 4 * 40
    assert publishes(narrow(kind, heap_kb=high / 4, **world)), f"{kind} does not publish with {high / 4} KB"
    while low < high:
        middle = (low + high) // 2
        if publishes(narrow(kind, heap_kb=middle / 4, **world)):
            high = middle
        else:
            low = middle + 1
    return low / 4


def has_narrow():
    """Not every kernel runs programs of 32 bits."""
    environment = ENVIRONMENT | {"SENSORFORGE_ARCHITECTURE": NARROW}
    return NARROW and subprocess.run([MICROPYTHON, "-c", ""], env=environment, capture_output=True, check=False).returncode == 0


# What a board's own objects of C are: a timer, the wifi, a socket, a TLS session; TLS_KB has the last one's memory already.
OWN = """
globals()["guard"].deinit()
import gc, machine, network, socket, time, tls


def load(name):
    with open(name, "rb") as file:
        return file.read()


def run():
    gc.collect()
    before = gc.mem_alloc()
    timer = machine.Timer(-1)
    timer.init(mode=machine.Timer.PERIODIC, period=1000, callback=id)
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    wlan.connect({ssid!r}, {password!r})
    while not wlan.isconnected():
        time.sleep_ms(20)
    sock = socket.socket()
    sock.connect(socket.getaddrinfo("iot.local", {port})[0][-1])
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(load("cert.der"), load("key.der"))
    stream = context.wrap_socket(sock, server_hostname="iot.local")
    context.load_cert_chain(None, None)
    gc.collect()
    print("own:", gc.mem_alloc() - before)


run()
"""


def simulators_own(kind):
    """KB of the heap that the stand-ins' objects take while a connection is open, which are Python here, and mbedTLS's structures."""
    board = narrow(kind)
    flash = board.folder / "files"
    shutil.copytree(THINGS[kind], flash / "a")
    (flash / "a/boot.py").rename(flash / "boot.py")
    (flash / "a/main.py").write_text(OWN.format(ssid=SSID, password=PASSWORD, port=PROJECT.port))
    board.simulator("--copy", flash)
    return int(only("own: ([0-9]+)", board.cycle().said)) / 1024


def heap_of(kind):
    """(KB that suffice, of which the simulator's): with what axTLS takes while it takes it."""
    return heap_that_suffices(kind, tls_kb=TLS_KB), simulators_own(kind)


SMALL = [kind for kind in THINGS if MODELS[kind]["platform"] == "esp8266"] if has_narrow() else []
for each in SMALL:
    def heap(kind=each):
        suffices, own = heap_of(kind)
        note(f"{kind}: measured: {suffices} KB of heap suffice with {TLS_KB} KB reserved for axTLS; the simulator's own objects are {own:.2f} KB of it;"
             f" calculated: {suffices - own:.2f} KB on a board")
        assert suffices - own <= BUDGET_KB, f"{suffices - own:.2f} KB, and {BUDGET_KB} are the budget"
    heap.__name__ = f"heap_of_{each}"
    heap.__doc__ = f"{each}: a cycle with TLS inside takes at most {BUDGET_KB} KB of heap"
    test(heap)


@test
def the_budget_of_the_heap_is_enforced():
    """A package that takes 4 KB more than it may does not publish within the budget"""
    if not SMALL:
        return
    kind = SMALL[0]
    own = simulators_own(kind)
    assert publishes(narrow(kind, heap_kb=BUDGET_KB + own, tls_kb=TLS_KB)), "within the budget"
    assert not publishes(narrow(kind, heap_kb=BUDGET_KB + own, tls_kb=TLS_KB + 4)), "4 KB beyond it"


@test
def a_command_that_is_too_large():
    """A queued command for which the heap has no room is dropped at the third try, and readings go on"""
    kinds = [kind for kind in SMALL if MODELS[kind].get("commands")]
    if not kinds:
        return
    board = narrow(kinds[0], heap_kb=36, tls_kb=TLS_KB)
    assert publishes(board), "as long as there is no such command"
    BROKER.publish(json.loads((THINGS[kinds[0]] / "config.json").read_text())["command_topic"], json.dumps("x" * 30000))
    before = len(BROKER.received(board.topic))
    cycles = board.live(900)
    assert any("those that waited are dropped" in c.said for c in cycles), cycles
    got = BROKER.received(board.topic)[before:]
    assert len(got) >= 5 and any("MemoryError" in r.get("_failed", "") for r in got), got


@test
def size_of_the_packages():
    """A package is small"""
    for kind, package in THINGS.items():
        note(f"{kind}: {len(list(package.iterdir()))} files, {size_of(package) / 1024:.1f} KB")
        assert size_of(package) < LARGEST_PACKAGE, f"{kind}: {size_of(package)} bytes"


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


def size_of(package):
    return sum(p.stat().st_size for p in package.rglob("*") if p.is_file())


def table():
    for kind, package in THINGS.items():
        line = {"type": kind, "platform": MODELS[kind]["platform"], "package": size_of(package), "certificate": (package / "cert.der").stat().st_size}
        if kind in SMALL:
            line |= dict(zip(("heap", "own"), heap_of(kind))) | {"tls": TLS_KB, "budget": BUDGET_KB}
            line["seconds"] = {mhz: HANDSHAKE / mhz / 1e6 for mhz in (80, 160)}
        PROJECT.sensorforge("package", f"{kind}-1", "--source")
        print(json.dumps(line | {"source": size_of(package)}), flush=True)


if __name__ == "__main__":
    sys.exit(table() if sys.argv[1:] == ["--table"] else main())
