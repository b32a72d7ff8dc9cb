#!/usr/bin/env python3
"""mustache.py CASES.json: every case that gives an output or an error, through `sensorforge render`.

Exits with 1 and says what differed.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = os.environ["SENSORFORGE"]


def render(case, folder):
    words = [PROGRAM, "render", "t", "data.json", "--escape", case.get("escape", "html")]
    (folder / "t").write_text(case["template"], encoding="utf-8")
    (folder / "data.json").write_text(json.dumps(case["data"]).replace("Infinity", "1e999"), encoding="utf-8")
    if case.get("strict"):
        words.append("--strict")
    if "partials" in case:
        (folder / "partials").mkdir()
        for name, text in case["partials"].items():
            file = folder / "partials" / f"{name}.mustache"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        words += ["--partials", "partials"]
    return subprocess.run(words, cwd=folder, capture_output=True)


def main(path):
    cases = [c for c in json.loads(Path(path).read_text(encoding="utf-8")) if "template" in c and "data" in c]
    wrong = []
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            ran = render(case, Path(folder))
        if "output" in case:
            good = ran.returncode == 0 and ran.stdout == case["output"].encode()
        else:
            # In a partial's place the file has another name here.
            wanted = f"error: {case['error']}" if case["error"].startswith("t:") else "error: "
            said = " ".join(ran.stderr.decode().split())
            good = ran.returncode == 1 and not ran.stdout and " ".join(wanted.split(", expected")[0].split()) in said
        if not good:
            wrong.append(f"{case['about']}: exit {ran.returncode}, {ran.stdout!r} {ran.stderr!r}")
    print("\n".join(wrong), file=sys.stderr)
    print(f"{len(cases)} cases")
    return 1 if wrong or len(cases) < 40 else 0


sys.exit(main(sys.argv[1]))
