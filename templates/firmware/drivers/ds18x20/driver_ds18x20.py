# DS18x20 thermometer, by way of MicroPython's own modules.
import ds18x20
import machine
import onewire
import time
from binascii import unhexlify


class Driver:
    def __init__(self, pin, rom=None):
        self.pin = machine.Pin(pin)
        self.bus = ds18x20.DS18X20(onewire.OneWire(self.pin))
        self.rom = rom and unhexlify(rom)

    def measure(self, rom):
        self.bus.convert_temp()
        time.sleep_ms(750)  # at 12 bits, which is what the sensor wakes up with
        celsius = self.bus.read_temp(rom)
        if not self.bus.buf[4]:  # the configuration is never 0, but a line that reads as zeros is 0.0 degrees with a right checksum
            raise OSError("DS18x20: all zeros")
        return celsius

    def read(self):
        if not self.pin.value():  # a resistor pulls it up; a line at ground seems to answer
            raise OSError("DS18x20: the line is at ground")
        rom = self.rom
        if not rom:
            found = self.bus.scan()
            if not found:
                raise OSError("no DS18x20 on the bus")
            rom = found[0]
        celsius = self.measure(rom)
        if celsius == 85:
            # Also what it says after power-on. Its alarm limits are those of its EEPROM then; so they are set to others, and if it
            # still has these after another measurement, it kept its power, and it is 85 degrees.
            marks = bytes((self.bus.buf[2] ^ 1, self.bus.buf[3] ^ 1))
            self.bus.write_scratch(rom, marks if rom[0] == 0x10 else marks + b"\x7f")
            celsius = self.measure(rom)
            if bytes(self.bus.buf[2:4]) != marks:
                raise OSError("DS18x20: lost its power")
        return {"temperature": celsius}
