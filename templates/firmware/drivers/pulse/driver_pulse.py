# Counts pulses by interrupt. count and amount are since the reading before, total is all that there were.
import machine
import time

from common import replace

SAVE_MS = 600000  # flash wears out; a power cut costs as much at most


class Driver:
    def __init__(self, pin, pull="up", edge="falling", debounce=20, scale=1, start=0):
        self.path = "/pulses.%d" % pin
        self.scale, self.start, self.debounce = scale, start, debounce
        try:
            with open(self.path) as file:
                self.counted = int(file.read())
        except (OSError, ValueError):
            self.counted = 0
        self.told = self.saved = self.counted
        self.last = self.saved_at = time.ticks_ms()
        resistor = None if pull == "none" else getattr(machine.Pin, "PULL_" + pull.upper())
        self.pin = machine.Pin(pin, machine.Pin.IN, resistor)
        trigger = getattr(machine.Pin, "IRQ_" + edge.upper())
        try:
            self.pin.irq(self.pulse, trigger, hard=True)
        except (TypeError, ValueError):  # only some boards have hard interrupts
            self.pin.irq(self.pulse, trigger)

    # Inside of an interrupt: nothing may be allocated.
    def pulse(self, _):
        now = time.ticks_ms()
        if time.ticks_diff(now, self.last) >= self.debounce:
            self.last = now
            self.counted += 1

    def save(self, counted):
        self.saved_at = time.ticks_ms()
        try:
            with open(self.path + ".new", "w") as file:
                file.write(str(counted))
            replace(self.path + ".new", self.path)
            self.saved = counted
        except OSError as error:
            print("pulse: %r" % error)

    def read(self):
        counted = self.counted
        count, self.told = counted - self.told, counted
        if counted != self.saved and time.ticks_diff(time.ticks_ms(), self.saved_at) >= SAVE_MS:
            self.save(counted)
        return dict(count=count, amount=self.scale * count, total=self.start + self.scale * counted)
