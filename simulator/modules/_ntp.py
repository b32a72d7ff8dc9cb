# The time server of the simulated world: what a query is answered with (RFC 5905), by the host's clock.
#
# fault "ntp": "kiss" (stratum 0), "unsynchronised" (leap indicator 3), "zero" (no transmit timestamp), "past" (a router that counts
# from 1970), "future" (2151): what cannot be true. fault "clock": nobody answers.
import _world

_1970 = 2208988800  # in seconds since 1900


def answer(query):
    """48 bytes, or b"" where nobody answers."""
    lie = _world.fault("ntp")
    if _world.fault("clock"):
        return b""
    now = _world.now_us()
    seconds = now // 1000000 + _1970
    if lie == "past":
        seconds = _1970 + 1000
    if lie == "future":
        seconds += 125 * 365 * 86400
    data = bytearray(48)
    data[0] = 0xE4 if lie == "unsynchronised" else 0x24
    data[1] = 0 if lie == "kiss" else 2
    data[24:32] = query[40:48]
    data[40:44] = (0 if lie in ("kiss", "zero") else seconds & 0xFFFFFFFF).to_bytes(4, "big")
    data[44:48] = ((now % 1000000 << 32) // 1000000).to_bytes(4, "big")
    return bytes(data)
