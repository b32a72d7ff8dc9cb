# What is wired to the pins: chips on I2C and 1-Wire with their registers, DHTs, contacts, levels, voltages.
import _world
import framebuf
from binascii import unhexlify


def _crc(data, polynomial, crc):
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ polynomial if crc & 0x80 else crc << 1) & 0xFF
    return crc


# --- pins -------------------------------------------------------------------------------------------


pulled_up = set()


def pin_level(number):
    for device in _world.devices("gpio", pin=number):
        state = list(device.measure().values())[0]
        return int(bool(state) != device.parameters.get("invert", False))
    if _world.devices("ds18x20", pin=number) and _world.sensor_fault("ds18x20") == "shorted":
        return 0
    here = contact(number)
    return here.level if here else _world.pins.get(number, int(number in pulled_up))


def analogue(number):
    """From 0 to 1, so that offset + scale * fraction is the simulated value."""
    for device in _world.devices("adc", input=number):
        value = list(device.measure().values())[0]
        fraction = (value - device.parameters.get("offset", 0)) / device.parameters.get("scale", 1)
        return 0 if fraction != fraction else min(max(fraction, 0), 1)
    return 0


RISING, FALLING = 1, 2  # the numbers of Pin.IRQ_RISING and Pin.IRQ_FALLING
_contacts = {}


class _Contact:
    """A contact that closes as often between two readings as the simulated count says, evenly. "bounces" of the world: how often
    it opens and closes again, within a millisecond each, whenever it closes, and whenever it opens."""

    WIDTH_US, BOUNCE_US = 60000, 700

    def __init__(self, device):
        self.device = device
        self.idle = self.level = int(device.parameters.get("edge", "falling") == "falling")
        self.listeners = {}  # name: (which edges, function)
        self.edges = []  # of the pulse that is under way: [(when, level), ...]
        self.plan(_world.now_us())
        _world.timers.append(self)

    def plan(self, now):
        seen = self.device.measure()
        count = seen.get("count", seen.get("amount", 10) / self.device.parameters.get("scale", 1))
        self.left = 0 if count != count else max(round(count), 0)
        self.step = _world.world["type"]["publish_every_seconds"] * 1000000 // max(self.left, 1)
        self.begin(now + self.step // 2)

    def begin(self, at):
        self.pulse_at = at
        self.edges = self.swing(at, 1 - self.idle) + self.swing(at + min(self.WIDTH_US, self.step // 2), self.idle) if self.left else []
        self.due = self.edges[0][0] if self.edges else at

    def swing(self, at, level):
        bounces = 2 * _world.world.get("bounces", 0)
        return [(at + i * self.BOUNCE_US, level if i % 2 == 0 else 1 - level) for i in range(bounces + 1)]

    def fire(self):
        if not self.edges:
            return self.plan(self.pulse_at + self.step // 2)
        _, self.level = self.edges.pop(0)
        for edges, function in list(self.listeners.values()):
            if edges & (RISING if self.level else FALLING):
                function()
        if self.edges:
            self.due = self.edges[0][0]
            return
        self.left -= 1
        if self.left > 0:
            self.begin(self.pulse_at + self.step)
        else:
            self.due = self.pulse_at + self.step // 2


def contact(number):
    if number not in _contacts:
        found = _world.devices("pulse", pin=number)
        _contacts[number] = _Contact(found[0]) if found else None
    return _contacts[number]


def listen(number, name, edges, function):
    """function is called at these edges of a pin; None ends that."""
    here = contact(number)
    if here and function:
        here.listeners[name] = (edges, function)
    elif here:
        here.listeners.pop(name, None)


# --- DHT11 and DHT22 --------------------------------------------------------------------------------


class _Hygrometer:
    """The frame that a DHT sends: nothing in the first second after power-on, and not twice within one second or two."""

    PAUSE_US = {"dht11": 1000000, "dht22": 2000000}

    def __init__(self, device):
        self.device, self.last_us = device, None

    def frame(self):
        now = _world.now_us()
        if _world.uptime_us() < 1000000 or (self.last_us is not None and now - self.last_us < self.PAUSE_US[self.device.driver]):
            return None
        self.last_us = now
        fault = _world.sensor_fault(self.device.driver)
        if fault == "shorted":
            return None
        seen = self.device.measure()
        values = [seen.get("humidity", 45), seen.get("temperature", 21)]
        if fault in ("zero", "nan"):
            return bytes(5)
        if fault == "beyond":
            return bytes((200, 0, 21, 0, 221)) if self.device.driver == "dht11" else bytes((3, 233, 0, 210, 190))
        data = b"".join((self.whole if self.device.driver == "dht11" else self.tenths)(value, fault == "clone") for value in values)
        return data + bytes([sum(data) & 0xFF ^ (0x55 if fault == "crc" else 0)])

    def whole(self, value, _):
        """Those that measure below zero have the sign beside it."""
        return bytes([abs(round(value)), 0x80 if value < 0 else 0])

    def tenths(self, value, is_clone):
        """The sign is the highest bit; some clones send two's complement instead."""
        raw = round(value * 10)
        if raw < 0:
            raw = raw & 0xFFFF if is_clone else -raw | 0x8000
        return bytes([raw >> 8, raw & 0xFF])


_hygrometers = {}


def dht_frame(number):
    """Five bytes, or None where nobody answers."""
    for driver in ("dht22", "dht11"):
        for device in _world.devices(driver, pin=number):
            return _hygrometers.setdefault(number, _Hygrometer(device)).frame()
    return None


# --- thermometers on 1-Wire -------------------------------------------------------------------------


def crc8(data):
    """Maxim's: polynomial 0x31, the lowest bit first."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8C if crc & 1 else 0)
    return crc


class _Thermometer:
    """DS18B20, and DS18S20 (family 0x10), bit by bit: the data sheets' ROM commands, function commands and scratchpad.

    A bus calls reset(), read() and write() of all that are on it. "brown_out": it loses its power in each conversion.
    """

    SEARCH, READ_ROM, MATCH, SKIP, CONVERT, READ, WRITE = 0xF0, 0x33, 0x55, 0xCC, 0x44, 0xBE, 0x4E
    CONVERSION_US = 750000

    def __init__(self, device, rom):
        self.device, self.rom = device, rom
        self.due = None  # when the conversion that was begun is through
        self.power_on()
        self.reset()

    def power_on(self):
        start = b"\xaa\x00\x4b\x46\xff\xff\x0c\x10" if self.rom[0] == 0x10 else b"\x50\x05\x4b\x46\x7f\xff\x0c\x10"
        self.scratchpad = bytearray(start)

    def reset(self):
        self.finish()
        self.state, self.shift, self.count, self.out = "rom", 0, 0, []

    def finish(self):
        if self.due is not None and _world.now_us() >= self.due:
            self.due = None
            if self.fault() in ("brown_out", "nan"):
                self.power_on()
            else:
                self.store(self.value)

    def fault(self):
        return _world.sensor_fault("ds18x20")

    def store(self, value):
        if self.rom[0] == 0x10:  # its rest of a degree is in the count
            whole = int((value + 0.25) // 1)
            self.scratchpad[6] = max(16 - round(16 * (value + 0.25 - whole)), 1)
            raw = whole * 2
        else:
            raw = round(value * 16)
            self.scratchpad[6] = 16 - (raw & 15)
        self.scratchpad[0], self.scratchpad[1] = raw & 0xFF, raw >> 8 & 0xFF

    def read(self):
        if self.state == "search" and self.count % 3 < 2:
            bit = self.rom[self.count // 24] >> (self.count // 3 & 7) & 1
            bit ^= self.count % 3
            self.count += 1
            return bit
        if self.out:
            return self.out.pop(0)
        self.finish()
        return 1 if self.due is None else 0

    def write(self, bit):
        if self.state == "search":
            if bit != self.rom[self.count // 24] >> (self.count // 3 & 7) & 1:
                self.state = None
            self.count += 1
            if self.count == 192:
                self.state, self.count = "function", 0
            return
        self.shift |= bit << self.count % 8
        self.count += 1
        if self.count % 8 == 0:
            byte, self.shift = self.shift, 0
            self.take(byte)

    def take(self, byte):
        if self.state == "rom":
            self.count = 0
            self.state = {self.SEARCH: "search", self.MATCH: "match", self.SKIP: "function"}.get(byte)
            if byte == self.READ_ROM:
                self.send(self.rom)
        elif self.state == "match":
            if byte != self.rom[self.count // 8 - 1]:
                self.state = None
            elif self.count == 64:
                self.state, self.count = "function", 0
        elif self.state == "function":
            self.function(byte)
        elif self.state == "write" and self.count <= (16 if self.rom[0] == 0x10 else 24):
            self.scratchpad[1 + self.count // 8] = byte

    def function(self, byte):
        self.state, self.count = None, 0
        if byte == self.CONVERT:
            self.value = self.device.measure()["temperature"]
            self.due = _world.now_us() + self.CONVERSION_US
        elif byte == self.READ:
            self.send(bytes(self.scratchpad) + bytes([crc8(self.scratchpad) ^ (0x55 if self.fault() == "crc" else 0)]))
        elif byte == self.WRITE:
            self.state = "write"

    def send(self, data):
        self.out = [byte >> i & 1 for byte in data for i in range(8)]


_thermometers = {}


def thermometers(number):
    """What is on the 1-Wire bus of a pin. Family 28 is the DS18B20; the others count up, in the order of the spec."""
    found = _world.devices("ds18x20", pin=number)
    for index, device in enumerate(found):
        if device not in _thermometers:
            given = device.parameters.get("rom")
            rom = bytes([0x28, index + 1, 0x5F, 0x0E, 0, 0, 0])
            _thermometers[device] = _Thermometer(device, unhexlify(given) if given else rom + bytes([crc8(rom)]))
    return [_thermometers[device] for device in found]


# --- chips on I2C -----------------------------------------------------------------------------------

_made = {}


def at(where, address):
    """The chip with that address on the bus of two pins, (scl, sda), or None."""
    for driver, kind in (("bme280", _BME280), ("sht3x", _SHT3x)):
        for device in _world.devices(driver, scl=where[0], sda=where[1]):
            if _world.sensor_fault(driver) == "shorted":
                return _Shorted()
            if device.parameters.get("address", kind.ADDRESS) == address:
                return _made.setdefault((where, address), kind(device))
    screen = _world.world["type"].get("display")
    if screen and address in ([eval(p["literal"], {}) for p in screen["parameters"] if p["name"] == "address"] or [0x3C]):
        return _made.setdefault((where, address), _Screen())
    return None


class _Shorted:
    """A data line at ground: it acknowledges everything, and all that it says is zero."""

    def write(self, data):
        pass

    def read(self, size):
        return bytes(size)


def _glyphs():
    """{the eight columns of a letter as MicroPython draws it: the letter}"""
    cell = bytearray(8)
    buffer = framebuf.FrameBuffer(cell, 8, 8, framebuf.MONO_VLSB)
    made = {}
    for code in range(126, 31, -1):  # a blank last: it is drawn as what is not drawn
        buffer.fill(0)
        buffer.text(chr(code), 0, 0)
        made[bytes(cell)] = chr(code)
    return made


class _Screen:
    """SSD1306 (Solomon Systech, revision 1.1): commands, and its memory of 8 pages of 128 columns, read as letters of 8 by 8 dots."""

    GLYPHS = _glyphs()  # made before the firmware begins, whose heap it is not
    MEMORY = bytearray(1024)
    ARGUMENTS = {0x20: 1, 0x21: 2, 0x22: 2, 0x81: 1, 0x8D: 1, 0xA8: 1, 0xAD: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1}

    def __init__(self):
        self.wanted, self.arguments = 0, []
        self.columns, self.pages = (0, 127), (0, 7)
        self.shown = None

    def write(self, data):
        if data[0] == 0x40:
            return self.draw(data[1:])
        for byte in data[1:]:
            self.command(byte)

    def command(self, byte):
        if len(self.arguments) < self.wanted:
            self.arguments.append(byte)
        else:
            self.code, self.wanted, self.arguments = byte, self.ARGUMENTS.get(byte, 0), []
        if self.wanted == 2 and len(self.arguments) == 2:
            if self.code == 0x21:
                self.columns = tuple(self.arguments)
            else:
                self.pages = tuple(self.arguments)

    def draw(self, data):
        width = self.columns[1] - self.columns[0] + 1
        for i, byte in enumerate(data):
            self.MEMORY[(self.pages[0] + i // width) * 128 + self.columns[0] + i % width] = byte
        lines = [self.line(page) for page in range(self.pages[0], self.pages[1] + 1)]
        lines = [line for line in lines if line]
        if lines != self.shown:
            _world.say("screen:", " | ".join(lines))
        self.shown = lines

    def line(self, page):
        cells = range(page * 128 + self.columns[0], page * 128 + self.columns[1] - 6, 8)
        return "".join(self.GLYPHS.get(bytes(self.MEMORY[at : at + 8]), "#") for at in cells).rstrip()

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
        skipped = _world.sensor_fault("bme280")
        raw_t = _find(lambda raw: self.temperature(raw)[0], values[0], 0, 0xFFFFF)
        fine = self.temperature(raw_t)[1]
        raw_p = _find(lambda raw: -self.pressure(raw, fine), -values[1] * 100, 0, 0xFFFFF)
        raw_h = _find(lambda raw: self.humidity(raw, fine), values[2], 0, 0xFFFF)
        self.store(*(self.SKIPPED[i] if i == skipped else raw for i, raw in enumerate((raw_p << 4, raw_t << 4, raw_h))))

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
            if any(value != value for value in seen.values()):  # it has no word for that: it says nothing
                return
            self.answer = self.word((seen.get("temperature", 21) + 45) / 175) + self.word(seen.get("humidity", 45) / 100)

    def word(self, fraction):
        raw = min(max(round(fraction * 65535), 0), 65535)
        data = bytes([raw >> 8, raw & 0xFF])
        crc = _crc(data, 0x31, 0xFF)
        return data + bytes([crc ^ 0x55 if _world.sensor_fault("sht3x") == "crc" else crc])

    def read(self, size):
        if self.answer is None or _world.now_us() < self.ready_us:
            raise OSError(19)  # ENODEV: it does not acknowledge before it is ready
        answer, self.answer = self.answer, None
        return answer[:size]
