# What the air conditioner reports: whether its relay is on.
import actuator


def read():
    return {"enabled": bool(actuator.relay.value())}
