# machine: pins, buses, clock memory, timers, watchdog and sleep, as each platform has them. What a platform does not
# have is deleted at the end.
import _chips
import _world

_PLATFORM = _world.platform()
_CAUSES = {
    "esp8266": {"PWRON_RESET": 0, "WDT_RESET": 1, "SOFT_RESET": 4, "DEEPSLEEP_RESET": 5, "HARD_RESET": 6},
    "esp32": {"PWRON_RESET": 1, "HARD_RESET": 2, "WDT_RESET": 3, "DEEPSLEEP_RESET": 4, "SOFT_RESET": 5},
    "rp2": {"PWRON_RESET": 1, "WDT_RESET": 3},
}[_PLATFORM]
for _name, _number in _CAUSES.items():
    globals()[_name] = _number
DEEPSLEEP, SLEEP = 4, 2
_CLOCK_MEMORY = {"esp8266": 492, "esp32": 2048, "rp2": None}[_PLATFORM]


def reset_cause():
    cause = _world.state["woken_by"]
    if _PLATFORM == "rp2":  # its reset is the watchdog's doing, also after a deep sleep
        return _CAUSES["PWRON_RESET" if cause == "power on" else "WDT_RESET"]
    reset = "SOFT_RESET" if _PLATFORM == "esp8266" else "HARD_RESET"
    return _CAUSES[{"power on": "PWRON_RESET", "deep sleep": "DEEPSLEEP_RESET", "watchdog": "WDT_RESET", "reset": reset}[cause]]


def wake_reason():
    return 4 if _world.state["woken_by"] == "deep sleep" else 0


def unique_id():
    return b"\x5f\x0e\x1a\x2b"


_FREQUENCIES = {"esp8266": (80000000, 160000000), "esp32": (160000000, 80000000, 240000000), "rp2": (125000000,)}[_PLATFORM]
_frequency = _FREQUENCIES[0]


def freq(hertz=None):
    global _frequency
    if hertz is None:
        return _frequency
    if hertz not in _FREQUENCIES and _PLATFORM != "rp2":
        raise ValueError("frequency can only be one of", _FREQUENCIES)
    _frequency = _world.state["hertz"] = hertz


def dht_readinto(pin, buffer):
    """As drivers/dht/dht.c: 268 ms of start signal, then 40 bits."""
    _world.wait_us(268000)
    frame = _chips.dht_frame(pin.number)
    if frame is None:
        raise OSError(110)  # ETIMEDOUT
    buffer[:5] = frame


def idle():
    _world.wait_us(1000)


def disable_irq():
    return 0


def enable_irq(state):
    pass


def reset():
    _world.say("reset")
    _world.leave(_world.RESET, "reset")


soft_reset = reset


def deepsleep(ms=None):
    if _PLATFORM == "rp2":  # a light sleep, and a reset
        lightsleep(ms)
        return reset()
    if _PLATFORM == "esp8266" and ms is None and RTC.wakes:
        ms = max(RTC.alarm_us - _world.board_us(), 1000) // 1000
    if ms is None:
        _world.say("deep sleep for ever")
        _world.leave(_world.PROMPT, "deep sleep")
    limit = 4294967 if _PLATFORM == "esp8266" else 1 << 30
    _world.say("deep sleep for", min(ms, limit) / 1000, "s")
    _world.leave(_world.DEEP_SLEEP, "deep sleep", min(ms, limit))


def lightsleep(ms=None):
    """On an ESP8266 the processor waits, and timers run. An ESP32's timers stand still. An RP2's first interrupt ends it."""
    speed, us, began = _world.world.get("speed", 1), (ms or 1000) * 1000, _world.now_us()
    speed = speed if speed == 1 else 1000000
    if _PLATFORM == "rp2":
        us = min([us] + [max(timer.due - began, 0) for timer in _world.timers])
    standing = _world.timers[:] if _PLATFORM == "esp32" else []
    if standing:
        _world.timers.clear()
    _world.wait_us(us, speed)
    for timer in standing:
        timer.due += _world.now_us() - began
        _world.timers.append(timer)


sleep = lightsleep


# What check says of the pins that drivers use, said of those that code uses: the platform's data is in the type's model.
_BOARD = _world.world.get("type", {}).get("board") or {}


def _has(number):
    return not isinstance(number, int) or not _BOARD.get("pins") or number in _BOARD["pins"]


def _check_pin(number, mode, pull):
    if number == _BOARD.get("wake_pin") and _world.world["type"].get("sleep") == "deep":
        raise ValueError("Pin(%d) is wired to RST: it wakes the board from deep sleep" % number)
    if mode in (Pin.OUT, Pin.OPEN_DRAIN) and number in _BOARD.get("input_only", ()):
        raise ValueError("pin can only be input")
    for resistor, lacking in (("PULL_UP", "without_pull_up"), ("PULL_DOWN", "without_pull_down")):
        if pull is not None and pull == getattr(Pin, resistor, None) and number in _BOARD.get(lacking, ()):
            raise ValueError("Pin(%d) doesn't support %s" % (number, resistor))


class Pin:
    IN, OUT, OPEN_DRAIN, PULL_UP, PULL_DOWN, IRQ_RISING, IRQ_FALLING = 0, 1, 2, 1, 2, 1, 2
    WAKE_LOW, WAKE_HIGH = 4, 5

    def __init__(self, number, mode=-1, pull=-1, *, value=None, drive=0, alt=-1, hold=None):
        if isinstance(number, Pin):
            number = number.number
        if not _has(number):
            raise ValueError("invalid pin")
        self.number = number
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None, **rest):
        _check_pin(self.number, mode, pull)
        if pull == Pin.PULL_UP:
            _chips.pulled_up.add(self.number)
        if value is not None:
            self.value(value)

    def value(self, level=None):
        if level is not None:
            before = _world.pins.get(self.number)
            _world.pins[self.number] = 1 if level else 0
            if before is not None and before != _world.pins[self.number]:
                _world.say("pin", self.number, "is", "high" if level else "low")
            return None
        return _chips.pin_level(self.number)

    def __call__(self, level=None):
        return self.value(level)

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def irq(self, handler=None, trigger=IRQ_RISING | IRQ_FALLING, *, priority=1, wake=None, hard=False):
        if self.number in _BOARD.get("without_interrupt", ()):
            raise OSError("pin does not have IRQ capabilities")
        if hard and _PLATFORM == "esp8266":
            raise ValueError("hard IRQ not implemented")
        if hard and _PLATFORM == "esp32":
            raise TypeError("extra keyword arguments given")
        _chips.listen(self.number, "pin", trigger, handler and (lambda: handler(self)))


class Signal:
    def __init__(self, pin, *rest, invert=False):
        self.pin, self.invert = pin, invert

    def value(self, level=None):
        if level is None:
            return self.pin.value() ^ self.invert
        self.pin.value(bool(level) != self.invert)


class ADC:
    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3
    CORE_TEMP = 4

    def __init__(self, pin, *, atten=None):
        self.number = pin.number if isinstance(pin, Pin) else pin

    def atten(self, value):
        pass

    def width(self, value):
        pass

    # An ESP32's converter is off by up to some percent of the scale, and says no more from there on; read_uv() corrects that by what
    # the factory wrote into the chip.
    def read_u16(self):
        fraction = _chips.analogue(self.number)
        if _PLATFORM == "esp32":
            fraction = min(max(fraction * 1.06 - 0.03, 0), 1)
        return round(fraction * 65535)

    def read_uv(self):
        return round(_chips.analogue(self.number) * 3100) * 1000

    def read(self):
        return self.read_u16() >> (6 if _PLATFORM == "esp8266" else 4)


class SoftI2C:
    def __init__(self, scl, sda, *, freq=400000, timeout=50000):
        self.where = (scl.number, sda.number)

    def _chip(self, address):
        chip = _chips.at(self.where, address)
        if chip is None:
            raise OSError(19)  # ENODEV: nobody acknowledges
        return chip

    def scan(self):
        return [a for a in range(8, 120) if _chips.at(self.where, a)]

    def writeto(self, address, data, stop=True):
        self._chip(address).write(bytes(data))
        return len(data)

    def writevto(self, address, parts, stop=True):
        return self.writeto(address, b"".join(bytes(p) for p in parts))

    def readfrom(self, address, size, stop=True):
        return self._chip(address).read(size)

    def readfrom_into(self, address, buffer, stop=True):
        buffer[:] = self.readfrom(address, len(buffer))

    def readfrom_mem(self, address, register, size, *, addrsize=8):
        chip = self._chip(address)
        chip.write(bytes([register]))
        return chip.read(size)

    def readfrom_mem_into(self, address, register, buffer, *, addrsize=8):
        buffer[:] = self.readfrom_mem(address, register, len(buffer))

    def writeto_mem(self, address, register, data, *, addrsize=8):
        self._chip(address).write(bytes([register]) + bytes(data))


class I2C(SoftI2C):
    def __init__(self, id=-1, *, scl=None, sda=None, freq=400000, timeout=50000):
        if _PLATFORM != "esp8266" and id not in (0, 1):
            raise ValueError("I2C(%d) doesn't exist" % id)
        super().__init__(scl, sda)


class PWM:
    def __init__(self, pin, **settings):
        pass

    def init(self, **settings):
        pass

    def freq(self, hertz=None):
        return 1000

    def duty(self, share=None):
        return 0

    def duty_u16(self, share=None):
        return 0

    def deinit(self):
        pass


class RTC:
    ALARM0 = 0
    alarm_us, wakes = 0, False

    def __init__(self, id=0):
        pass

    def datetime(self, moment=None):
        import time

        if moment is None:
            t = time.gmtime()
            return (t[0], t[1], t[2], t[6] if _PLATFORM != "esp32" else t[6], t[3], t[4], t[5], _world.board_us() % 1000000)
        year, month, day, _, hour, minute, second, _ = moment
        _world.set_board_us((time.mktime((year, month, day, hour, minute, second, 0, 0)) + time._EPOCH) * 1000000)

    def memory(self, data=None):
        if data is None:
            return bytes(bytearray(int(_world.state["rtc"][i : i + 2], 16) for i in range(0, len(_world.state["rtc"]), 2)))
        if len(data) > _CLOCK_MEMORY:
            raise ValueError("buffer too long")
        _world.state["rtc"] = "".join("%02x" % b for b in bytes(data))

    def irq(self, *, trigger=0, wake=0, handler=None):
        RTC.wakes = wake == DEEPSLEEP

    def alarm(self, number, ms):
        RTC.alarm_us = _world.board_us() + ms * 1000

    def alarm_left(self, number=0):
        return max(RTC.alarm_us - _world.board_us(), 0) // 1000


class Timer:
    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, id=-1, **settings):
        self.due = None
        if settings:
            self.init(**settings)

    def init(self, *, mode=PERIODIC, period=-1, freq=None, callback=None, tick_hz=1000, hard=False):
        self.deinit()
        self.mode, self.callback = mode, callback
        self.period = int(1000000 / freq) if freq else period * 1000000 // tick_hz
        self.due = _world.now_us() + self.period
        _world.timers.append(self)

    def deinit(self):
        if self in _world.timers:
            _world.timers.remove(self)

    def fire(self):
        if self.mode == Timer.ONE_SHOT:
            self.deinit()
        else:
            self.due += self.period
        if self.callback:
            self.callback(self)


class WDT:
    def __init__(self, id=0, timeout=5000):
        if _PLATFORM == "esp8266" and timeout != 5000:
            raise ValueError
        if _PLATFORM == "rp2" and timeout > 8388:
            raise ValueError("timeout exceeds 8388")
        self.timeout = (3200 if _PLATFORM == "esp8266" else timeout) * 1000
        self.feed()

    def feed(self):
        _world.watchdog = _world.now_us() + self.timeout


for _name in {
    "esp8266": ("SLEEP", "wake_reason"),
    "esp32": (),
    "rp2": ("SLEEP", "DEEPSLEEP", "wake_reason", "sleep"),
}[_PLATFORM]:
    del globals()[_name]
if _PLATFORM == "esp8266":
    del Pin.PULL_DOWN, Pin.WAKE_LOW, Pin.WAKE_HIGH
    del ADC.read_uv, ADC.atten, ADC.width, ADC.CORE_TEMP, ADC.ATTN_0DB, ADC.ATTN_2_5DB, ADC.ATTN_6DB, ADC.ATTN_11DB
if _PLATFORM == "rp2":
    del RTC.memory, RTC.irq, RTC.alarm, RTC.alarm_left, RTC.ALARM0, ADC.read, ADC.atten, ADC.width, ADC.read_uv
    del ADC.ATTN_0DB, ADC.ATTN_2_5DB, ADC.ATTN_6DB, ADC.ATTN_11DB, Pin.WAKE_LOW, Pin.WAKE_HIGH
