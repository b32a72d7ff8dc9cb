# SSD1306 screen, by way of MicroPython's own module. Letters are 8 dots wide and high.
import machine
import ssd1306


class Driver:
    def __init__(self, scl, sda, address=60, width=128, height=64):
        bus = machine.SoftI2C(scl=machine.Pin(scl), sda=machine.Pin(sda), freq=400000)
        self.screen = ssd1306.SSD1306_I2C(width, height, bus, addr=address)
        self.columns = width // 8
        self.rows = height // 8

    # lines from the top, as many as fit; the state in the last row
    def show(self, lines, state):
        self.screen.fill(0)
        for row, line in enumerate(lines[: self.rows - 1]):
            self.screen.text(line[: self.columns], 0, row * 8)
        self.screen.text(state[: self.columns], 0, (self.rows - 1) * 8)
        self.screen.show()
