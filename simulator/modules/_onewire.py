# _onewire: the line itself, bit by bit (extmod/modonewire.c). All that is on a bus hears each bit, and a 0 of one is a 0 for all.
import _chips
import _world

crc8 = _chips.crc8


def _shorted():
    return _world.sensor_fault("ds18x20") in ("shorted", "weak")


def reset(pin):
    """Whether somebody pulls the line down after the reset: a line at ground is down, too."""
    on_it = _chips.thermometers(pin.number)
    for each in on_it:
        each.reset()
    return bool(on_it)


def readbit(pin):
    bit = 1
    for each in _chips.thermometers(pin.number):
        bit &= each.read()
    return 0 if _shorted() else bit


def writebit(pin, value):
    for each in _chips.thermometers(pin.number):
        if not _shorted():
            each.write(value & 1)


def readbyte(pin):
    byte = 0
    for i in range(8):
        byte |= readbit(pin) << i
    return byte


def writebyte(pin, value):
    for i in range(8):
        writebit(pin, value >> i & 1)
