# ds18x20: thermometers on a OneWire bus. A conversion takes 750 ms; before that they say what they said before, and at
# first 85 degrees, as the chip does.
import _world

_CONVERSION_US = 750000


class DS18X20:
    def __init__(self, onewire):
        self.ow = onewire
        self.started = None
        self.last = {}

    def scan(self):
        return self.ow.scan()

    def convert_temp(self):
        self.ow.reset(True)
        self.started = _world.now_us()

    def read_temp(self, rom):
        self.ow.reset(True)
        device = self.ow.device(rom)
        if device is None or _world.fault("sensor") == "crc":  # nobody pulls the line down: all ones
            raise Exception("CRC error")
        if self.started is not None and _world.now_us() - self.started >= _CONVERSION_US:
            self.started = None
            value = device.measure()["temperature"]
            self.last[bytes(rom)] = value if value != value else round(value * 16) / 16
        return self.last.get(bytes(rom), 85.0)
