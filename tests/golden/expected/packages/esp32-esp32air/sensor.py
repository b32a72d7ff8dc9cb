# Made from the drivers that the spec of esp32air names. A type with a code/sensor.py of its own has that instead.
import driver_bme280

bme280_0 = driver_bme280.Driver(scl=22, sda=21, address=118)


def read():
    from_bme280_0 = bme280_0.read()
    return {
        "temperature": from_bme280_0["temperature"],
        "humidity": from_bme280_0["humidity"],
        "pressure": from_bme280_0["pressure"],
    }
