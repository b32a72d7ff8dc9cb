# os: the interpreter's own, with what boards have besides.
import _world

_own = _world.builtin("os")
for _name in ("chdir", "getcwd", "ilistdir", "listdir", "mkdir", "mount", "remove", "rename", "rmdir", "stat", "statvfs", "umount", "unlink", "urandom"):
    if hasattr(_own, _name):
        globals()[_name] = getattr(_own, _name)


def uname():
    from collections import namedtuple

    release = _world.world.get("micropython", "1.25") + ".0"
    made = namedtuple("uname_result", ("sysname", "nodename", "release", "version", "machine"))
    return made(_world.platform(), _world.platform(), release, "v" + release, "a board on MicroPython's unix port")


def dupterm(stream, index=0):
    return None


def sync():
    pass
