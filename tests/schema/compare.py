#!/usr/bin/env python3
"""Holds the JSON Schemas against the checker, on the specs of tests/schema/corpus and those that ship.

Every file of the corpus says in its first two lines what must come of it:

    # schema: good|bad      what an independent validator (jsonschema) says, so what an editor shows
    # checker: good|bad     what `sensorforge check` says

The checker sees more than a schema can: what one part of a spec says of another. So where the schema
says bad, the checker must too; that is held for every file, whatever its lines say.

    SENSORFORGE=build/bin/sensorforge python3 tests/schema/compare.py

Output is TAP. Needs jsonschema and PyYAML."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jsonschema
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
CORPUS = ROOT / "tests" / "schema" / "corpus"
REST = "platform: esp8266\nmeasures: {on: {type: boolean, driver: {name: gpio, pin: 4}}}\n"


class Loader(yaml.SafeLoader):
    """YAML as JSON can hold it: keys are text, a date is text."""

    def construct_mapping(self, node, deep=False):
        self.flatten_mapping(node)
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is no text", key.start_mark)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def pattern(_validator, pattern, instance, _schema):
    """As ECMA-262 has it, which JSON Schema names: $ is the end, not the line feed before it."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$(?=$|\||\))", r"\\Z", pattern), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": pattern})


def validator(name):
    schema = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    Validator.check_schema(schema)
    return Validator(schema)


VALIDATORS = {name: validator(name) for name in ("sensortype", "system", "automation")}


def schema_says(path, system):
    """good or bad, and the first complaint."""
    try:
        data = yaml.load(path.read_bytes(), Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        return "bad", str(problem).replace("\n", " ")
    for problem in VALIDATORS["system" if system else "sensortype"].iter_errors(data):
        return "bad", f"{problem.json_path}: {problem.message}"
    return "good", ""


def lay_out(project, path, system, code):
    types = project / "sensortypes"
    shutil.rmtree(types, ignore_errors=True)
    infrastructure = project / "iot_system_infra"
    infrastructure.mkdir(exist_ok=True)
    for name, commands in (("fan", "true"), ("lamp", "false")):
        (types / name).mkdir(parents=True)
        (types / name / "spec.yaml").write_text(f"version: 1\ntype: {name}\ncommands: {commands}\n" + REST)
    (infrastructure / "system.yaml").write_text("version: 1\nname: home\n")
    target = infrastructure / "system.yaml" if system else types / "greenhouse" / "spec.yaml"
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(path, target)
    if code:
        (types / "greenhouse" / "code").mkdir()
        (types / "greenhouse" / "code" / "sensor.py").touch()
    return target.relative_to(project).as_posix()


def check(program, project, operands):
    run = subprocess.run([program, "-C", project, "check", "--json", *operands],
                         capture_output=True, timeout=60, check=False)
    if run.returncode not in (0, 1) or not run.stdout:
        raise RuntimeError(f"check ended with {run.returncode}: {run.stderr.decode(errors='replace')}")
    return run.returncode, json.loads(run.stdout)


def checker_says(program, project, path, system, code):
    """good or bad, and the first complaint. Only of the file itself."""
    name = lay_out(project, path, system, code)
    returned, answer = check(program, project, [] if system else ["greenhouse"])
    errors = [p for p in answer["problems"] if p["severity"] == "error"]
    strangers = [p for p in errors if p["file"] != name]
    if strangers or bool(errors) != (returned == 1) or answer["errors"] != len(errors):
        raise RuntimeError(f"an answer that does not hold together: {answer}")
    first = errors[0] if errors else None
    return ("bad", f"{first['line']}:{first['column']}: {first['message']}") if first else ("good", "")


def promises(path):
    head = path.read_bytes().split(b"\n")[:3]
    found = re.fullmatch(rb"# schema: (good|bad)\r?\n# checker: (good|bad)\r?", b"\n".join(head[:2]))
    if not found:
        return None
    return found[1].decode(), found[2].decode(), head[2].startswith(b"# code: yes")


def document_says(program, project):
    """What the schema of automation.json says of the document that the spec gives; "" where it is right, or there is none."""
    made = project / "made"
    shutil.rmtree(made, ignore_errors=True)
    subprocess.run([program, "-C", project, "generate", "greenhouse", "--out", made, "--quiet"],
                   capture_output=True, timeout=60, check=True)
    for path in made.glob("**/automation.json"):
        for problem in VALIDATORS["automation"].iter_errors(json.loads(path.read_text(encoding="utf-8"))):
            return f"automation.json: {problem.json_path}: {problem.message}"
    return ""


def compare(program, project, path):
    """Lines that say what is wrong; none when all holds."""
    promised = promises(path)
    if not promised:
        return ["the first two lines do not say what the schema and the checker must say"]
    wanted_schema, wanted_checker, code = promised
    system = path.name.startswith("system-")
    schema, schema_why = schema_says(path, system)
    checker, checker_why = checker_says(program, project, path, system, code)
    wrong = []
    if (path.parent.name == "good") != (wanted_checker == "good"):
        wrong.append(f"lies in {path.parent.name}/ and says that the checker says {wanted_checker}")
    if schema != wanted_schema:
        wrong.append(f"schema: {schema}, not {wanted_schema} {schema_why}")
    if checker != wanted_checker:
        wrong.append(f"checker: {checker}, not {wanted_checker} {checker_why}")
    if schema == "bad" and checker == "good":
        wrong.append("the checker takes what the schema refuses")
    if checker == "good" and not system and (why := document_says(program, project)):
        wrong.append(why)
    return wrong


def shipped(program):
    """Pairs of a name and what is wrong."""
    returned, answer = check(program, ROOT, [])
    yield "the checker takes all that ships", [] if returned == 0 else [str(answer["problems"])]
    specs = sorted((ROOT / "sensortypes").glob("*/spec.yaml"))
    for path in specs + [ROOT / "iot_system_infra" / "system.yaml"]:
        verdict, why = schema_says(path, path.name == "system.yaml")
        yield f"the schema takes {path.relative_to(ROOT)}", [] if verdict == "good" else [why]


def main():
    program = os.path.abspath(os.environ.get("SENSORFORGE", ROOT / "build" / "bin" / "sensorforge"))
    results = []
    with tempfile.TemporaryDirectory(prefix="sensorforge-compare-") as folder:
        project = Path(folder)
        (project / "templates").symlink_to(ROOT / "templates")
        for path in sorted(CORPUS.glob("*/*.yaml")):
            try:
                wrong = compare(program, project, path)
            except (RuntimeError, ValueError, subprocess.SubprocessError) as problem:
                wrong = [str(problem)]
            results.append((f"schema and checker on {path.relative_to(CORPUS)}", wrong))
    count = len(results)
    results.append(("the corpus has at least 60 files", [] if count >= 60 else [f"{count}"]))
    results += shipped(program)
    print(f"1..{len(results)}")
    for number, (name, wrong) in enumerate(results, 1):
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}")
        for line in wrong:
            print(f"# {line}")
    return any(wrong for _, wrong in results)


if __name__ == "__main__":
    sys.exit(main())
