"""A board on a pseudo-terminal: MicroPython's unix port behind the prompt of board_repl.py, with a flash of its own."""

import contextlib
import json
import os
import pty
import subprocess
import tempfile
import tty
from pathlib import Path

import bench


class SerialBoard:
    def __init__(self, project, blocks=64, **options):
        self.folder = Path(tempfile.mkdtemp(dir=project.root, prefix="serial."))
        empty = self.folder / "empty"
        empty.mkdir()
        (empty / "other.txt").write_text("somebody else's\n")
        for name, text in options.pop("files", {}).items():
            (empty / name).parent.mkdir(exist_ok=True)
            (empty / name).write_text(text)
        world = {"platform": options.get("platform", "esp8266"), "flash_blocks": blocks, "type": {}}
        (self.folder / "world.json").write_text(json.dumps(world))
        bench.run(bench.MICROPYTHON, bench.POWER_ON, self.folder, "--copy", empty)
        self.ours, theirs = pty.openpty()
        tty.setraw(theirs)
        self.port = os.ttyname(theirs)
        words = [*bench.UNTIL_WE_END, bench.MICROPYTHON, bench.REPO / "tests/firmware/board_repl.py", self.folder, json.dumps(options)]
        # The board holds the master's end; whoever flashes opens the port by its name.
        self.process = subprocess.Popen([str(w) for w in words], stdin=self.ours, stdout=self.ours, stderr=open(self.folder / "errors", "wb"),
                                        env=bench.ENVIRONMENT)
        self.theirs = theirs  # open, or the master would see an end whenever nobody has the port
        bench.CLEAN_UP.callback(self.stop)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for end in (self.ours, self.theirs):
            with contextlib.suppress(OSError):
                os.close(end)

    def simulator(self, *words):
        return bench.run(bench.MICROPYTHON, bench.POWER_ON, self.folder, *words).stdout

    def files(self):
        return {line.rsplit(" ", 1)[0].lstrip("/") for line in self.simulator("--list").decode().splitlines()}

    def file(self, name):
        return self.simulator("--get", name)

    def log(self):
        path = self.folder / "log"
        return path.read_text().split() if path.exists() else []
