# ssd1306: what micropython-lib's has: a frame buffer, sent whole over the bus. The chip is in _chips.py, and says which letters it shows.
import framebuf


class SSD1306(framebuf.FrameBuffer):
    # Off; horizontal addressing, start line 0, segments and rows turned, multiplex, offset, pins, clock, precharge, level; contrast,
    # what is in the memory, not inverted, the reference current, the charge pump; on.
    def __init__(self, width, height, external_vcc):
        self.width, self.height, self.external_vcc = width, height, external_vcc
        self.pages = height // 8
        self.buffer = bytearray(self.pages * width)
        super().__init__(self.buffer, width, height, framebuf.MONO_VLSB)
        pins = 0x02 if width > 2 * height else 0x12
        for command in (0xAE, 0x20, 0, 0x40, 0xA1, 0xA8, height - 1, 0xC8, 0xD3, 0, 0xDA, pins, 0xD5, 0x80, 0xD9, 0x22 if external_vcc else 0xF1,
                        0xDB, 0x30, 0x81, 0xFF, 0xA4, 0xA6, 0xAD, 0x30, 0x8D, 0x10 if external_vcc else 0x14, 0xAF):
            self.write_cmd(command)
        self.fill(0)
        self.show()

    def poweroff(self):
        self.write_cmd(0xAE)

    def poweron(self):
        self.write_cmd(0xAF)

    def contrast(self, value):
        self.write_cmd(0x81)
        self.write_cmd(value)

    def invert(self, on):
        self.write_cmd(0xA6 | on & 1)

    def rotate(self, on):
        self.write_cmd(0xC0 | (on & 1) << 3)
        self.write_cmd(0xA0 | on & 1)

    def show(self):
        first = (128 - self.width) // 2
        for command in (0x21, first, first + self.width - 1, 0x22, 0, self.pages - 1):
            self.write_cmd(command)
        self.write_data(self.buffer)


class SSD1306_I2C(SSD1306):
    def __init__(self, width, height, i2c, addr=0x3C, external_vcc=False):
        self.i2c, self.addr = i2c, addr
        super().__init__(width, height, external_vcc)

    def write_cmd(self, command):
        self.i2c.writeto(self.addr, bytes((0x80, command)))

    def write_data(self, data):
        self.i2c.writevto(self.addr, (b"\x40", data))
