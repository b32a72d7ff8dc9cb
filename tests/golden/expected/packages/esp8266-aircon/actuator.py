# The relay. Off after every reset: nobody has asked this run of the board to cool.
import machine

PIN = 5  # D1 on a NodeMCU or D1 mini, where relay shields have their relay

relay = machine.Pin(PIN, machine.Pin.OUT, value=0)


# message: {"state": {"enabled": true}} or false; anything else raises, and switches nothing
def handle(message):
    enabled = message["state"]["enabled"]
    if not isinstance(enabled, bool):
        raise ValueError("state.enabled is true or false")
    relay.value(enabled)
