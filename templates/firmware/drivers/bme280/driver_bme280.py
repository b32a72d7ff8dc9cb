# BME280: one measurement in forced mode, compensated in integers as the data sheet's section 4.2.3 says. Integers,
# because the boards' floats have 22 to 24 bits and the pressure formula needs far more.
import machine
import struct
import time


class Driver:
    def __init__(self, scl, sda, address=118):
        self.bus = machine.SoftI2C(scl=machine.Pin(scl), sda=machine.Pin(sda), freq=100000)
        self.address = address
        self.trim = None

    # The factory's trimming values: temperature 3, pressure 9, humidity 6.
    def load_trim(self):
        low = self.bus.readfrom_mem(self.address, 0x88, 26)
        high = self.bus.readfrom_mem(self.address, 0xE1, 7)
        t = struct.unpack_from("<Hhh", low, 0)
        p = struct.unpack_from("<Hhhhhhhhh", low, 6)
        h2, h3, e4, e5, e6, h6 = struct.unpack("<hBbBbb", high)
        # Two signed numbers of 12 bits share the byte e5.
        self.trim = t, p, (low[25], h2, h3, e4 * 16 | e5 & 15, e6 * 16 | e5 >> 4, h6)

    def read(self):
        if self.bus.readfrom_mem(self.address, 0xD0, 1) != b"\x60":  # each time: a line at ground says 0 to everything
            raise OSError("not a BME280")
        if self.trim is None:
            self.load_trim()
        write = self.bus.writeto_mem
        write(self.address, 0xF2, b"\x01")  # humidity once; takes effect with the next line
        write(self.address, 0xF4, b"\x25")  # temperature once, pressure once, forced mode
        for _ in range(10):
            time.sleep_ms(10)  # one of each takes 9.3 ms at most
            if not self.bus.readfrom_mem(self.address, 0xF3, 1)[0] & 8:
                break
        else:
            raise OSError("BME280 does not finish")
        d = self.bus.readfrom_mem(self.address, 0xF7, 8)
        if b"\x80\0\0" in (d[:3], d[3:6], d[6:] + b"\0"):  # what it says of a quantity that it has not measured
            raise OSError("BME280 has not measured")
        return self.compensate(d[3] << 12 | d[4] << 4 | d[5] >> 4, d[0] << 12 | d[1] << 4 | d[2] >> 4, d[6] << 8 | d[7])

    def compensate(self, raw_t, raw_p, raw_h):
        t, p, h = self.trim

        a = ((raw_t >> 3) - (t[0] << 1)) * t[1] >> 11
        b = (raw_t >> 4) - t[0]
        fine = a + ((b * b >> 12) * t[2] >> 14)
        temperature = fine * 5 + 128 >> 8  # hundredths of a degree

        a = fine - 128000
        b = a * a * p[5] + (a * p[4] << 17) + (p[3] << 35)
        a = (a * a * p[2] >> 8) + (a * p[1] << 12)
        a = ((1 << 47) + a) * p[0] >> 33
        if a == 0:
            raise OSError("BME280 has no trimming values")
        pressure = ((1048576 - raw_p << 31) - b) * 3125 // a
        a = p[8] * (pressure >> 13) * (pressure >> 13) >> 25
        b = p[7] * pressure >> 19
        pressure = (pressure + a + b >> 8) + (p[6] << 4)  # 256ths of a pascal

        a = fine - 76800
        b = (raw_h << 14) - (h[3] << 20) - h[4] * a + 16384 >> 15
        a = ((a * h[5] >> 10) * ((a * h[2] >> 11) + 32768) >> 10) + 2097152
        a = b * (a * h[1] + 8192 >> 14)
        a -= ((a >> 15) * (a >> 15) >> 7) * h[0] >> 4
        humidity = min(max(a, 0), 419430400) >> 12  # 1024ths of a percent

        return {
            "temperature": temperature / 100,
            "humidity": round(humidity / 1024, 2),
            "pressure": round(pressure / 25600, 2),
        }
