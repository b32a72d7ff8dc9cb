# What is wired to the pins: chips on I2C with their registers, levels, voltages, pulses.
import _world


def _crc(data, polynomial, crc):
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ polynomial if crc & 0x80 else crc << 1) & 0xFF
    return crc


# --- pins -------------------------------------------------------------------------------------------


def pin_level(number):
    for device in _world.devices("gpio", pin=number):
        state = list(device.measure().values())[0]
        return int(bool(state) != device.parameters.get("invert", False))
    return _world.pins.get(number, 0)


def analogue(number):
    """0 to 65535, so that offset + scale * fraction is the simulated value."""
    for device in _world.devices("adc", input=number):
        value = list(device.measure().values())[0]
        fraction = (value - device.parameters.get("offset", 0)) / device.parameters.get("scale", 1)
        return 0 if fraction != fraction else min(max(round(fraction * 65535), 0), 65535)
    return 0


class _Pulses:
    """Fires a pin's handler as often between two readings as the simulated count says, evenly."""

    def __init__(self, pin, handler, device):
        self.pin, self.handler, self.device = pin, handler, device
        self.left = 0
        self.plan(_world.now_us())

    def plan(self, now):
        seen = self.device.measure()
        count = seen.get("count", seen.get("amount", 10) / self.device.parameters.get("scale", 1))
        self.left = 0 if count != count else max(round(count), 0)
        self.step = _world.world["type"]["publish_every_seconds"] * 1000000 // max(self.left, 1)
        self.due = now + self.step // 2

    def fire(self):
        if self.left > 0:
            self.left -= 1
            self.handler(self.pin)
        if self.left > 0:
            self.due += self.step
        else:
            self.plan(self.due + self.step // 2)


def pulses(pin, handler):
    for timer in list(_world.timers):
        if isinstance(timer, _Pulses) and timer.pin.number == pin.number:
            _world.timers.remove(timer)
    if handler is None:
        return
    for device in _world.devices("pulse", pin=pin.number):
        _world.timers.append(_Pulses(pin, handler, device))


# --- chips on I2C -----------------------------------------------------------------------------------

_made = {}


def at(where, address):
    """The chip with that address on the bus of two pins, (scl, sda), or None."""
    for driver, kind in (("bme280", _BME280), ("sht3x", _SHT3x)):
        for device in _world.devices(driver, scl=where[0], sda=where[1]):
            if device.parameters.get("address", kind.ADDRESS) == address:
                return _made.setdefault((where, address), kind(device))
    screen = _world.world["type"].get("display")
    if screen and address in ([eval(p["literal"], {}) for p in screen["parameters"] if p["name"] == "address"] or [0x3C]):
        return _made.setdefault((where, address), _Screen())
    return None


class _Screen:
    def write(self, data):
        pass

    def read(self, size):
        return bytes(size)


class _BME280:
    """Bosch's data sheet BST-BME280-DS002, sections 4.2.2 (trimming), 4.2.3 (compensation), 5.3 (registers)."""

    ADDRESS = 118
    T = (27504, 26435, -1000)
    P = (36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
    H = (75, 362, 0, 324, 50, 30)
    SKIPPED = (0x800000, 0x800000, 0x8000)  # what the registers hold of what was not measured

    def __init__(self, device):
        self.device = device
        self.register = 0
        self.memory = bytearray(256)
        self.memory[0xD0] = 0x60
        for i, value in enumerate(self.T + self.P):
            self.memory[0x88 + 2 * i] = value & 0xFF
            self.memory[0x89 + 2 * i] = value >> 8 & 0xFF
        h = self.H
        self.memory[0xA1] = h[0]
        self.memory[0xE1:0xE8] = bytes([h[1] & 0xFF, h[1] >> 8, h[2], h[3] >> 4, h[3] & 15 | (h[4] & 15) << 4, h[4] >> 4, h[5]])
        self.store(*self.SKIPPED)
        self.ready_us = 0

    def store(self, pressure, temperature, humidity):
        self.memory[0xF7:0xFF] = pressure.to_bytes(3, "big") + temperature.to_bytes(3, "big") + humidity.to_bytes(2, "big")

    def write(self, data):
        self.register = data[0]
        for offset, byte in enumerate(data[1:]):
            self.memory[self.register + offset] = byte
        if self.register == 0xE0 and data[1:] == b"\xb6":
            self.store(*self.SKIPPED)
        if self.register == 0xF4 and len(data) > 1 and data[1] & 3:
            self.measure()

    def measure(self):
        self.ready_us = _world.now_us() + 9300
        seen = self.device.measure()
        # A quantity that the spec does not use has a plausible value all the same.
        values = [seen.get(name, usual) for name, usual in (("temperature", 21.0), ("pressure", 1013.0), ("humidity", 45.0))]
        if any(value != value for value in values):
            return self.store(*self.SKIPPED)
        raw_t = _find(lambda raw: self.temperature(raw)[0], values[0], 0, 0xFFFFF)
        fine = self.temperature(raw_t)[1]
        raw_p = _find(lambda raw: -self.pressure(raw, fine), -values[1] * 100, 0, 0xFFFFF)
        raw_h = _find(lambda raw: self.humidity(raw, fine), values[2], 0, 0xFFFF)
        self.store(raw_p << 4, raw_t << 4, raw_h)

    def temperature(self, raw):
        t = self.T
        fine = (raw / 16384 - t[0] / 1024) * t[1] + (raw / 131072 - t[0] / 8192) ** 2 * t[2]
        return fine / 5120, fine

    def pressure(self, raw, fine):
        p = self.P
        a = fine / 2 - 64000
        b = (a * a * p[5] / 32768 + a * p[4] * 2) / 4 + p[3] * 65536
        c = (1 + (p[2] * a * a / 524288 + p[1] * a) / 524288 / 32768) * p[0]
        pascal = (1048576 - raw - b / 4096) * 6250 / c
        return pascal + (p[8] * pascal * pascal / 2147483648 + pascal * p[7] / 32768 + p[6]) / 16

    def humidity(self, raw, fine):
        h = self.H
        a = fine - 76800
        a = (raw - (h[3] * 64 + h[4] / 16384 * a)) * (h[1] / 65536 * (1 + h[5] / 67108864 * a * (1 + h[2] / 67108864 * a)))
        return a * (1 - h[0] * a / 524288)

    def read(self, size):
        self.memory[0xF3] = 8 if _world.now_us() < self.ready_us else 0
        return bytes(self.memory[self.register : self.register + size])


def _find(function, wanted, low, high):
    """The argument for which a rising function comes next to the value that is wanted."""
    while low < high:
        middle = (low + high) // 2
        if function(middle) < wanted:
            low = middle + 1
        else:
            high = middle
    return low


class _SHT3x:
    """Sensirion's data sheet SHT3x-DIS: single shot 0x24xx or 0x2Cxx, two words, each with its CRC (section 4)."""

    ADDRESS = 68

    def __init__(self, device):
        self.device = device
        self.answer = None
        self.ready_us = 0

    def write(self, data):
        if data[0] in (0x24, 0x2C):
            seen = self.device.measure()
            self.ready_us = _world.now_us() + 15000
            self.answer = self.word((seen.get("temperature", 21) + 45) / 175) + self.word(seen.get("humidity", 45) / 100)

    def word(self, fraction):
        raw = 0 if fraction != fraction else min(max(round(fraction * 65535), 0), 65535)
        data = bytes([raw >> 8, raw & 0xFF])
        crc = _crc(data, 0x31, 0xFF)
        return data + bytes([crc ^ 0x55 if _world.fault("sensor") == "crc" else crc])

    def read(self, size):
        if self.answer is None or _world.now_us() < self.ready_us:
            raise OSError(19)  # ENODEV: it does not acknowledge before it is ready
        answer, self.answer = self.answer, None
        return answer[:size]
