# ssd1306: a screen of which only the text is seen.
import _world


class SSD1306:
    def __init__(self, width, height, external_vcc=False):
        self.width, self.height = width, height
        self.lines = {}
        self.shown = None

    def text(self, string, x, y, colour=1):
        self.lines[y] = string

    def fill(self, colour):
        self.lines = {}

    def show(self):
        seen = [line for _, line in sorted(self.lines.items())]
        if seen != self.shown:
            _world.say("screen:", " | ".join(seen))
        self.shown = seen

    def poweroff(self):
        pass

    poweron = poweroff

    def contrast(self, value):
        pass

    invert = contrast

    def fill_rect(self, *rest):
        pass

    pixel = hline = vline = line = rect = scroll = fill_rect


class SSD1306_I2C(SSD1306):
    def __init__(self, width, height, i2c, addr=0x3C, external_vcc=False):
        i2c.writeto(addr, b"\x80\xae")  # OSError when there is none
        super().__init__(width, height, external_vcc)
