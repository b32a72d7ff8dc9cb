# Runs first, and stays as it is through all updates: it chooses the package. /slot says "a" or "b"; "ba" says b on trial, and back to
# a after three starts in which nobody has called b good. main.py follows, from the folder that is chosen. Whatever the flash
# refuses or holds, a package is started.
import machine
import os


# The count of starts is the first byte of the clock's memory; a Pico W has none, but a file.
def load():
    if hasattr(machine.RTC, "memory"):
        return machine.RTC().memory()
    with open("/starts", "rb") as file:
        return file.read()


def save(kept):
    if hasattr(machine.RTC, "memory"):
        machine.RTC().memory(kept)
    else:
        with open("/starts", "wb") as file:
            file.write(kept)


def choose():
    with open("/slot") as file:
        slot = file.read().strip() or "a"
    try:
        kept = load() or b"\0"
    except OSError:
        kept = b"\0"
    try:
        if len(slot) == 1:
            if kept[0]:  # of a trial that is over; the next one has three starts again
                save(b"\0" + kept[1:])
            return slot
        if kept[0] < 3:
            save(bytes((kept[0] + 1,)) + kept[1:])
            return slot
        with open("/slot.new", "w") as file:
            file.write(slot[1])
        os.rename("/slot.new", "/slot")
        save(b"\0" + kept[1:])
    except OSError:  # a full flash; a trial that cannot be counted ends
        pass
    return slot[1]


try:
    os.chdir({"a": "/a", "b": "/b"}[choose()[0]])
except (KeyError, OSError, ValueError):
    os.chdir("/a")

# The ESP8266 opens an access point of its own unless told not to.
if os.uname()[0] == "esp8266":
    import network

    if network.WLAN(network.AP_IF).active():
        network.WLAN(network.AP_IF).active(False)

# Until main.py has a watchdog: a package that does not begin, or a person at the console, has six minutes. The hardware's watchdog
# goes on through a soft reset, which is what mpremote begins with, so that it is fed here too.
dog = {"esp32": 60000, "rp2": 8000}.get(os.uname()[0])
dog = dog and machine.WDT(timeout=dog)
left = 400


def tick(_):
    global left
    left -= 1
    if left < 0:
        machine.reset()
    if dog:
        dog.feed()


guard = machine.Timer(0 if os.uname()[0] == "esp32" else -1)
guard.init(mode=machine.Timer.PERIODIC, period=1000, callback=tick)
del load, save, choose
