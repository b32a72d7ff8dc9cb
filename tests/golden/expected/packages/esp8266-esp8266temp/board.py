# What only the ESP8266 does its own way.
import machine

# axTLS, the TLS library of this port, does not verify the server.
VERIFIES_SERVER = False

# The counter of a deep sleep holds 32 bits of microseconds, 71 minutes.
LONGEST_SLEEP = 4200


# Waking is a pulse on GPIO16, which must be wired to RST.
def deepsleep(seconds):
    clock = machine.RTC()
    clock.irq(trigger=clock.ALARM0, wake=machine.DEEPSLEEP)
    clock.alarm(clock.ALARM0, seconds * 1000)
    machine.deepsleep()
