#!/usr/bin/env python3
"""Every package compiles for its board, and uses no name that the board's MicroPython does not have.

names.json says which: {"modules": {module: {"all": [names], "esp8266": [more], ...}}, "builtins": ..., "missing": {platform:
[methods that it leaves out]}}; its "from" says where each list comes from. A module that is not there at all is not on any board.
"""

import ast
import json
import subprocess
import sys

from bench import ENVIRONMENT, REPO, Project, main, note, run, same, test

PROJECT = Project()
THINGS = {kind: PROJECT.create(f"{kind}-1", kind) for kind in PROJECT.types()}
PROJECT.sensorforge("package", *(f"{kind}-1" for kind in THINGS), "--source")
MODELS = {kind: PROJECT.model(kind) for kind in THINGS}
NAMES = json.loads((REPO / "tests/firmware/names.json").read_text())
DRIVERS = REPO / "templates/firmware/drivers"


def names_of(module, platform):
    known = NAMES["modules"].get(module)
    if known is None or platform in known.get("not on", []):
        return None
    return set(known.get("all", [])) | set(known.get(platform, []))


class Check(ast.NodeVisitor):
    """What one file asks of its board's MicroPython and does not get."""

    def __init__(self, platform, own, constants):
        self.platform, self.own, self.constants = platform, own, constants
        self.asked_for = set()  # by hasattr(), around what is looked at
        self.modules, self.problems = {}, []

    def problem(self, node, text):
        self.problems.append(f"line {node.lineno}: {text}")

    def visit_Import(self, node):
        for alias in node.names:
            self.take(node, alias.name, (alias.asname or alias.name).split(".")[0])

    def take(self, node, module, name):
        if module in self.own:
            return
        if names_of(module, self.platform) is None:
            self.problem(node, f"there is no module {module}")
        else:
            self.modules[name] = module

    def visit_ImportFrom(self, node):
        if node.module in self.own:
            return
        there = names_of(node.module, self.platform)
        if there is None:
            self.problem(node, f"there is no module {node.module}")
            return
        for alias in node.names:
            if alias.name not in there:
                self.problem(node, f"{node.module} has no {alias.name}")

    def visit_Attribute(self, node):
        self.generic_visit(node)
        path = dotted(node)
        module = self.modules.get(path[0]) if path else None
        # A part of a module (machine.Pin.IN) is in its list as "Pin.IN".
        if module and isinstance(node.ctx, ast.Load):
            there, name = names_of(module, self.platform), ".".join(path[1:])
            if len(path) == 2 or path[1] in NAMES["classes"].get(module, []):
                if name not in there and path[-1] not in self.asked_for:
                    self.problem(node, f"{module} has no {name}")
        if node.attr in NAMES["missing"][self.platform] and not module:
            self.problem(node, f"no object has .{node.attr}")

    def visit_If(self, node):
        """What board.py says is not so on this platform is not looked at; what hasattr() asks for may be used."""
        path = dotted(node.test)
        if path and path[0] == "board" and self.constants.get(path[1]) is False:
            for each in node.orelse:
                self.visit(each)
            return
        asked = {n.args[1].value for n in ast.walk(node.test) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "hasattr"}
        self.visit(node.test)
        self.asked_for |= asked
        for each in node.body:
            self.visit(each)
        self.asked_for -= asked
        for each in node.orelse:
            self.visit(each)

    def visit_Try(self, node):
        """An import need not succeed where an ImportError is expected."""
        if any(getattr(h.type, "id", "") == "ImportError" for h in node.handlers):
            node.body = [each for each in node.body if self.is_there(each)]
        self.generic_visit(node)

    def is_there(self, node):
        if isinstance(node, ast.ImportFrom):
            return {a.name for a in node.names} <= (names_of(node.module, self.platform) or set())
        return not isinstance(node, ast.Import) or all(names_of(a.name, self.platform) is not None for a in node.names)

    def visit_Match(self, node):
        self.problem(node, "there is no match statement")


def dotted(node):
    parts = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    return [node.id, *parts] if isinstance(node, ast.Name) else None


def globals_of(tree):
    """Names that a file itself gives: assigned, imported, arguments, functions, exceptions."""
    given = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            given.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            given.add(node.name)
        elif isinstance(node, ast.arg):
            given.add(node.arg)
        elif isinstance(node, ast.alias):
            given.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            given.add(node.name)
    return given


def check_source(text, platform, own, constants):
    tree = ast.parse(text)
    check = Check(platform, own, constants)
    check.visit(tree)
    builtins, given = set(NAMES["builtins"]["all"]) - set(NAMES["builtins"]["not on"].get(platform, [])), globals_of(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in builtins | given:
            check.problem(node, f"there is no {node.id}")
    return check.problems


def check_folder(files, platform):
    own = {p.stem for p in files} | {"common"}
    boards = [p for p in files if p.name == "board.py"]
    constants = {n.targets[0].id: n.value.value for p in boards for n in ast.parse(p.read_text()).body
                 if isinstance(n, ast.Assign) and isinstance(n.value, ast.Constant)}
    return [f"{p.name}, {problem}" for p in files for problem in check_source(p.read_text(), platform, own, constants)]


COMPILED = set()


def compile_all(files):
    for path in files:
        if path.read_bytes() in COMPILED:
            continue
        COMPILED.add(path.read_bytes())
        made = path.with_suffix(".mpy.test")
        ran = subprocess.run(["mpy-cross", "-march=xtensa", "-o", str(made), str(path)], capture_output=True, text=True, env=ENVIRONMENT, check=False)
        made.unlink(missing_ok=True)
        same(0, ran.returncode, f"{path}: {ran.stdout}{ran.stderr}")


for each in THINGS:
    def one(kind=each):
        files = sorted(THINGS[kind].rglob("*.py"))
        compile_all(files)
        same([], check_folder(files, MODELS[kind]["platform"]))
    one.__name__ = f"{each}: its package compiles, and asks for nothing that its board lacks"
    test(one)


@test
def every_driver_on_every_platform():
    """Every driver compiles, and asks for nothing that one of its platforms lacks"""
    for folder in sorted(p.parent for p in DRIVERS.glob("*/driver.yaml")):
        files = sorted(folder.glob("*.py"))
        platforms = next(line for line in (folder / "driver.yaml").read_text().splitlines() if line.startswith("platforms:"))
        compile_all(files)
        for platform in platforms.split("[")[1].rstrip("]").split(", "):
            same([], check_folder(files, platform), f"{folder.name} on {platform}")


@test
def what_a_build_lacks_is_named_in_the_manifest():
    """A module that a board's build does not carry is in the manifest's needs"""
    for kind, package in THINGS.items():
        needs, platform = json.loads((package / "manifest.json").read_text())["needs"], MODELS[kind]["platform"]
        own = {p.stem for p in package.rglob("*.py")}
        used = set()
        for path in package.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                used |= {a.name for a in node.names} if isinstance(node, ast.Import) else {node.module} if isinstance(node, ast.ImportFrom) else set()
        fetched = {m for m in used - own if platform in NAMES["modules"][m].get("fetched on", [])}
        same(fetched, set(needs), f"{kind} on {platform}")


@test
def newer_micropython_compiles_it_too():
    """The interpreter itself, which is newer, compiles every package"""
    different = {p.read_bytes(): str(p) for package in THINGS.values() for p in package.rglob("*.py")}
    run(REPO / "scripts/micropython", "-c", f"for p in {list(different.values())!r}: compile(open(p).read(), p, 'exec')")
    note("mpy-cross", subprocess.run(["mpy-cross", "--version"], capture_output=True, text=True, env=ENVIRONMENT, check=False).stdout.strip())


@test
def the_check_can_fail():
    """The check itself finds what it is there for"""
    cases = {
        "import machine\nmachine.RTC().memory(b'')\nmachine.wake_reason()": ["machine has no wake_reason"],
        "import subprocess": ["there is no module subprocess"],
        "from time import perf_counter": ["time has no perf_counter"],
        "import machine\nmachine.Pin(1, machine.Pin.PULL_DOWN)": ["machine has no Pin.PULL_DOWN"],
        "'a'.removeprefix('b')": ["no object has .removeprefix"],
        "breakpoint()": ["there is no breakpoint"],
        "import json\njson.dumps(1)": [],
        "import ssl, board\nif board.NO:\n    ssl.CERT_REQUIRED\nelse:\n    ssl.CERT_NONE": ["ssl has no CERT_NONE"],
        "import machine\nif hasattr(machine, 'wake_reason'):\n    machine.wake_reason()\nmachine.wake_reason()": ["machine has no wake_reason"],
    }
    for source, wanted in cases.items():
        same(wanted, [p.split(": ", 1)[1] for p in check_source(source, "esp8266", {"board"}, {"NO": False})], source)


if __name__ == "__main__":
    sys.exit(main())
