# ds18x20: what micropython-lib's has; the chips are in _chips.py.


class DS18X20:
    def __init__(self, onewire):
        self.ow = onewire
        self.buf = bytearray(9)

    def scan(self):
        return [rom for rom in self.ow.scan() if rom[0] in (0x10, 0x22, 0x28)]

    def _ask(self, command, rom=None):
        self.ow.reset(True)
        if rom is None:
            self.ow.writebyte(self.ow.SKIP_ROM)
        else:
            self.ow.select_rom(rom)
        self.ow.writebyte(command)

    def convert_temp(self):
        self._ask(0x44)

    def read_scratch(self, rom):
        self._ask(0xBE, rom)
        self.ow.readinto(self.buf)
        if self.ow.crc8(self.buf) != 0:
            raise Exception("CRC error")
        return self.buf

    def write_scratch(self, rom, data):
        self._ask(0x4E, rom)
        self.ow.write(data)

    def read_temp(self, rom):
        data = self.read_scratch(rom)
        if rom[0] == 0x10:
            whole = (data[0] >> 1) - (0x80 if data[1] else 0)
            return whole - 0.25 + (data[7] - data[6]) / data[7]
        raw = data[0] | data[1] << 8
        return (raw - 0x10000 if raw & 0x8000 else raw) / 16
