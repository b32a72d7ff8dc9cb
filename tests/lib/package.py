#!/usr/bin/env python3
"""package.py DIR...: exits with 1 and says why unless each package is exactly what its manifest says.

Files are 0600, folders 0700, there is nothing in PEM, and what a board must have is there.
"""

import hashlib
import json
import os
import sys
from pathlib import Path


def faults(folder):
    folder = Path(folder)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    listed = {file["file"]: file for file in manifest["files"]}
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir()} - {"manifest.json"}
    if [f["file"] for f in manifest["files"]] != sorted(listed, key=os.fsencode):
        yield "the manifest is not sorted, or lists a file twice"
    if set(listed) != found:
        yield f"manifest and files differ: {sorted(set(listed) ^ found)}"
    if manifest["thing"] != folder.name or manifest["type"] != folder.parent.parent.name:
        yield f"the manifest is of {manifest['type']}/{manifest['thing']}"
    ending = "mpy" if "format" in manifest else "py"
    for needed in ("boot.py", "main.py", f"board.{ending}", "config.json", "cert.der", "key.der", "ca.der", "secret"):
        if needed not in found:
            yield f"{needed} is missing"
    if not found & {f"sensor.{ending}", f"drivers.{ending}"}:
        yield "nothing in it reads the sensor: neither code of the type nor drivers"
    if ending == "mpy" and {p for p in found if p.endswith(".py")} != {"boot.py", "main.py"}:
        yield "there is source beside the bytecode"
    for path in sorted(found & set(listed)):
        bytes_ = (folder / path).read_bytes()
        if len(bytes_) != listed[path]["size"]:
            yield f"{path} has {len(bytes_)} bytes, not {listed[path]['size']}"
        if hashlib.sha256(bytes_).hexdigest() != listed[path]["sha256"]:
            yield f"{path} has another sha256"
        if b"-----BEGIN" in bytes_:
            yield f"{path} holds PEM"
    for path in [folder, *folder.rglob("*")]:
        mode = path.lstat().st_mode & 0o7777
        if path.is_symlink() or mode != (0o700 if path.is_dir() else 0o600):
            yield f"{path} has mode {mode:o}"


if __name__ == "__main__":
    wrong = [f"{folder}: {fault}" for folder in sys.argv[1:] for fault in faults(folder)]
    print("\n".join(wrong), end="\n" if wrong else "", file=sys.stderr)
    sys.exit(1 if wrong or len(sys.argv) < 2 else 0)
