# DS18x20 thermometer, by way of MicroPython's own modules.
import ds18x20
import machine
import onewire
import time
from binascii import unhexlify


class Driver:
    def __init__(self, pin, rom=None):
        self.bus = ds18x20.DS18X20(onewire.OneWire(machine.Pin(pin)))
        self.rom = rom and unhexlify(rom)

    def read(self):
        rom = self.rom
        if not rom:
            found = self.bus.scan()
            if not found:
                raise OSError("no DS18x20 on the bus")
            rom = found[0]
        self.bus.convert_temp()
        time.sleep_ms(750)  # at 12 bits, which is what the sensor wakes up with
        return {"temperature": self.bus.read_temp(rom)}
