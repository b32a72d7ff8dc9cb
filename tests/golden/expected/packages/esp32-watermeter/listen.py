# Holds a connection, and hands on its commands.
import time

import link


def hold(client, ms):
    began = pinged = time.ticks_ms()
    while True:
        client.check_msg()
        now = time.ticks_ms()
        if time.ticks_diff(now, began) >= ms:
            return False
        heard = getattr(client.sock, "heard_at", pinged)
        silent = time.ticks_diff(now, heard)
        if silent > link.KEEPALIVE * 1000:
            raise OSError("the broker is silent")
        if min(silent, time.ticks_diff(now, pinged)) > link.KEEPALIVE * 400:
            client.ping()
            pinged = now
        time.sleep_ms(min(200, ms))
