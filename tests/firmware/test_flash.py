#!/usr/bin/env python3
"""sensorforge flash, with the real mpremote, against a board on a pseudo-terminal."""

import fcntl
import json
import os
import stat
import subprocess
import sys

from bench import ENVIRONMENT, PROGRAM, Project, main, same, test, until
from serial_board import SerialBoard

PROJECT = Project()
PACKAGE = PROJECT.create("kitchen", "esp8266temp")
MANIFEST = json.loads((PACKAGE / "manifest.json").read_text())
PLACES = {"boot.py" if f["file"] == "boot.py" else "a/" + f["file"] for f in MANIFEST["files"]}


def flash(board, *words, path=None, name="kitchen"):
    port = board if isinstance(board, str) else board.port
    environment = ENVIRONMENT | ({"PATH": path} if path is not None else {})
    return subprocess.run([PROGRAM, "-C", str(PROJECT.folder), "flash", name, "--port", port, *words], capture_output=True, text=True,
                          timeout=100, env=environment, stdin=subprocess.DEVNULL, check=False)


def refused(ran, code, *said):
    for words in said:
        assert words in ran.stderr, f"expected: {words}\n{ran.stderr}"
    same(code, ran.returncode, ran.stderr)
    same("", ran.stdout)


def tool(name, text):
    """A folder for PATH in which only that tool is found, beside the system's own."""
    folder = PROJECT.root / f"tools.{len(list(PROJECT.root.glob('tools.*')))}"
    folder.mkdir()
    path = folder / name
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return f"{folder}:{ENVIRONMENT['PATH']}"


@test
def a_package_is_copied_verified_and_started():
    board = SerialBoard(PROJECT)
    ran = flash(board)
    same(0, ran.returncode, ran.stderr)
    assert f"kitchen  {len(MANIFEST['files'])} files" in ran.stdout and "verified" in ran.stdout, ran.stdout
    same(PLACES | {"a/manifest.json", "slot", "other.txt"}, board.files())
    for name in ("main.py", "key.der", "config.json", "secret", "manifest.json"):
        same((PACKAGE / name).read_bytes(), board.file("/a/" + name), name)
    same((PACKAGE / "boot.py").read_bytes(), board.file("/boot.py"))
    same(b"a", board.file("/slot"))
    same(b"somebody else's\n", board.file("other.txt"), "what was there stays")
    until(lambda: board.log()[-1] == "reset", "the board was reset")


@test
def a_second_time_gives_the_same():
    board = SerialBoard(PROJECT)
    for _ in range(2):
        ran = flash(board, "--json")
        same(0, ran.returncode, ran.stderr)
        answer = json.loads(ran.stdout)
        same((True, len(MANIFEST["files"]), board.port), (answer["verified"], answer["files"], answer["port"]))


@test
def a_file_that_differs_on_the_board_is_named():
    refused(flash(SerialBoard(PROJECT, corrupt="/a/link.mpy")), 3, "link.mpy on the board is not what the package holds")


@test
def a_board_of_the_old_layout():
    """A board that has its package at the top gets the new one into /a, and keeps what else is on it"""
    old = {"files": [{"file": n} for n in ("boot.py", "main.py", "link.py", "key.der", "lib2/part.py")]}
    kept = {"kept.0": "a reading", "pulses.27": "42", "wifi.json": "{}", "mine/notes.txt": "mine"}
    board = SerialBoard(PROJECT, files={f["file"]: "old" for f in old["files"]} | {"manifest.json": json.dumps(old)} | kept)
    same(0, flash(board).returncode)
    same(PLACES | {"a/manifest.json", "slot", "other.txt"} | set(kept), board.files())


@test
def what_is_left_of_other_packages_goes():
    """Source from before, of which there is bytecode now, and what an update left in /b, is removed"""
    board = SerialBoard(PROJECT, files={"a/link.py": "raise", "a/sub/old.py": "", "b/main.py": "raise", "slot": "ba"})
    same(0, flash(board).returncode)
    same(PLACES | {"a/manifest.json", "slot", "other.txt"}, board.files())
    same(b"a", board.file("/slot"))


@test
def bytecode_that_the_board_does_not_load():
    board = SerialBoard(PROJECT, format=5)
    refused(flash(board), 3, "bytecode of the format 5, the package has 6", "package kitchen --source")
    same({"other.txt"}, board.files())
    package = PROJECT.create("editable", "esp8266temp")
    PROJECT.sensorforge("package", "editable", "--source")
    assert (package / "link.py").exists() and not list(package.glob("*.mpy")), list(package.iterdir())
    same(0, flash(SerialBoard(PROJECT, format=5, blocks=80), name="editable").returncode)

@test
def a_full_file_system():
    refused(flash(SerialBoard(PROJECT, blocks=8)), 3, "file system is full")


@test
def a_copy_that_ends_half_way():
    """A board whose files are half of an earlier package and half of this one starts neither"""
    board = SerialBoard(PROJECT, blocks=8, files={"a/main.py": "import cycle", "a/cycle.py": "old"})
    refused(flash(board), 3, "file system is full")
    assert "a/cycle.py" in board.files() and "a/main.py" not in board.files(), board.files()


@test
def a_board_that_does_not_answer():
    refused(flash(SerialBoard(PROJECT, silent=True)), 3, "does not answer", "reset button")


@test
def a_board_of_another_platform_gets_nothing():
    board = SerialBoard(PROJECT, platform="esp32")
    refused(flash(board), 3, "of the platform esp32", "for esp8266")
    same({"other.txt"}, board.files())


@test
def a_micropython_that_is_too_old_gets_nothing():
    board = SerialBoard(PROJECT, version=[1, 19, 1])
    refused(flash(board), 3, "MicroPython 1.19", "1.22 or later")
    same({"other.txt"}, board.files())


@test
def a_port_that_is_not_there():
    refused(flash("/dev/ttyNOWHERE"), 3, "there is no port /dev/ttyNOWHERE")


@test
def a_file_is_no_port():
    refused(flash(str(PACKAGE / "main.py")), 3, "is not a port")


@test
def a_port_that_another_program_has_locked():
    board = SerialBoard(PROJECT)
    with open(board.port, "rb+", buffering=0, opener=lambda p, f: os.open(p, f | os.O_NOCTTY)) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused(flash(board), 3, "another program uses the port")
    same({"other.txt"}, board.files())


@test
def without_mpremote():
    refused(flash(SerialBoard(PROJECT), path="/nowhere"), 3, "mpremote is not installed", "pipx install mpremote")


@test
def without_a_port_or_a_package():
    ran = subprocess.run([PROGRAM, "-C", str(PROJECT.folder), "flash", "kitchen"], capture_output=True, text=True, env=ENVIRONMENT, check=False)
    refused(ran, 2, "--port is missing")
    refused(flash("/dev/null", name="attic"), 1, "attic")


@test
def modules_that_the_board_lacks_are_installed_by_mip():
    """Modules that the board lacks are installed by mip, and a refusal of it is told"""
    kind = next(k for k in PROJECT.types() if PROJECT.model(k)["platform"] == "rp2")
    package = PROJECT.create("pico", kind)
    needs = json.loads((package / "manifest.json").read_text())["needs"]
    assert "umqtt.simple" in needs, needs
    board = SerialBoard(PROJECT, platform="rp2", has=[])
    real = subprocess.run(["which", "mpremote"], capture_output=True, text=True, env=ENVIRONMENT, check=True).stdout.strip()
    log = PROJECT.root / "mip.log"
    # Only "mip install" is played: it needs the network. Everything else goes to the real one.
    path = tool("mpremote", f'#!/bin/sh\ncase "$*" in *"mip install"*) echo "$@" >>{log}; exit ${{MIP_EXIT:-0}} ;; esac\nexec {real} "$@"\n')
    ran = flash(board, path=path, name="pico")
    same(0, ran.returncode, ran.stderr)
    same([f"connect {board.port} mip install {need}" for need in needs], log.read_text().splitlines())
    ENVIRONMENT["MIP_EXIT"] = "1"
    try:
        refused(flash(SerialBoard(PROJECT, platform="rp2", has=[]), path=path, name="pico"), 3, "umqtt.simple could not be installed", "network")
    finally:
        del ENVIRONMENT["MIP_EXIT"]
    refused(flash(SerialBoard(PROJECT, platform="rp2"), "--firmware", "any.bin", name="pico"), 2, "esptool does not write", "BOOTSEL")


@test
def micropython_itself_is_written_first():
    image, log = PROJECT.folder / "micropython.bin", PROJECT.root / "esptool.log"
    image.write_bytes(b"\xe9" + bytes(100))
    path = tool("esptool", f'#!/bin/sh\necho "$@" >>{log}\nexit ${{ESPTOOL_EXIT:-0}}\n')
    board = SerialBoard(PROJECT)
    ran = flash(board, "--firmware", "micropython.bin", path=path)
    same(0, ran.returncode, ran.stderr)
    words = log.read_text().split()
    same(["--chip", "esp8266", "--port", board.port, "write_flash"], words[:5])
    same(["0x0", str(image)], [words[-2], os.path.join(PROJECT.folder, os.path.basename(words[-1]))])
    ENVIRONMENT["ESPTOOL_EXIT"] = "2"
    try:
        refused(flash(SerialBoard(PROJECT), "--firmware", "micropython.bin", path=path), 3, "could not write MicroPython", "BOOT")
    finally:
        del ENVIRONMENT["ESPTOOL_EXIT"]


@test
def what_is_no_image_is_not_written():
    (PROJECT.folder / "page.bin").write_text("<html>")
    refused(flash(SerialBoard(PROJECT), "--firmware", "page.bin"), 1, "no firmware image")
    refused(flash(SerialBoard(PROJECT), "--firmware", "missing.bin"), 1, "missing.bin")


if __name__ == "__main__":
    sys.exit(main())
