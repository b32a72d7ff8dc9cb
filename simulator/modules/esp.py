# esp: what firmware asks of it.
def osdebug(level, *rest):
    pass


def flash_size():
    return 4 << 20


def sleep_type(kind=None):
    return kind


SLEEP_NONE, SLEEP_LIGHT, SLEEP_MODEM = 0, 1, 2
