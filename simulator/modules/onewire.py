# onewire: what micropython-lib's has, on the bus of _onewire.py.
import _onewire


class OneWireError(Exception):
    pass


class OneWire:
    SEARCH_ROM = 0xF0
    MATCH_ROM = 0x55
    SKIP_ROM = 0xCC

    def __init__(self, pin):
        self.pin = pin
        pin.init(pin.OPEN_DRAIN, pin.PULL_UP)

    def reset(self, required=False):
        found = _onewire.reset(self.pin)
        if not found and required:
            raise OneWireError
        return found

    def readbit(self):
        return _onewire.readbit(self.pin)

    def writebit(self, value):
        _onewire.writebit(self.pin, value)

    def readbyte(self):
        return _onewire.readbyte(self.pin)

    def writebyte(self, value):
        _onewire.writebyte(self.pin, value)

    def readinto(self, buffer):
        for i in range(len(buffer)):
            buffer[i] = self.readbyte()

    def write(self, data):
        for byte in data:
            self.writebyte(byte)

    def select_rom(self, rom):
        self.reset()
        self.writebyte(self.MATCH_ROM)
        self.write(rom)

    def crc8(self, data):
        return _onewire.crc8(data)

    def scan(self):
        """Maxim's application note 187: at each bit where two differ, first the one way, and the other in a later round."""
        found, branches = [], [[]]  # branches: the bits that lead to where a round has another way to go
        for _ in range(255):  # micropython-lib's bound: a line at ground seems to branch everywhere
            if not branches:
                break
            bits = self._search(branches.pop(), branches)
            if bits:
                found.append(bytearray(sum(bits[8 * i + j] << j for j in range(8)) for i in range(8)))
        return found

    def _search(self, bits, branches):
        if not self.reset():
            return None
        self.writebyte(self.SEARCH_ROM)
        path = []
        for i in range(64):
            one, other = self.readbit(), self.readbit()
            if one and other:
                return None
            if i < len(bits):
                bit = bits[i]
            elif one == other:
                bit = 1
                branches.append(path + [0])
            else:
                bit = one
            self.writebit(bit)
            path.append(bit)
        return path
