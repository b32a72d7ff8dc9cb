"""What the tests of the AWS target stand on: TAP, a project in a temporary folder, the mock and the proxy, and the account's
state as boto3 sees it (never as our own code does)."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import boto3
import botocore.config
from mock import REGION, Mock
from proxy import Proxy

REPO = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("SENSORFORGE", str(REPO / "build/bin/sensorforge"))
KEY_ID, SECRET, PASSWORD = "AKIAOPERATOR00000001", "operators/Secret+Key0000000000000000000001", "correct horse $battery & slash/"
CLAIM = "sensorforge:claim"  # the attribute by which a project knows its own things (generator/targets/aws_target.h)
LIMIT = 200  # seconds for one run of the program


for _name in [n for n in os.environ if n.startswith("AWS_") or n.lower().endswith("_proxy")]:
    del os.environ[_name]  # what boto3 would read of the person who runs the tests


# --- TAP ----------------------------------------------------------------------------------------------

class Wrong(Exception):
    """What a test found; its text is the diagnosis."""


def expect(truth, why):
    if not truth:
        raise Wrong(why() if callable(why) else why)


def same(wanted, got, what):
    if wanted != got:
        raise Wrong(f"{what}:\n" + difference(wanted, got))


def difference(wanted, got, where=""):
    if isinstance(wanted, dict) and isinstance(got, dict):
        return "\n".join(difference(wanted.get(k), got.get(k), f"{where}.{k}") for k in sorted({*wanted, *got}, key=str) if wanted.get(k) != got.get(k))
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        return "\n".join(difference(a, b, f"{where}[{i}]") for i, (a, b) in enumerate(zip(wanted, got)) if a != b)
    return f"{where or 'it'}: wanted {json.dumps(wanted, default=str)}, got {json.dumps(got, default=str)}"


tests = []


def test(name):
    def add(function):
        tests.append((name, function))
        return function
    return add


def run_tests(*arguments):
    """Runs every test with these arguments, says TAP, exits with 1 when one failed. ONLY=text: those with it in their name."""
    chosen = [t for t in tests if os.environ.get("ONLY", "") in t[0]]
    print(f"1..{len(chosen)}", flush=True)
    failed = 0
    for number, (name, function) in enumerate(chosen, 1):
        trouble = None
        try:
            function(*arguments)
        except Wrong as wrong:
            trouble = str(wrong)
        except Exception:  # a fault of the test itself is a failure too
            trouble = traceback.format_exc()
        failed += trouble is not None
        print(f"{'not ok' if trouble else 'ok'} {number} {name}", flush=True)
        for line in (trouble or "").splitlines()[-40:]:
            print(f"#   {line}", flush=True)
    return 1 if failed else 0


# --- projects and runs --------------------------------------------------------------------------------

def make_project(folder, target="aws", types=("esp32air", "esp8266temp", "aircon"), store="timestream"):
    """A project as a fresh clone has it, for AWS, with calls as fast as they may be."""
    for inner in ("certificates", "iot_system_infra", "sensortypes"):
        (folder / inner).mkdir(parents=True)
    for shared in ("templates", "schemas", "scripts"):
        (folder / shared).symlink_to(REPO / shared)
    shutil.copy(REPO / "Makefile", folder)
    system = (REPO / "iot_system_infra/system.yaml").read_text(encoding="utf-8")
    for old, new in ((r"^target: \w+", f"target: {target}"), (r"requests_per_second: \d+", "requests_per_second: 1000"),
                     (r"store: timestream", f"store: {store}")):
        system, count = re.subn(old, new, system, flags=re.MULTILINE)
        assert count == 1, f"system.yaml has no {old}"
    (folder / "iot_system_infra/system.yaml").write_text(system, encoding="utf-8")
    for kind in types:
        there = folder / "sensortypes" / kind
        there.mkdir()
        shutil.copy(REPO / f"sensortypes/{kind}/spec.yaml", there)
        if (REPO / f"sensortypes/{kind}/code").is_dir():
            shutil.copytree(REPO / f"sensortypes/{kind}/code", there / "code")
    return folder


class Ran:
    def __init__(self, code, out, err, words):
        self.code, self.out, self.err, self.words = code, out, err, words

    def __str__(self):
        return f"{' '.join(map(str, self.words))}: exit {self.code}\nstdout: {self.out}\nstderr: {self.err}"

    def json(self):
        try:
            return json.loads(self.out)
        except ValueError as error:
            raise Wrong(f"not JSON: {self}") from error


class Lab:
    """One mock, one proxy, one temporary folder."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sensorforge-aws.")))
            self.home = self.folder / "home"
            self.home.mkdir()
            self.mock = stack.enter_context(Mock(*self.options))
            self.proxy = stack.enter_context(Proxy(self.mock.port, {KEY_ID: (SECRET, None)}))
            self.children = set()
            self.proxy.kill = self.kill_children
            self.stack = stack.pop_all()
        self.clients = {}
        return self

    def __exit__(self, *why):
        self.stack.__exit__(*why)

    def environment(self, **more):
        plain = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C.UTF-8", "TERM": "dumb",
                 "AWS_ENDPOINT_URL": self.proxy.url, "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET,
                 "SENSORFORGE_WIFI_SSID": "Home", "SENSORFORGE_WIFI_PASSWORD": PASSWORD,
                 "SENSORFORGE_AWS_BACKOFF": "0.001", "SENSORFORGE_AWS_TIMEOUT": "5", "SENSORFORGE_AWS_DEPRECATION_SECONDS": "0"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                plain[name] = os.environ[name]
        return {k: str(v) for k, v in (plain | more).items() if v is not None}

    def start(self, *words, cwd=None, **environment):
        """In a process group of its own, so that a kill takes its workers too."""
        child = subprocess.Popen([PROGRAM, *map(str, words)], cwd=cwd or self.project, env=self.environment(**environment),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        self.children.add(child)
        return child

    def finish(self, child, *words):
        try:
            out, err = child.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self.kill(child)
            out, err = child.communicate()
            raise Wrong(f"{' '.join(map(str, words))} did not end in {LIMIT} s\nstdout: {out.decode()}\nstderr: {err.decode()}") from None
        finally:
            self.children.discard(child)
        return Ran(child.returncode, out.decode(), err.decode(), words)

    def run(self, *words, cwd=None, **environment):
        return self.finish(self.start(*words, cwd=cwd, **environment), *words)

    def works(self, *words, **more):
        ran = self.run(*words, **more)
        expect(ran.code == 0, lambda: f"expected to work: {ran}\nproblems: {self.proxy.problems()}")
        return ran

    @staticmethod
    def kill(child):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)

    def kill_children(self):
        for child in list(self.children):
            self.kill(child)

    def fresh_project(self, name="project", **more):
        self.project = self.folder / name
        shutil.rmtree(self.project, ignore_errors=True)
        return make_project(self.project, **more)

    def plug_in(self, *kinds):
        """What things need of their type, made by boto3 from the emitted documents: for tests that are not about deploying."""
        self.made = self.folder / "made"
        ran = subprocess.run([PROGRAM, "generate", *kinds, "--set", "awscli", "--out", self.made, "--quiet"], cwd=self.project, capture_output=True,
                             text=True, env=self.environment())
        expect(ran.returncode == 0, ran.stderr)
        for kind in kinds:
            folder = next(f for f in (self.made / kind / "awscli", self.made / "awscli") if f.is_dir())
            for name, operation in (("thing-type", "create_thing_type"), ("policy", "create_policy")):
                getattr(self.client("iot"), operation)(**json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))

    def no_problems(self):
        """Every request was signed and formed as botocore would have."""
        problems = self.proxy.problems()
        expect(not problems, lambda: "requests that AWS would refuse:\n" + "\n".join(problems[:20]))

    # --- the account, seen by boto3 ---

    def client(self, service):
        if service not in self.clients:
            config = botocore.config.Config(retries={"total_max_attempts": 1}, inject_host_prefix=False)
            self.clients[service] = boto3.client(service, endpoint_url=self.mock.url, region_name=REGION, aws_access_key_id="AKIAJUDGE",
                                                 aws_secret_access_key="judge", config=config)
            if service == "timestream-write":  # it asks for an endpoint first, and then leaves the mock
                self.clients[service].meta.events.unregister("before-send", unique_id="endpoint-discovery")
        return self.clients[service]

    def pages(self, service, operation, key, token=("nextToken", "nextToken"), **parameters):
        found, mark = [], None
        while True:
            answer = getattr(self.client(service), operation)(**parameters, **({token[0]: mark} if mark else {}))
            found += answer[key]
            mark = answer.get(token[1])
            if not mark:
                return found

    def things(self):
        """{thing: {type, attributes, certificates: {id: status, policies}}}, and the certificates that no thing has."""
        iot = self.client("iot")
        statuses = {c["certificateArn"]: c["status"] for c in self.pages("iot", "list_certificates", "certificates", ("marker", "nextMarker"))}
        found, used = {}, set()
        for thing in self.pages("iot", "list_things", "things"):
            principals = iot.list_thing_principals(thingName=thing["thingName"])["principals"]
            used |= set(principals)
            attributes = {k: v for k, v in thing["attributes"].items() if k != CLAIM}
            found[thing["thingName"]] = {
                "type": thing.get("thingTypeName"), "attributes": attributes,
                "certificates": [{"status": statuses.get(arn), "policies": [p["policyName"] for p in iot.list_attached_policies(target=arn)["policies"]]}
                                 for arn in principals]}
        return found, sorted(set(statuses) - used)

    def expect_things(self, wanted, projects=()):
        """Exactly these things ({name: (type, attributes)}), one ACTIVE certificate each, attached to thing and policy; no other
        certificate; and on the disk of each project the same."""
        found, orphans = self.things()
        exactly = {name: {"type": kind, "attributes": attributes, "certificates": [{"status": "ACTIVE", "policies": [kind]}]}
                   for name, (kind, attributes) in wanted.items()}
        same(exactly, found, "the account's things")
        expect(not orphans, f"certificates that no thing has: {orphans}")
        for name in wanted:
            kinds = [p["thingPrincipalType"] for p in self.client("iot").list_thing_principals_v2(thingName=name)["thingPrincipalObjects"]]
            same(["EXCLUSIVE_THING"], kinds, f"how {name}'s certificate is attached")
        for project in projects:
            there = sorted(p.name for p in (project / "certificates").iterdir() if p.is_dir())
            same(sorted(wanted), there, "folders below certificates/")
            for name, (kind, _) in wanted.items():
                self.expect_thing_on_disk(project, name, kind)

    def expect_thing_on_disk(self, project, name, kind):
        """Its certificate is the one that the account has, its key belongs to it, and its package carries both."""
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        folder = project / "certificates" / name
        record = json.loads((folder / "thing.json").read_text(encoding="utf-8"))
        same("active", record["state"], f"state of {name}'s record")
        same(sorted(["cert.pem", "key.pem", "thing.json"]), sorted(p.name for p in folder.iterdir()), f"files of {name}")
        certificate = x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes())
        arn, = self.client("iot").list_thing_principals(thingName=name)["principals"]
        described = self.client("iot").describe_certificate(certificateId=arn.rpartition("/")[2])["certificateDescription"]
        same(x509.load_pem_x509_certificate(described["certificatePem"].encode()).fingerprint(certificate.signature_hash_algorithm),
             certificate.fingerprint(certificate.signature_hash_algorithm), f"{name}'s certificate in the account and on the disk")
        key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
        plain = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        same(certificate.public_key().public_bytes(*plain), key.public_key().public_bytes(*plain), f"{name}'s key and its certificate's")
        package = project / "sensortypes" / kind / "sensors" / name
        sys.path.insert(0, str(REPO / "tests/lib"))
        import package as packages
        faults = list(packages.faults(str(package)))
        expect(not faults, f"{name}'s package: {faults}")
        same(certificate.public_bytes(serialization.Encoding.DER), (package / "cert.der").read_bytes(), f"certificate in {name}'s package")
        left = [str(p) for p in project.rglob(".*") if p.name not in (".index", ".gitignore")]
        expect(not left, f"left over: {left}")

    def infrastructure(self):
        """All that deploy makes, as the services tell it; names that CloudFormation makes up are made alike."""
        iot, iam = self.client("iot"), self.client("iam")
        state = {"types": {}, "policies": {}, "rules": {}, "roles": {}, "log groups": {}, "timestream": {}, "dynamodb": {}, "stacks": {}}
        for kind in self.pages("iot", "list_thing_types", "thingTypes"):
            state["types"][kind["thingTypeName"]] = [kind["thingTypeProperties"], kind["thingTypeMetadata"]["deprecated"]]
        for policy in self.pages("iot", "list_policies", "policies", ("marker", "nextMarker")):
            state["policies"][policy["policyName"]] = json.loads(iot.get_policy(policyName=policy["policyName"])["policyDocument"])
        for rule in iot.list_topic_rules()["rules"]:
            told = iot.get_topic_rule(ruleName=rule["ruleName"])["rule"]
            state["rules"][rule["ruleName"]] = {k: v for k, v in told.items() if k != "createdAt"}
        for role in iam.list_roles()["Roles"]:
            names = iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
            state["roles"][alike(role["RoleName"])] = [role["AssumeRolePolicyDocument"], role.get("Description"), {
                name: iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"] for name in names}]
        for group in self.pages("logs", "describe_log_groups", "logGroups"):
            state["log groups"][group["logGroupName"]] = group.get("retentionInDays")
        self.tables(state)
        for stack in self.client("cloudformation").describe_stacks()["Stacks"]:
            resources = self.client("cloudformation").describe_stack_resources(StackName=stack["StackName"])["StackResources"]
            state["stacks"][stack["StackName"]] = [stack["StackStatus"].replace("UPDATE", "CREATE"), sorted(r["LogicalResourceId"] for r in resources)]
        return json.loads(alike(json.dumps(state, default=str)))

    def tables(self, state):
        timestream, dynamodb = self.client("timestream-write"), self.client("dynamodb")
        for database in timestream.list_databases()["Databases"]:
            name = database["DatabaseName"]
            state["timestream"][name] = {t["TableName"]: [t["RetentionProperties"], t.get("MagneticStoreWriteProperties")]
                                         for t in timestream.list_tables(DatabaseName=name)["Tables"]}
        for name in dynamodb.list_tables()["TableNames"]:
            table = dynamodb.describe_table(TableName=name)["Table"]
            backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
            state["dynamodb"][name] = [table["KeySchema"], table.get("BillingModeSummary", {}).get("BillingMode"),
                                       dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"],
                                       backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]]


def alike(text):
    """CloudFormation's random suffixes (-1A2B3C4D5E6F) all alike."""
    return re.sub(r"-[A-Za-z0-9]{12,13}(?=[\"/]|$)", "-SUFFIX", text)


