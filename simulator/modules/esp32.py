# esp32: what firmware asks of it. The pulse counter is there from MicroPython 1.26 on.
import _chips
import _world


def raw_temperature():
    return 110


def wake_on_ext0(pin=None, level=0):
    pass


class PCNT:
    """ports/esp32/esp32_pcnt.c: counts edges in hardware up to max, then from 0 on; no filter for what bounces for milliseconds."""

    IGNORE, INCREMENT, DECREMENT = 0, 1, 2
    IRQ_MAX = 8

    def __init__(self, unit, *, pin=None, rising=0, falling=0, max=0, filter=0):
        assert 0 <= max <= 32767 and 0 <= filter <= 1023
        self.count, self.max, self.flag, self.handler, self.running = 0, max, 0, None, False
        for edge, action in ((_chips.RISING, rising), (_chips.FALLING, falling)):
            if action == PCNT.INCREMENT:
                _chips.listen(pin.number, "PCNT %d %d" % (unit, edge), edge, self._edge)

    def _edge(self):
        self.count += self.running
        if self.max and self.count >= self.max:
            self.count = 0
            self.flag |= PCNT.IRQ_MAX

    def start(self):
        self.running = True

    def value(self, new=None):
        if self.flag and self.handler:
            self.handler(self)
        return self.count

    def irq(self, handler=None, trigger=IRQ_MAX):
        if handler:
            self.handler = handler
        return self

    def flags(self):
        flag, self.flag = self.flag, 0
        return flag


if _world.version() < (1, 26):
    del PCNT
