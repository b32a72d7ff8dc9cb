# The screen: the thing's name, the last reading, and what became of it.
from driver_ssd1306 import Driver

MEASURES = ("temperature", "humidity", )
screen = None


def text(name, value):
    if isinstance(value, float):
        value = "%.1f" % value
    return "%s %s" % (name[:9], "?" if value is None else value)


def show(thing, reading, state):
    global screen
    if screen is None:
        screen = Driver(scl=5, sda=4, address=60, width=128, height=64)
    try:
        screen.show([thing] + [text(name, reading.get(name)) for name in MEASURES], state)
    except Exception:
        screen = None
        raise
