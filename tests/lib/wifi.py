#!/usr/bin/env python3
"""wifi.py ROUTE CASES.json: every case through one route, and what the board's program would then read.

ROUTE: make, environment, csv, secrets-double, secrets-single. Works in the project of the current folder, with the
program $SENSORFORGE. The board's program reads config.json with json.load, and so does this. Exits with 1 and says which
cases arrived otherwise than they were sent.
"""

import csv
import json
import os
import shutil
import subprocess
import sys

PROGRAM = os.environ["SENSORFORGE"]
# In quotes YAML 1.1 folds these, and they can be written only as escapes, for which single quotes have no place.
YAML_ENDS_LINES = "\x85\u2028\u2029\ufeff"
BARE = {k: v for k, v in os.environ.items() if not k.startswith("SENSORFORGE_WIFI")}


def run(words, **environment):
    ran = subprocess.run(words, env=BARE | environment, stdin=subprocess.DEVNULL, capture_output=True)
    return "" if ran.returncode == 0 else f"exit {ran.returncode}: {os.fsdecode(ran.stderr).strip()}"


def by_make(name, ssid, password):
    return run(["make", "--no-print-directory", "-o", PROGRAM, f"PROGRAM={PROGRAM}", "create", f"name={name}",
                "type=esp32air", f"wifissid={ssid}", f"wifipassword={password}"])


def by_environment(name, ssid, password):
    return run([PROGRAM, "create", name, "-t", "esp32air"], SENSORFORGE_WIFI_SSID=ssid, SENSORFORGE_WIFI_PASSWORD=password)


def by_secrets(quote):
    def create(name, ssid, password):
        with open("secrets.yaml", "w", encoding="utf-8") as file:
            file.write(f"wifi_ssid: {quote(ssid)}\nwifi_password: {quote(password)}\n")
        return run([PROGRAM, "create", name, "-t", "esp32air"])
    return create


def in_double_quotes(text):
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(f"\\u{ord(c):04x}" if c in YAML_ENDS_LINES else c for c in quoted)


def in_single_quotes(text):
    return "'" + text.replace("'", "''") + "'"


def by_csv(cases):
    with open("things.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["name", "type", "wifissid", "wifipassword"])
        table.writerows([f"thing{n}", "esp32air", c["ssid"], c["password"]] for n, c in enumerate(cases))
    return run([PROGRAM, "create", "--from", "things.csv"])


def main(route, cases):
    one = {"make": by_make, "environment": by_environment, "secrets-double": by_secrets(in_double_quotes),
           "secrets-single": by_secrets(in_single_quotes)}.get(route)
    wrong = []
    if route == "csv" and (said := by_csv(cases)):
        wrong.append(said)
    for number, case in enumerate(cases):
        if route == "secrets-single" and set(case["ssid"] + case["password"]) & set(YAML_ENDS_LINES):
            continue
        name = f"thing{number}"
        said = one(name, case["ssid"], case["password"]) if one else ""
        try:
            with open(f"sensortypes/esp32air/sensors/{name}/config.json", encoding="utf-8") as file:
                got = json.load(file)["wifi"]
        except (OSError, ValueError) as error:
            got = repr(error)
        if said or got != {"ssid": case["ssid"], "password": case["password"]}:
            wrong.append(f"{case['about']}: sent {case['ssid']!r} {case['password']!r}, got {got!r} {said}")
        shutil.rmtree(f"certificates/{name}", ignore_errors=True)
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong or len(cases) < 20 else 0


if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as file:
        sys.exit(main(sys.argv[1], json.load(file)))
