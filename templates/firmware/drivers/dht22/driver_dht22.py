# DHT22 thermometer and hygrometer, by way of MicroPython's own module.
import dht
import machine
import time

WARM_UP_MS = 1000  # after power-on the sensor answers nothing, or nonsense, for a second


class Driver:
    def __init__(self, pin):
        self.sensor = dht.DHT22(machine.Pin(pin))

    # In tenths. The highest bit of the temperature is its sign; some clones send two's complement instead, and as no sensor
    # measures beyond 125 degrees, the two cannot be mistaken for each other.
    def read(self):
        missing = WARM_UP_MS - time.ticks_ms()
        if 0 < missing <= WARM_UP_MS:
            time.sleep_ms(missing)
        self.sensor.measure()
        data = self.sensor.buf
        humidity, celsius = data[0] << 8 | data[1], data[2] << 8 | data[3]
        if celsius >= 0x8000:
            celsius = celsius - 0x10000 if celsius > 0xF000 else 0x8000 - celsius
        if humidity > 1000 or not -1250 <= celsius <= 1250 or not any(data):  # all zeros have a right checksum
            raise OSError("DHT22: has not measured")
        return {"temperature": celsius / 10, "humidity": humidity / 10}
