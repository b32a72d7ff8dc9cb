# Made from the drivers that the spec of esp8266climate names. A type with a code/sensor.py of its own has that instead.
import driver_dht22

dht22_0 = driver_dht22.Driver(pin=4)


def read():
    from_dht22_0 = dht22_0.read()
    return {
        "temperature": from_dht22_0["temperature"],
        "humidity": from_dht22_0["humidity"],
    }
