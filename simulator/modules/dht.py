# dht: DHT11 and DHT22. They answer nothing in the first second after power-on, and not twice within one or two.
import _world


class _DHT:
    def __init__(self, pin):
        self.pin = pin
        self.seen = {}
        self.last_us = None

    def measure(self):
        found = _world.devices(self.driver, pin=self.pin.number)
        early = _world.uptime_us() < 1000000 or (self.last_us is not None and _world.now_us() - self.last_us < self.pause_us)
        if not found or early:
            raise OSError(110)  # ETIMEDOUT
        if _world.fault("sensor") == "crc":
            raise Exception("checksum error")
        self.last_us = _world.now_us()
        self.seen = found[0].measure()

    def quantity(self, name):
        value = self.seen.get(name, 0)
        return value if value != value else round(value / self.step) * self.step


class DHT11(_DHT):
    driver, pause_us, step = "dht11", 1000000, 1

    def temperature(self):
        return self.quantity("temperature")

    def humidity(self):
        return self.quantity("humidity")


class DHT22(_DHT):
    driver, pause_us, step = "dht22", 2000000, 0.1

    def temperature(self):
        return self.quantity("temperature")

    def humidity(self):
        return self.quantity("humidity")
