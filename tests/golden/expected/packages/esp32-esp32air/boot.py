# Runs first, after every reset and every deep sleep. main.py follows.
import gc
import network

# The ESP8266 opens an access point of its own unless told not to.
network.WLAN(network.AP_IF).active(False)
gc.collect()
