# Runs first, and stays as it is through all updates: it chooses the package. /slot says "a" or "b"; "ba" says b on trial, and back to
# a after three starts in which nobody has called b good. main.py follows, from the folder that is chosen.
import machine
import os

slot, starts = "a", b"\0"
try:
    with open("/slot") as file:
        slot = file.read().strip() or "a"
except OSError:
    pass
if len(slot) > 1:  # the count is the first byte of the clock's memory; a Pico W has none, but a file
    kept = b""
    try:
        if hasattr(machine.RTC, "memory"):
            kept = machine.RTC().memory()
        else:
            with open("/starts", "rb") as file:
                kept = file.read()
    except OSError:
        pass
    starts = kept[:1] or b"\0"
    if starts[0] >= 3:
        slot, starts = slot[1], b"\0"
        with open("/slot.new", "w") as file:
            file.write(slot)
        os.rename("/slot.new", "/slot")
    else:
        starts = bytes((starts[0] + 1,))
    if hasattr(machine.RTC, "memory"):
        machine.RTC().memory(starts + kept[1:])
    else:
        with open("/starts", "wb") as file:
            file.write(starts)
try:
    os.chdir("/" + slot[0])
except OSError:
    os.chdir("/a")

# The ESP8266 opens an access point of its own unless told not to.
if os.uname()[0] == "esp8266":
    import network

    if network.WLAN(network.AP_IF).active():
        network.WLAN(network.AP_IF).active(False)

# Until main.py has a watchdog: a package that does not begin, or a person at the console, has six minutes.
guard = machine.Timer(0 if os.uname()[0] == "esp32" else -1)
guard.init(mode=machine.Timer.ONE_SHOT, period=400000, callback=lambda _: machine.reset())
del slot, starts
