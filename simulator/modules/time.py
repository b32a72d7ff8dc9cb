# time: the interpreter's own, on the simulated clock. The ESPs count from 2000, the RP2 from 1970.
import _world

_own = _world.builtin("time")
_EPOCH = 0 if _world.platform() == "rp2" else _world.EPOCH_2000

ticks_add = _own.ticks_add
ticks_diff = _own.ticks_diff


def time():
    return _world.board_us() // 1000000 - _EPOCH


def time_ns():
    return (_world.board_us() - _EPOCH * 1000000) * 1000


def gmtime(seconds=None):
    return _own.gmtime((time() if seconds is None else int(seconds)) + _EPOCH)[:8]


localtime = gmtime


def mktime(moment):
    days = (_own.mktime(tuple(moment[:8]) + (0,)) - _own.mktime((1970, 1, 2, 0, 0, 0, 0, 0, 0))) + 86400
    return days - _EPOCH


# The counter of the boards wraps after 30 bits of milliseconds; the interpreter's own ticks_diff knows its own period only,
# so this one does not.
def ticks_ms():
    return _world.uptime_us() // 1000


def ticks_us():
    return _world.uptime_us()


ticks_cpu = ticks_us


def sleep(seconds):
    _world.wait_us(int(seconds * 1000000))


def sleep_ms(ms):
    _world.wait_us(ms * 1000)


def sleep_us(us):
    _world.wait_us(us)
