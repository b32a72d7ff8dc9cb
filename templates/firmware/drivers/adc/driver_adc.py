# An analogue input: 0 to 1 V on the ESP8266's own pin, 0 to 3.1 V on the ESP32, 0 to 3.3 V on a Pico W.
import machine

ESP32_UV = 3100000  # at its widest range; calibrated, because what it reads is off by up to some percent of that


class Driver:
    def __init__(self, input, scale=1, offset=0, samples=8):
        if hasattr(machine.ADC, "ATTN_11DB"):
            self.adc = machine.ADC(machine.Pin(input))
            self.adc.atten(machine.ADC.ATTN_11DB)
            self.sample, self.full = self.adc.read_uv, ESP32_UV
        else:
            self.adc = machine.ADC(input)
            self.sample, self.full = self.adc.read_u16, 65535
        self.scale = scale
        self.offset = offset
        self.samples = samples

    def read(self):
        total = sum(self.sample() for _ in range(self.samples))
        return {"value": self.offset + self.scale * total / (self.full * self.samples)}
