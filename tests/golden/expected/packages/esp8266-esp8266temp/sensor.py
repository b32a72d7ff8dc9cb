# Made from the drivers that the spec of esp8266temp names. A type with a code/sensor.py of its own has that instead.
import driver_ds18x20

ds18x20_0 = driver_ds18x20.Driver(pin=14)


def read():
    from_ds18x20_0 = ds18x20_0.read()
    return {
        "temperature": from_ds18x20_0["temperature"],
    }
