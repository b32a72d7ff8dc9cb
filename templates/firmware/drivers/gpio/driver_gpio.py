# A digital input.
import machine


class Driver:
    def __init__(self, pin, pull="none", invert=False):
        resistor = None if pull == "none" else getattr(machine.Pin, "PULL_" + pull.upper())
        self.pin = machine.Pin(pin, machine.Pin.IN, resistor)
        self.invert = invert

    def read(self):
        return {"state": bool(self.pin.value()) != self.invert}
