# Runs first; main.py follows. The chip opens an access point of its own unless told not to. A person at the console
# has ten minutes, then the board goes back to its work.
import network
import watch

point = network.WLAN(network.AP_IF)
if point.active():
    point.active(False)
watch.guard(600)
