# The screen: the thing's name, the last reading, and what became of it.
import sys

import common

MEASURES = ("temperature", "humidity", )
screen = None


def text(name, value):
    if isinstance(value, tuple):
        value = value[0] / 10 ** value[1]
    if isinstance(value, float):
        value = "%.1f" % value
    return "%s %s" % (name[:9], "?" if value is None else value)


def show(outcome):
    global screen
    loaded = set(sys.modules)
    try:
        if screen is None:
            screen = __import__("driver_ssd1306").Driver(scl=5, sda=4, address=60, width=128, height=64)
        screen.show([common.settings()["thing"]] + [text(name, common.latest.get(name)) for name in MEASURES], outcome)
    except Exception:
        screen = None
        raise
    finally:
        common.forget(*(set(sys.modules) - loaded))
