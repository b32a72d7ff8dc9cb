#!/usr/bin/env python3
"""credentials.py: where credentials come from, case by case, and who they are when the call arrives.

A case is a home folder, an environment, and the key that every call must be signed with (or what the program says instead). The
container's and the instance's endpoints are stubs in this process; STS is the mock's."""

import http.server
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone

from lab import KEY_ID, PROGRAM, SECRET, Lab, expect, run_tests, same, test
from proxy import Fault

KEYS = {"AKIAFILE": ("file/Secret+1", None), "AKIACONFIG": ("config/Secret+2", None), "ASIASESSION": ("session/Secret+3", "session/Token+=="),
        "AKIAPROCESS": ("process/Secret+4", None), "ASIACONTAINER": ("container/Secret+5", "container/Token"),
        "ASIAINSTANCE": ("instance/Secret+6", "instance/Token"), "AKIAOTHER": ("other/Secret+7", None), "ASIASSO": ("sso/Secret+8", "sso/Token")}
NONE = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_EC2_METADATA_DISABLED": "true"}
ROLE = "arn:aws:iam::123456789012:role/operator"
CREATE = ["create", "kitchen", "--type", "esp32air"]


def keys_of(key, token="aws_session_token"):
    secret, session = KEYS[key]
    return f"aws_access_key_id = {key}\naws_secret_access_key = {secret}\n" + (f"{token} = {session}\n" if session else "")


def in_hours(hours):
    return (datetime.now(timezone.utc) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_json(key, expires=1, **more):
    secret, token = KEYS[key]
    return {"AccessKeyId": key, "SecretAccessKey": secret, **({"Token": token} if token else {}), "Expiration": in_hours(expires), **more}


def process_json(key, **more):
    secret, token = KEYS[key]
    return json.dumps({"Version": 1, "AccessKeyId": key, "SecretAccessKey": secret, **({"SessionToken": token} if token else {}), **more})


# --- the endpoints of containers and instances ---------------------------------------------------------

class Stub(http.server.BaseHTTPRequestHandler):
    """/container wants a token; the rest is IMDSv2: a token by PUT, then the role's name, then its keys."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        self.server.asked.append(("PUT", self.path))
        right = self.path == "/latest/api/token" and self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
        if self.server.refuse:
            return self.say(403)
        return self.say(200, b"metadata-token==") if right else self.say(400)

    def do_GET(self):
        self.server.asked.append(("GET", self.path))
        path = self.path.rstrip("/")
        if path == "/container":
            right = self.headers.get("Authorization") == "container-authorization"
            return self.say(200, json.dumps(as_json("ASIACONTAINER")).encode()) if right else self.say(401)
        if self.headers.get("X-aws-ec2-metadata-token") != "metadata-token==":
            return self.say(401)
        if path == "/latest/meta-data/iam/security-credentials":
            return self.say(200, b"operator-role")
        if path == "/latest/meta-data/iam/security-credentials/operator-role":
            return self.say(200, json.dumps(as_json("ASIAINSTANCE", Code="Success", Type="AWS-HMAC")).encode())
        return self.say(404)


class StubServer:
    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
        self.server.daemon_threads = True
        self.server.asked, self.server.refuse = [], False
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


# --- cases ---------------------------------------------------------------------------------------------

def executable(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def write_home(lab, credentials="", config=""):
    folder = lab.home / ".aws"
    folder.mkdir(exist_ok=True)
    for name, text in (("credentials", credentials), ("config", config)):
        (folder / name).unlink(missing_ok=True)
        if text:
            (folder / name).write_text(text)
    shutil.rmtree(folder / "cli", ignore_errors=True)


FILE = "[default]\n" + keys_of("AKIAFILE") + "\n[other]\n" + keys_of("AKIAOTHER")
ROLES = f"[profile work]\nrole_arn = {ROLE}\nsource_profile = other\nexternal_id = partner/7\nrole_session_name = operator-laptop\nduration_seconds = 1800\n"


def cases(lab, stub):
    """(name, credentials file, config file, environment, options, key id: "learned" is one that STS gave)."""
    process = executable(lab.home / "bin/keys", f"#!/bin/sh\necho '{process_json('AKIAPROCESS')}'\n")
    spaced = executable(lab.home / "bin/keys of mine", f"#!/bin/sh\n[ \"$1\" = 'two words' ] && echo '{process_json('ASIASESSION', Expiration=in_hours(1))}'\n")
    token = lab.home / "token"
    token.write_text("web.identity.token")
    authorization = lab.home / "authorization"
    authorization.write_text("container-authorization")
    elsewhere = lab.home / "elsewhere"
    elsewhere.write_text("[default]\n" + keys_of("AKIAOTHER"))
    fake_aws = executable(lab.home / "sso/aws", "#!/bin/sh\n[ \"$*\" = 'configure export-credentials --profile sso --format process' ] || exit 9\n"
                          f"echo '{process_json('ASIASSO', Expiration=in_hours(1))}'\n").parent
    container = {**NONE, "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{stub.url}/container"}
    secret, session = KEYS["ASIASESSION"]
    yield "environment", "", "", {}, [], KEY_ID
    yield "environment with a session", FILE, "", {
        "AWS_ACCESS_KEY_ID": "ASIASESSION", "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": session}, [], "ASIASESSION"
    yield "environment before files", FILE, "", {}, [], KEY_ID
    yield "environment before AWS_PROFILE", FILE, "", {"AWS_PROFILE": "other"}, [], KEY_ID
    yield "--profile before environment", FILE, "", {}, ["--profile", "other"], "AKIAOTHER"
    yield "credentials file", FILE, "", NONE, [], "AKIAFILE"
    yield "AWS_PROFILE", FILE, "", {**NONE, "AWS_PROFILE": "other"}, [], "AKIAOTHER"
    yield "config file", "", "[profile other]\n" + keys_of("AKIACONFIG"), {**NONE, "AWS_PROFILE": "other"}, [], "AKIACONFIG"
    yield "credentials file before config file", FILE, "[profile other]\n" + keys_of("AKIACONFIG"), {**NONE, "AWS_PROFILE": "other"}, [], "AKIAOTHER"
    yield "AWS_SHARED_CREDENTIALS_FILE", FILE, "", {**NONE, "AWS_SHARED_CREDENTIALS_FILE": elsewhere}, [], "AKIAOTHER"
    yield "comments, blanks, Windows line ends", "# mine\r\n[default]\r\n\r\n; old\r\n" + keys_of("AKIAFILE").replace("\n", "\r\n"), "", NONE, [], "AKIAFILE"
    yield "role", FILE, ROLES, {**NONE, "AWS_PROFILE": "work"}, [], "learned"
    yield "role of a role", FILE, ROLES + f"[profile deep]\nrole_arn = {ROLE}2\nsource_profile = work\n", {**NONE, "AWS_PROFILE": "deep"}, [], "learned"
    yield "role from the environment", "", f"[profile work]\nrole_arn = {ROLE}\ncredential_source = Environment\n", {}, ["--profile", "work"], "learned"
    yield "credential_process", "", f"[default]\ncredential_process = {process}\n", NONE, [], "AKIAPROCESS"
    yield "credential_process in quotes", "", f"[default]\ncredential_process = \"{spaced}\" \"two words\"\n", NONE, [], "ASIASESSION"
    yield "web identity", "", "", {**NONE, "AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": ROLE, "AWS_ROLE_SESSION_NAME": "pod"}, [], "learned"
    yield "web identity in a profile", "", f"[default]\nrole_arn = {ROLE}\nweb_identity_token_file = {token}\n", NONE, [], "learned"
    yield "container", "", "", {**container, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "container-authorization"}, [], "ASIACONTAINER"
    yield "container with a token file", "", "", {**container, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": authorization}, [], "ASIACONTAINER"
    yield ("instance", "", "", {**NONE, "AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": stub.url}, [], "ASIAINSTANCE")
    yield ("single sign-on, by the AWS CLI", "", "[profile sso]\nsso_session = home\nsso_account_id = 123456789012\nsso_role_name = operator\n"
           "[sso-session home]\nsso_region = eu-west-1\nsso_start_url = https://example.awsapps.com/start\n",
           {**NONE, "PATH": f"{fake_aws}:{os.environ['PATH']}"}, ["--profile", "sso"], "ASIASSO")
    yield "endpoint in the profile", "", \
        f"[default]\n{keys_of('AKIACONFIG')}endpoint_url = {lab.proxy.url}\n", {**NONE, "AWS_ENDPOINT_URL": None}, [], "AKIACONFIG"
    yield ("endpoint of one service before that of all", "", "", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ENDPOINT_URL_IOT": lab.proxy.url, "AWS_ENDPOINT_URL_STS": lab.proxy.url}, [], KEY_ID)


def begin(lab):
    lab.mock.reset()
    lab.fresh_project(types=("esp32air",))
    lab.plug_in("esp32air")
    lab.proxy.keys = {KEY_ID: (SECRET, None), **KEYS}
    lab.proxy.begin()


@test("credentials are found where the AWS CLI finds them")
def found(lab):
    wrong = []
    with StubServer() as stub:
        for name, credentials, config, environment, options, key in cases(lab, stub):
            begin(lab)
            write_home(lab, credentials, config)
            ran = lab.run(*CREATE, *options, **environment)
            used = {c["key_id"] for c in lab.proxy.calls if c["service"] == "iot"}
            learned = set(lab.proxy.keys) - set(KEYS) - {KEY_ID}
            right = used == {key} if key != "learned" else used and used <= learned
            if ran.code or not right or lab.proxy.problems():
                wrong.append(f"{name}: keys {used}, wanted {key}: {ran} {lab.proxy.problems()}")
            for secret, token in KEYS.values():
                if secret in ran.out + ran.err or token and token in ran.out + ran.err:
                    wrong.append(f"{name}: a secret was said: {ran}")
        same([], [p for m, p in stub.server.asked if m == "GET" and "meta-data" in p and ("PUT", "/latest/api/token") not in stub.server.asked], "IMDSv1 calls")
    expect(not wrong, lambda: "\n".join(wrong))


@test("a role is asked for with what the profile says of it")
def role(lab):
    begin(lab)
    write_home(lab, FILE, ROLES)
    lab.works(*CREATE, **NONE, AWS_PROFILE="work")
    asked, = [c for c in lab.proxy.calls if c["operation"] == "AssumeRole"]
    same("AKIAOTHER", asked["key_id"], "who asked")
    same({"RoleArn": ROLE, "ExternalId": "partner/7", "RoleSessionName": "operator-laptop", "DurationSeconds": 1800}, asked["parameters"], "what was asked")


SERIAL = "arn:aws:iam::123456789012:mfa/operator"
CODED = f"[profile work]\nrole_arn = {ROLE}\nsource_profile = other\nmfa_serial = {SERIAL}\n"


def on_terminal(lab, *words, code=b"774411", **environment):
    """Runs a command on a terminal of its own, where a person types the code; its exit code, and what it said."""
    master, slave = pty.openpty()
    child = subprocess.Popen([PROGRAM, *words], cwd=lab.project, env=lab.environment(**environment), stdin=slave, stdout=slave, stderr=slave,
                             start_new_session=True, preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0))
    os.close(slave)
    said, answered, end = b"", 0, time.monotonic() + 120
    while time.monotonic() < end:
        if not select.select([master], [], [], 0.1)[0]:
            if child.poll() is not None:
                break
            continue
        try:
            said += os.read(master, 4096)
        except OSError:
            break
        if said.count(SERIAL.encode()) > answered:
            answered += 1
            time.sleep(0.1)
            os.write(master, code + b"\n")
    child.wait(60)
    os.close(master)
    return child.returncode, said.decode()


def asked_roles(lab):
    return [c["parameters"] for c in lab.proxy.calls if c["operation"] == "AssumeRole"]


@test("a role with an MFA device asks for the code on the terminal, and does not show it")
def mfa(lab):
    begin(lab)
    write_home(lab, FILE, CODED)
    ran = lab.run(*CREATE, **NONE, AWS_PROFILE="work")
    expect(ran.code in (1, 2, 3) and "MFA" in ran.err, lambda: f"without a terminal: {ran}")
    lab.proxy.begin()
    code, said = on_terminal(lab, *CREATE, **NONE, AWS_PROFILE="work")
    same(0, code, f"exit code; it said {said}")
    asked, = asked_roles(lab)
    same([SERIAL, "774411"], [asked.get("SerialNumber"), asked.get("TokenCode")], "what was asked")
    expect("774411" not in said, f"the code was shown: {said}")


def cli_session(lab):
    """botocore with the cache that the AWS CLI gives it ("Enter MFA code" fails: nobody answers)."""
    program = ("import os, sys, botocore.session as s, botocore.credentials as c, botocore.utils as u\n"
               "session = s.get_session()\n"
               "provider = session.get_component('credential_provider').get_provider('assume-role')\n"
               "provider.cache = u.JSONFileCache(os.path.expanduser('~/.aws/cli/cache'))\n"
               "provider._prompter = (lambda text: sys.argv[1]) if len(sys.argv) > 1 else (lambda text: sys.exit('asked'))\n"
               "k = session.get_credentials().get_frozen_credentials()\n"
               "print(k.access_key)\n")

    def run(*words):
        return subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False,
                              env=lab.environment(**{**NONE, "AWS_PROFILE": "work", "AWS_DEFAULT_REGION": "eu-west-1"}))
    return run


@test("the session of a code is kept where the AWS CLI keeps it: each uses the other's, and asks once")
def kept(lab):
    cli = cli_session(lab)
    for more in ("", "external_id = partner/7 \"\u00fc\U0001f321\u007f\nduration_seconds = 1800\nrole_session_name = laptop\n"):
        begin(lab)
        write_home(lab, FILE, CODED + more)
        code, said = on_terminal(lab, *CREATE, **NONE, AWS_PROFILE="work")
        same((0, 1), (code, len(asked_roles(lab))), f"exit code, roles asked for; it said {said}")
        file, = (lab.home / ".aws/cli/cache").iterdir()
        same((0o600, 0o700), (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777), "modes")
        key = json.loads(file.read_text())["Credentials"]["AccessKeyId"]
        same((key, ""), ((ran := cli()).stdout.strip(), ran.stderr), "the CLI's key")
        lab.works("create", "cellar", "--type", "esp32air", **NONE, AWS_PROFILE="work")
        same({key}, {c["key_id"] for c in lab.proxy.calls if c["service"] == "iot"}, "keys of both commands")
        same(1, len(asked_roles(lab)), "roles asked for by both commands")
        file.unlink()
        ran = cli("774411")
        same([file], list(file.parent.iterdir()), f"what the CLI keeps {ran.stderr}")
        lab.proxy.begin()
        lab.works("create", "attic", "--type", "esp32air", **NONE, AWS_PROFILE="work")
        same((set(), {ran.stdout.strip()}), (set(map(str, asked_roles(lab))), {c["key_id"] for c in lab.proxy.calls}), "with the CLI's session")


@test("a kept session that ends soon, is broken, or that AWS refuses, is not used")
def not_kept(lab):
    begin(lab)
    write_home(lab, FILE, CODED)
    code, said = on_terminal(lab, *CREATE, **NONE, AWS_PROFILE="work")
    same(0, code, f"exit code; it said {said}")
    file, = (lab.home / ".aws/cli/cache").iterdir()
    good = json.loads(file.read_text())
    first = good["Credentials"]["AccessKeyId"]
    soon = {"Credentials": good["Credentials"] | {"Expiration": in_hours(0.24)}}
    for number, text in enumerate((json.dumps(soon), "{", "[]", '{"Credentials": {}}', "")):
        file.write_text(text)
        lab.proxy.begin()
        ran = lab.run("create", f"t{number}", "--type", "esp32air", **NONE, AWS_PROFILE="work")
        expect(ran.code == 3 and "nobody to ask" in ran.err and not lab.proxy.calls, lambda text=text, ran=ran: f"{text}: {ran}")
    file.write_text(json.dumps({"Credentials": good["Credentials"] | {"Expiration": in_hours(0.26).replace("Z", "UTC")}}))
    lab.works("create", "cellar", "--type", "esp32air", **NONE, AWS_PROFILE="work")
    lab.proxy.begin(Fault("expired", 1))
    code, said = on_terminal(lab, "doctor", "--target", "aws", **NONE, AWS_PROFILE="work")
    same(1, len(asked_roles(lab)), f"roles asked for after AWS refused the one that was kept; it said {said}")
    expect(json.loads(file.read_text())["Credentials"]["AccessKeyId"] != first, "the refused session is still kept")


@test("workers ask nobody for a code: a session that ends in the middle is said, and the same command goes on")
def ended(lab):
    begin(lab)
    write_home(lab, FILE, CODED)
    (lab.project / "things.csv").write_text("name,type,zone\n" + "".join(f"t{i},esp32air,1\n" for i in range(30)))
    lab.proxy.begin(Fault("expired", 1, 10**9, operation="AttachPolicy"))
    code, said = on_terminal(lab, "create", "--from", "things.csv", **NONE, AWS_PROFILE="work")
    expect(code == 3 and 'the session of profile "work" has ended; run the same command again: it goes on where this one stopped' in said, f"exit {code}: {said}")
    same(1, len(asked_roles(lab)), "roles asked for")
    shutil.rmtree(lab.home / ".aws/cli")
    lab.proxy.begin()
    code, said = on_terminal(lab, "create", "--from", "things.csv", **NONE, AWS_PROFILE="work")
    same((0, 1), (code, len(asked_roles(lab))), f"the same command again; it said {said}")


REFUSALS = [
    # (name, credentials, config, environment, options, exit codes, what it says)
    ("nothing at all", "", "", NONE, [], (1, 3), r"credentials"),
    ("no such profile", FILE, "", NONE, ["--profile", "wrok"], (1,), r"wrok"),
    ("AWS_PROFILE that is not there", FILE, "", {**NONE, "AWS_PROFILE": "wrok"}, [], (1,), r"wrok"),
    ("half a key", "[default]\naws_access_key_id = AKIAFILE\n", "", NONE, [], (1, 3), r"aws_secret_access_key"),
    ("half a key in the environment", "", "", {**NONE, "AWS_ACCESS_KEY_ID": "AKIAFILE"}, [], (1, 3), r"AWS_SECRET_ACCESS_KEY"),
    ("a circle of roles", "",
     f"[profile a]\nrole_arn = {ROLE}\nsource_profile = b\n[profile b]\nrole_arn = {ROLE}\nsource_profile = a\n", NONE, ["--profile", "a"], (1,),
     r"\ba\b"),
    ("a role without a source", "", f"[profile a]\nrole_arn = {ROLE}\n", NONE, ["--profile", "a"], (1, 3), r"source_profile|credential_source"),
    ("a process that fails", "", "[default]\ncredential_process = sh -c 'echo nothing here >&2; exit 7'\n", NONE, [], (3, 1), r"credential_process|exit|7"),
    ("a process that says nonsense", "", "[default]\ncredential_process = echo AKIANONSENSE\n", NONE, [], (3, 1), r"credential_process|JSON"),
    ("a token file that is not there", "", "", {**NONE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token", "AWS_ROLE_ARN": ROLE}, [], (1, 3), r"/nowhere/token"),
    ("single sign-on without the AWS CLI", "",
     "[profile sso]\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\nsso_account_id = 123456789012\n"
     "sso_role_name = r\n", {**NONE, "PATH": "/nowhere"}, ["--profile", "sso"], (1, 3), r"AWS CLI"),
    ("a container's endpoint that is no loopback", "", "",
     {**NONE, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://203.0.113.1/keys"}, [], (1, 3), r"203\.0\.113\.1"),
]


@test("what is missing or wrong is named, and nothing is called or changed")
def refusals(lab):
    wrong = []
    for name, credentials, config, environment, options, codes, says in REFUSALS:
        begin(lab)
        write_home(lab, credentials, config)
        began = time.monotonic()
        ran = lab.run(*CREATE, *options, **environment)
        if ran.code not in codes or not re.search(says, ran.err) or "error" not in ran.err or time.monotonic() - began > 45:
            wrong.append(f"{name}: wanted exit {codes} and {says}: {ran}")
        if [c for c in lab.proxy.calls if c["service"] == "iot"]:
            wrong.append(f"{name}: it called {lab.proxy.operations()}")
        if (lab.project / "certificates/kitchen").exists():
            wrong.append(f"{name}: a thing was begun")
    expect(not wrong, lambda: "\n".join(wrong))


@test("an instance that refuses IMDSv2's token is not asked without one")
def no_old_metadata(lab):
    begin(lab)
    write_home(lab)
    with StubServer() as stub:
        stub.server.refuse = True
        ran = lab.run(*CREATE, **{**NONE, "AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": stub.url})
        expect(ran.code in (1, 3) and "error" in ran.err, str(ran))
        expect(all(method == "PUT" for method, _ in stub.server.asked) and stub.server.asked, f"asked: {stub.server.asked}")


@test("keys that expire during a run are renewed, before they do and when AWS says so")
def renewed(lab):
    begin(lab)
    count = lab.home / "count"
    count.unlink(missing_ok=True)
    soon = (datetime.now(timezone.utc) + timedelta(seconds=301.5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    process = executable(lab.home / "bin/renewing", f"#!/bin/sh\nif [ -e {count} ]; then echo '{process_json('AKIAPROCESS', Expiration=in_hours(1))}'\n"
                         f"else touch {count}; echo '{process_json('ASIASESSION', Expiration=soon)}'; fi\n")
    write_home(lab, "", f"[default]\ncredential_process = {process}\n")
    system = lab.project / "iot_system_infra/system.yaml"
    system.write_text(system.read_text().replace("requests_per_second: 1000", "requests_per_second: 8"))
    (lab.project / "things.csv").write_text("name,type,zone\n" + "".join(f"t{i},esp32air,1\n" for i in range(30)))
    lab.works("create", "--from", "things.csv", **NONE)
    lab.no_problems()
    same({"ASIASESSION", "AKIAPROCESS"}, {c["key_id"] for c in lab.proxy.calls}, "keys that were used")
    begin(lab)
    count.unlink()
    process.write_text(process.read_text().replace(soon, in_hours(1)))
    lab.proxy.begin(Fault("expired", 4))
    lab.works(*CREATE, **NONE)
    lab.no_problems()
    same(["ASIASESSION"] * 4 + ["AKIAPROCESS"], [c["key_id"] for c in lab.proxy.calls][:5], "keys around the expiry")
    begin(lab)
    lab.proxy.begin(Fault("expired", 1, 10**9))
    ran = lab.run(*CREATE)
    expect(ran.code == 3 and re.search("expired|ExpiredToken", ran.err), lambda: f"keys that stay expired: {ran}")
    expect(len(lab.proxy.calls) < 8, f"it kept calling: {len(lab.proxy.calls)} times")


@test("the region: system.yaml's, else the AWS CLI's; none, and a wrong one, are said")
def region(lab):
    def run(text, **environment):
        begin(lab)
        system = lab.project / "iot_system_infra/system.yaml"
        system.write_text(system.read_text().replace("  region: eu-west-1\n", text))
        lab.proxy.regions = ("eu-west-1", "eu-central-1", "us-east-1")
        write_home(lab, FILE, "[default]\nregion = eu-west-1\n")
        ran = lab.run(*CREATE, **environment)
        lab.proxy.regions = ("eu-west-1",)
        return ran

    same(0, run("  region: eu-west-1\n", AWS_REGION="us-east-1").code, "system.yaml's region before the environment's")
    same(0, run("").code, "the profile's region")
    # Nothing leaves this machine: the proxy of the environment is a port that nobody listens to.
    ran = run("  region: eu-wst-1\n", AWS_ENDPOINT_URL=None, HTTPS_PROXY="http://127.0.0.1:9")
    expect(ran.code in (1, 3) and "eu-wst-1" in ran.err, lambda: f"a region that is not there: {ran}")


if __name__ == "__main__":
    with Lab() as the_lab:
        sys.exit(run_tests(the_lab))
