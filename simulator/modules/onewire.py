# onewire: a bus on a pin; what is on it answers through ds18x20.py.
import _world


class OneWireError(Exception):
    pass


class OneWire:
    SEARCH_ROM = 0xF0
    MATCH_ROM = 0x55
    SKIP_ROM = 0xCC

    def __init__(self, pin):
        self.pin = pin
        pin.init(pin.OPEN_DRAIN, pin.PULL_UP)

    def devices(self):
        return _world.devices("ds18x20", pin=self.pin.number)

    def reset(self, required=False):
        if not self.devices() and required:
            raise OneWireError
        return bool(self.devices())

    # Family 28 is the DS18B20; the others count up, in the order of the spec. The last byte is a CRC to look at, no more.
    def rom(self, index, device):
        given = device.parameters.get("rom")
        if given:
            from binascii import unhexlify

            return bytearray(unhexlify(given))
        return bytearray([0x28, index + 1, 0x5F, 0x0E, 0, 0, 0, 0x77])

    def scan(self):
        return [self.rom(i, d) for i, d in enumerate(self.devices())]

    def device(self, rom):
        for index, device in enumerate(self.devices()):
            if bytes(self.rom(index, device)) == bytes(rom):
                return device
        return None
