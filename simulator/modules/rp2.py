# rp2: what firmware asks of it.
def country(code=None):
    return code
