# What only the ESP32 does its own way.
import machine

# mbedTLS verifies the server against ca.der, for which the clock must be set.
VERIFIES_SERVER = True

# machine.deepsleep() takes milliseconds as a small integer, which ends at 2**30: twelve days.
LONGEST_SLEEP = 1000000


def deepsleep(seconds):
    machine.deepsleep(seconds * 1000)
