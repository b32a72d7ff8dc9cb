# The board's flash: a LittleFS in a file, mounted as the root; the host's own files are below /host from then on.
import _world
import vfs

BLOCK = 4096


class Flash:
    """A block device in a file; readblocks(), writeblocks() and ioctl() as MicroPython's os module documents them."""

    def __init__(self, path, blocks):
        self.file, self.blocks, self.writes = open(path, "r+b"), blocks, 0
        self.cut_at = _world.fault("power_cut_at_write")

    def readblocks(self, number, buffer, offset=0):
        self.file.seek(number * BLOCK + offset)
        self.file.readinto(buffer)

    def writeblocks(self, number, buffer, offset=0):
        self.step()
        self.file.seek(number * BLOCK + offset)
        self.file.write(buffer)

    def step(self):
        self.writes += 1
        _world.state["flash_writes"] = self.writes
        if self.cut_at and self.writes >= self.cut_at:
            _world.say("power cut at write", self.writes)
            _world.leave(_world.POWER_CUT, "power on")

    def ioctl(self, what, argument):
        if what == 4:
            return self.blocks
        if what == 5:
            return BLOCK
        if what == 6:
            self.step()
            self.file.seek(argument * BLOCK)
            self.file.write(b"\xff" * BLOCK)
        return 0


def mount(folder, make):
    blocks = _world.world.get("flash_blocks", 256)
    path = folder + "/flash.img"
    if make:
        with open(path, "wb") as file:
            file.seek(blocks * BLOCK - 1)
            file.write(b"\xff")
    flash = Flash(path, blocks)
    if make:
        flash.cut_at = None
        vfs.VfsLfs2.mkfs(flash)
    files = vfs.VfsLfs2(flash)
    vfs.umount("/")
    vfs.mount(files, "/")
    vfs.mount(vfs.VfsPosix(), "/host")
    _world.mounted = True
    import os

    os.chdir("/")
    return flash
