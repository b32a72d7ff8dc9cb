# Events for `sensorforge run`, which tells what became of each reading. Only where world.json says "journal": true.
#
# An event is a line on standard output: the record separator 0x1E, then an array as JSON (generator/board/readings.h reads them):
#   ["taken", milliseconds since 1970, "\"temperature\":22.5"]    reading.take() has made this reading
#   ["published", packet identifier, "topic", "payload"]         a PUBLISH with QoS 1 was written
#   ["acknowledged", packet identifier]                          its PUBACK was read
#   ["resting"]                                                  the board has nothing to do until later
#
# "cycles" in world.json: after so many readings the run ends at the next rest.
import _world
import json
import sys


def wanted():
    return bool(_world.world.get("journal"))


def tell(*event):
    sys.stdout.write("\x1e" + json.dumps(event) + "\n")


# --- what the firmware does ---


def _taking(take):
    def taken(*words):
        record = take(*words)
        at, fields = record.split(" ", 1)
        _world.state["taken"] = _world.state.get("taken", 0) + 1
        tell("taken", int(at), fields)
        return record

    return taken


def _resting(rest):
    def rested(*words):
        tell("resting")
        if 0 < _world.world.get("cycles", 0) <= _world.state.get("taken", 0):
            _world.leave(_world.ENOUGH, "power on")
        return rest(*words)

    return rested


_WRAPPERS = {"reading": ("take", _taking), "rest": ("rest", _resting)}


def look_at(name):
    """A module of the firmware was imported, perhaps anew: its function reports from now on."""
    if name in _WRAPPERS and wanted():
        module, (function, wrap) = sys.modules.get(name), _WRAPPERS[name]
        if module and not hasattr(module, "_reports"):
            setattr(module, function, wrap(getattr(module, function)))
            module._reports = True


# --- what goes over the wire ---


class Packets:
    """The MQTT packets of one direction (MQTT 3.1.1, 2.2), from pieces of any length."""

    def __init__(self, seen):
        self.seen, self.data = seen, b""

    def feed(self, piece):
        self.data += bytes(piece)
        while self._take_packet():
            pass

    def _take_packet(self):
        length = shift = 0
        for at in range(1, len(self.data)):
            length |= (self.data[at] & 127) << shift
            shift += 7
            if self.data[at] < 128:
                break
        else:
            return False
        end = at + 1 + length
        if len(self.data) < end:
            return False
        packet, self.data = self.data[:end], self.data[end:]
        self.seen(packet[0], packet[at + 1 :])
        return True


def sent(first, body):
    if first & 0xF6 == 0x32:  # PUBLISH, QoS 1
        end = 2 + int.from_bytes(body[:2], "big")
        tell("published", int.from_bytes(body[end : end + 2], "big"), body[2:end].decode(), body[end + 2 :].decode())


def received(first, body):
    if first == 0x40:  # PUBACK
        tell("acknowledged", int.from_bytes(body[:2], "big"))
