# Counts pulses. count and amount are since the reading before, total is all that there were.
import machine
import time

from common import replace

try:
    from esp32 import PCNT
except ImportError:
    PCNT = None

SAVE_MS = 600000  # flash wears out; a power cut costs as much at most
WRAP = 32767  # PCNT counts up to that, and goes on from 0


# How many decimals a number has, of nine at most. A board's float has 22 bits or more, six digits.
def decimals(value):
    for places in range(9):
        units = value * 10**places
        if abs(units - round(units)) <= abs(units) * 2e-6:
            return places
    return 9


class Driver:
    def __init__(self, pin, pull="up", edge="falling", debounce=20, scale=1, start=0):
        self.path = "/pulses.%d" % pin
        self.scale, self.debounce = scale, debounce
        self.places = max(decimals(scale), decimals(start))
        self.start, self.step = round(start * 10**self.places), round(scale * 10**self.places)
        try:
            with open(self.path) as file:
                self.counted = int(file.read())
        except (OSError, ValueError):
            self.counted = 0
        self.told = self.saved = self.counted
        self.last = self.saved_at = time.ticks_ms()
        resistor = None if pull == "none" else getattr(machine.Pin, "PULL_" + pull.upper())
        self.pin = machine.Pin(pin, machine.Pin.IN, resistor)
        self.counter = None
        self.listen(edge == "rising", resistor)

    # What does not bounce may come fast: hardware counts it where there is some, and no edge but the one is of interest.
    def listen(self, rising, resistor):
        pin = self.pin
        if PCNT and not self.debounce:
            edges = dict(rising=PCNT.INCREMENT) if rising else dict(falling=PCNT.INCREMENT)
            self.counter = PCNT(0, pin=pin, max=WRAP, filter=1023, **edges)
            self.counter.irq(self.wrapped, PCNT.IRQ_MAX)
            self.counter.start()
            pin.init(pin.IN, resistor)  # PCNT has set its own
            return
        self.level, self.idle = pin.value(), int(not rising)
        trigger = pin.IRQ_RISING if rising else pin.IRQ_FALLING
        handler = self.each
        if self.debounce:
            trigger, handler = pin.IRQ_RISING | pin.IRQ_FALLING, self.bounces
        try:
            pin.irq(handler, trigger, hard=True)
        except (TypeError, ValueError):  # only some boards have hard interrupts
            pin.irq(handler, trigger)

    # Inside of an interrupt: nothing may be allocated.
    def each(self, _):
        self.counted += 1

    # A contact bounces when it closes and when it opens: each edge moves the dead time. An edge after it counts if the
    # line was idle before: what the level is now may be a bounce already. After six days a difference of ticks is negative.
    def bounces(self, pin):
        now = time.ticks_ms()
        if self.level == self.idle and not 0 <= time.ticks_diff(now, self.last) < self.debounce:
            self.counted += 1
        self.last = now
        self.level = pin.value()

    def wrapped(self, counter):
        if counter.irq().flags() & PCNT.IRQ_MAX:
            self.counted += WRAP

    def save(self, counted):
        self.saved_at = time.ticks_ms()
        try:
            with open(self.path + ".new", "w") as file:
                file.write(str(counted))
            replace(self.path + ".new", self.path)
            self.saved = counted
        except OSError as error:
            print("pulse: %r" % error)

    # The total is counted in integers, as (units, decimals): a float would stop at seven digits.
    def read(self):
        counted = self.counted
        if self.counter:
            now = counted + self.counter.value()
            while counted != self.counted:  # it has wrapped just now
                counted = self.counted
                now = counted + self.counter.value()
            counted = now
        count, self.told = counted - self.told, counted
        if counted != self.saved and not 0 <= time.ticks_diff(time.ticks_ms(), self.saved_at) < SAVE_MS:
            self.save(counted)
        return dict(count=count, amount=self.scale * count, total=(self.start + self.step * counted, self.places))
