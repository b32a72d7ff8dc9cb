# DHT11 thermometer and hygrometer, by way of MicroPython's own module.
import dht
import machine
import time

WARM_UP_MS = 1000  # after power-on the sensor answers nothing, or nonsense, for a second


class Driver:
    def __init__(self, pin):
        self.sensor = dht.DHT11(machine.Pin(pin))

    def read(self):
        missing = WARM_UP_MS - time.ticks_ms()
        if 0 < missing <= WARM_UP_MS:
            time.sleep_ms(missing)
        self.sensor.measure()
        humidity, _, celsius, rest, _ = data = self.sensor.buf
        if humidity > 100 or celsius > 125 or not any(data):  # all zeros have a right checksum
            raise OSError("DHT11: has not measured")
        # The highest bit beside the temperature is its sign, of those that measure below zero.
        return {"temperature": -celsius if rest & 0x80 else celsius, "humidity": humidity}
