#!/usr/bin/env python3
"""commands.py [--stock]: every command against the mock, and what the account then holds, as boto3 sees it.

With --stock against moto as it is: those tests that need no correction of it."""

import http.server
import json
import random
import re
import ssl
import subprocess
import sys
import threading
import time

import documents
import lab as the_laboratory
from lab import CLAIM, PASSWORD, PROGRAM, Lab, expect, run_tests, same, test
from proxy import Fault, forever

TYPES = ("aircon", "esp32air", "esp8266temp")
ZONE = {"zone": "1", "altitude": "0"}
CREATE = ["create", "kitchen", "--type", "esp32air"]
stock = "--stock" in sys.argv


def corrected(name):
    """A test that needs the mock's corrections (what it needs is what AWS documents, and moto does not do)."""
    return test(name) if not stock else lambda function: function


def begin(lab, *plugged, **more):
    lab.mock.reset()
    project = lab.fresh_project(**{"types": TYPES, **more})
    if plugged:
        lab.plug_in(*plugged)
    lab.proxy.begin()
    return project


def edit(path, *changes):
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        expect(old in text, f"{path.name} has no {old}")
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


# --- deploy, diff -------------------------------------------------------------------------------------

@corrected("deploy --all: exactly what the emitted documents say, in one stack for each type; diff shows it first, then nothing")
def deploy(lab):
    for store in ("timestream", "dynamodb"):
        made = documents.generate(lab, store)
        lab.mock.reset()
        documents.apply_documents(lab, made, store)
        by_hand = documents.plain_policies(documents.without_names_of_roles(lab.infrastructure()))
        begin(lab, store=store)
        empty = lab.infrastructure()
        ran = lab.run("diff")
        expect(ran.code == 0 and all(f"+ thing type {kind}" in ran.out for kind in TYPES), str(ran))
        same(empty, lab.infrastructure(), "the account after diff")
        ran = lab.works("deploy", "--all")  # what only adds asks nobody
        lab.no_problems()
        same(by_hand, documents.plain_policies(documents.without_names_of_roles(lab.infrastructure())), "what was deployed, beside the documents")
        stacks = lab.infrastructure()["stacks"]
        same({f"home-{s}": "CREATE_COMPLETE" for s in (("system",) if store == "timestream" else ()) + TYPES}, {k: v[0] for k, v in stacks.items()}, "stacks")
        lab.proxy.begin()
        ran = lab.run("diff")
        expect(ran.code == 0 and not re.search(r"^ +[-+~=]", ran.out, re.M), lambda: f"diff after deploy: {ran}")
        ran = lab.works("deploy", "--all")
        expect("ExecuteChangeSet" not in lab.proxy.operations() and "unchanged" in ran.out, lambda: f"deploy again: {ran} {lab.proxy.operations()}")
        lab.no_problems()


@corrected("a changed spec: diff names the rule and both values, deploy wants --yes, then it is so; five versions of a policy are no end")
def update(lab):
    project = begin(lab, types=("esp32air",))
    lab.works("deploy", "esp32air")
    before = lab.infrastructure()
    edit(project / "sensortypes/esp32air/spec.yaml", ("max: 85}", "max: 80}"), ("magnetic: 730d", "magnetic: 365d"))
    ran = lab.run("diff", "esp32air")
    expect(ran.code == 0 and "rule esp32air_valid" in ran.out and "85" in ran.out and "80" in ran.out and "365" in ran.out, str(ran))
    ran = lab.run("deploy", "esp32air")
    expect(ran.code == 2 and "--yes" in ran.err, str(ran))
    same(before, lab.infrastructure(), "the account, without --yes")
    lab.works("deploy", "esp32air", "--yes")
    after = lab.infrastructure()
    expect("<= 80" in after["rules"]["esp32air_valid"]["sql"] and "<= 80" in after["rules"]["esp32air_invalid"]["sql"], "the rules are the old ones")
    same("365", str(after["timestream"]["iot"]["esp32air"][0]["MagneticStoreRetentionPeriodInDays"]), "retention")
    for i in range(7):
        edit(project / "sensortypes/esp32air/spec.yaml", ("platform: esp32\n", "platform: esp32\ncommands: true\n") if i % 2 == 0 else
             ("platform: esp32\ncommands: true\n", "platform: esp32\n"))
        lab.works("deploy", "esp32air", "--yes")
    versions = lab.client("iot").list_policy_versions(policyName="esp32air")["policyVersions"]
    expect(2 <= len(versions) <= 5, f"versions of the policy: {versions}")
    expect("Subscribe" in json.dumps(lab.infrastructure()["policies"]), "the last version is not the one in force")
    lab.no_problems()


@corrected("a table is not replaced or dropped unless --data says that it may")
def data(lab):
    begin(lab, types=("esp32air",), store="dynamodb")
    lab.works("deploy", "esp32air")
    before = lab.infrastructure()
    ran = lab.run("deploy", "esp32air", "--yes", "--database", "other")
    expect(ran.code == 2 and "--data" in ran.err, str(ran))
    same(before, lab.infrastructure(), "the account, without --data")
    lab.works("deploy", "esp32air", "--yes", "--data", "--database", "other")
    expect("other-esp32air" in lab.infrastructure()["dynamodb"], "the new table is not there")


@corrected("what cannot be made: the first real reason, nothing left but a stack that the next run clears")
def failures(lab):
    begin(lab, types=("esp32air",))
    lab.mock.tune(fail={"AWS::IoT::TopicRule": "Rule quota exceeded (made up)"})
    ran = lab.run("deploy", "esp32air")
    expect(ran.code == 3 and "Rule quota exceeded (made up)" in ran.err and "esp32air_" in ran.err, str(ran))
    state = lab.infrastructure()
    same([{}, {}, {}], [state["types"], state["policies"], state["rules"]], "types, policies, rules after the rollback")
    lab.mock.tune(fail={})
    lab.works("deploy", "esp32air")
    same("CREATE_COMPLETE", lab.infrastructure()["stacks"]["home-esp32air"][0], "the stack")
    begin(lab, types=("esp32air",))
    lab.mock.tune(timestream=False)
    ran = lab.run("deploy", "esp32air")
    expect(ran.code == 3 and "store: dynamodb" in ran.err, str(ran))


@corrected("dbName is remembered: a stack that is deployed keeps its database, a new type gets the system's; --database says otherwise")
def remembered(lab):
    project = begin(lab, types=("esp32air", "aircon"))
    lab.works("deploy", "esp32air", "--database", "readings")
    before = lab.infrastructure()
    (project / "sensortypes/esp32air/deployed.json").unlink()  # as in a clone
    ran = lab.works("deploy", "esp32air")
    expect("readings, as it is deployed (not iot)" in ran.err and "unchanged" in ran.out, str(ran))
    same(before, lab.infrastructure(), "the account after deploying again without a database")
    same("readings", json.loads((project / "sensortypes/esp32air/deployed.json").read_text(encoding="utf-8"))["database"], "the mark")
    ran = lab.works("diff", "esp32air")
    expect("0 of 1 stacks would change" in ran.err, str(ran))
    lab.works("deploy", "--all")
    state = lab.infrastructure()
    same((["readings"], ["aircon", "esp32air"]), (sorted(state["timestream"]), sorted(state["timestream"]["readings"])), "databases and tables")
    expect("iot-" not in json.dumps(sorted(state["dynamodb"])), lambda: str(sorted(state["dynamodb"])))
    lab.no_problems()
    begin(lab, types=("esp32air",))  # a database of nobody's stack
    lab.client("timestream-write").create_database(DatabaseName="central")
    lab.works("deploy", "esp32air", "--database", "central")
    before = lab.infrastructure()
    lab.works("deploy", "esp32air")
    same(before, lab.infrastructure(), "the account: a database of nobody's stack")


@corrected("a thing type's description and searchable attributes: updated where AWS IoT takes that; else it is said, and no failure")
def retyped(lab):
    for takes in (True, False):
        project = begin(lab, types=("esp32air",))
        lab.works("deploy", "esp32air")
        lab.mock.tune(retype=takes)
        spec = project / "sensortypes/esp32air/spec.yaml"
        text = spec.read_text(encoding="utf-8")
        old = re.search(r"^description: (.*)$", text, re.M)[1]
        edit(spec, (f"description: {old}", "description: Something else"))
        ran = lab.works("diff", "esp32air")
        expect("thing type esp32air: its description" in ran.out, str(ran))
        ran = lab.works("deploy", "esp32air", "--yes")
        lab.no_problems()
        expect(("searchable attributes updated" in ran.err) == takes and ("keeps its description" in ran.err) != takes, str(ran))
        there = lab.client("iot").describe_thing_type(thingTypeName="esp32air")["thingTypeProperties"]["thingTypeDescription"]
        same(takes, there == "Something else", f"the description: {there}")
        lab.proxy.begin()
        lab.works("deploy", "esp32air", "--yes")
        same(not takes, "UpdateThingType" in lab.proxy.operations(), "another try")
    lab.mock.tune(retype=False)


@corrected("destroy --all: every thing type is deprecated before the first is waited for, one wait, nothing left; it asks for the system's name")
def destroy_all(lab):
    for store in ("timestream", "dynamodb"):
        begin(lab, store=store)
        empty = lab.infrastructure()
        lab.works("deploy", "--all")
        lab.works("create", "kitchen", "--type", "esp32air")
        whole = lab.infrastructure()
        ran = lab.run("destroy", "--all", "--confirm", "home")
        expect(ran.code == 1 and "kitchen" in ran.err, str(ran))
        lab.works("delete", "kitchen")
        ran = lab.run("destroy", "--all", "--confirm", "esp32air")
        expect(ran.code == 2 and '"home"' in ran.err, str(ran))
        ran = lab.works("destroy", "--all", "--dry-run", "--json")
        same([(s, "planned") for s in (*TYPES, *(["system"] if store == "timestream" else []))],
             [(d["subject"], d["outcome"]) for d in ran.json()], "dry-run")
        same(whole, lab.infrastructure(), "the account so far")
        lab.mock.tune(deprecation=2)
        lab.proxy.begin()
        began = time.monotonic()
        ran = lab.works("destroy", "--all", "--data", "--confirm", "home", SENSORFORGE_AWS_DEPRECATION_SECONDS="2")
        took = time.monotonic() - began
        lab.no_problems()
        order = [c["operation"] for c in lab.proxy.calls if c["operation"] in ("DeprecateThingType", "DeleteStack")]
        same(["DeprecateThingType"] * len(TYPES), order[:len(TYPES)], "what comes first")
        expect("3 thing types are deprecated" in ran.err and ran.err.count("AWS lets them be deleted") == 1, str(ran))
        print(f"# {took:.1f} s", flush=True)
        same(empty, lab.infrastructure(), "the account in the end")
        ran = lab.works("destroy", "--all", "--data")
        expect("is not in eu-west-1" in ran.out, str(ran))


@corrected("two systems in one account: a type that the other has is refused before anything is made, with what to do")
def two_systems(lab):
    project = begin(lab, types=("esp32air",))
    lab.works("deploy", "esp32air")
    before = lab.infrastructure()
    edit(project / "iot_system_infra/system.yaml", ("name: home", "name: office"))
    for words in (["diff", "esp32air"], ["deploy", "esp32air", "--yes"], ["deploy", "--all", "--yes"]):
        lab.proxy.begin()
        ran = lab.run(*words)
        expect(ran.code == 1 and "the system \"home\" has a type esp32air too" in ran.err + ran.out, str(ran))
        expect("ExecuteChangeSet" not in [c["operation"] for c in lab.proxy.calls if c["parameters"].get("StackName") == "office-esp32air"], str(ran))
        lab.no_problems()
    state = lab.infrastructure()
    same((before["types"], before["rules"], None), (state["types"], state["rules"], state["stacks"].get("office-esp32air")), "the account")
    begin(lab, types=("esp32air",))
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}]})
    lab.client("iot").create_policy(policyName="esp32air", policyDocument=document)
    ran = lab.run("deploy", "esp32air")
    expect(ran.code == 1 and "policy esp32air" in ran.err and "did not make it" in ran.err, str(ran))
    begin(lab, types=("esp32air",))
    lab.client("iot").create_topic_rule(ruleName="esp32air_valid", topicRulePayload={"sql": "SELECT * FROM 'x'", "actions": []})
    ran = lab.run("deploy", "esp32air")
    expect(ran.code == 1 and "rule esp32air_valid" in ran.err and "did not make it" in ran.err, str(ran))


@corrected("a database that is there already is plugged into, and is not ours to destroy")
def database(lab):
    begin(lab, types=("esp32air",))
    lab.client("timestream-write").create_database(DatabaseName="central")
    lab.works("deploy", "esp32air", "--database", "central")
    state = lab.infrastructure()
    same(["esp32air"], sorted(state["timestream"]["central"]), "tables")
    same(["home-esp32air"], sorted(state["stacks"]), "stacks")
    same("central", state["rules"]["esp32air_valid"]["actions"][0]["timestream"]["databaseName"], "database of the rule")
    lab.works("destroy", "esp32air", "--data", "--confirm", "esp32air", "--database", "central")
    same({"central": {}}, lab.infrastructure()["timestream"], "databases")


@corrected("a deployment that another command began is waited for, however slow")
def slow(lab):
    begin(lab, types=("esp32air",))
    lab.mock.tune(stack=0.15)
    first = lab.start("deploy", "esp32air")
    until = time.monotonic() + 120  # until the type's own stack is being made, the system's done
    while sum(c["operation"] == "ExecuteChangeSet" for c in lab.proxy.calls) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    lab.works("deploy", "esp32air", "--yes")
    lab.finish(first)
    same("CREATE_COMPLETE", lab.infrastructure()["stacks"]["home-esp32air"][0], "the stack")


# --- things -------------------------------------------------------------------------------------------

@test("create, list, show, package, rotate, delete: exactly one thing with one live certificate, then nothing")
def life(lab):
    project = begin(lab, "esp32air")
    lab.works(*CREATE, "--attribute", "zone=kitchen-2")
    lab.no_problems()
    wanted = {"kitchen": ("esp32air", {"zone": "kitchen-2", "altitude": "0"})}
    state = lab.things()
    same(1, len(state[0]["kitchen"]["certificates"]), "certificates")
    if not stock:
        lab.expect_things(wanted, [project])
        record = json.loads((project / "certificates/kitchen/thing.json").read_text(encoding="utf-8"))
        attributes = lab.client("iot").describe_thing(thingName="kitchen")["attributes"]
        same(record.get("claim"), attributes[CLAIM], "the claim")
        config = json.loads((project / "sensortypes/esp32air/sensors/kitchen/config.json").read_text(encoding="utf-8"))
        endpoint = lab.client("iot").describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
        expect(endpoint in json.dumps(config), lambda: f"config.json does not name {endpoint}")
        expect(PASSWORD in json.dumps(config, ensure_ascii=False), "config.json has another password")
    listed = lab.works("list", "--json").json()
    same([("kitchen", "aws", "active")], [(t["name"], t["target"], t["state"]) for t in listed], "list")
    shown = lab.works("show", "kitchen", "--json")
    expect(PASSWORD not in shown.out and shown.json()["type"] == "esp32air", str(shown))
    first = lab.client("iot").list_thing_principals(thingName="kitchen")["principals"]
    lab.works("package", "kitchen", "--set", "zone=9")
    same(first, lab.client("iot").list_thing_principals(thingName="kitchen")["principals"], "the certificate after package")
    same("9", lab.client("iot").describe_thing(thingName="kitchen")["attributes"]["zone"], "the attribute after package")
    lab.works("rotate", "kitchen")
    second = lab.client("iot").list_thing_principals(thingName="kitchen")["principals"]
    expect(len(second) == 1 and second != first, f"principals: {first}, then {second}")
    if not stock:
        lab.expect_things({"kitchen": ("esp32air", {"zone": "9", "altitude": "0"})}, [project])
    ran = lab.run(*CREATE)
    expect(ran.code == 1 and "exists already" in ran.err, str(ran))
    lab.works("delete", "kitchen")
    same(({}, []), lab.things(), "the account after delete")
    same([], [p.name for p in (project / "certificates").iterdir() if p.is_dir()], "certificates/ after delete")
    ran = lab.run("delete", "kitchen")
    expect(ran.code == 1 and "there is no thing" in ran.err, str(ran))
    lab.no_problems()


@test("RSA for an ESP8266, EC for an ESP32: the certificate is over the key that was made here")
def keys(lab):
    project = begin(lab, "esp8266temp")
    lab.works("create", "attic", "--type", "esp8266temp")
    if not stock:
        lab.expect_things({"attic": ("esp8266temp", {"zone": "1"})}, [project])
    sent = [c["parameters"] for c in lab.proxy.calls if c["operation"] == "CreateCertificateFromCsr"]
    same(1, len(sent), "requests")
    from cryptography import x509
    request = x509.load_pem_x509_csr(sent[0]["certificateSigningRequest"].encode())
    same(2048, request.public_key().key_size, "bits of the key")
    expect(request.is_signature_valid and not sent[0].get("setAsActive"), "the request's signature, or it was asked to be active")


@test("a type that is not plugged in, and a name that AWS does not take, are said before anything is made")
def refused(lab):
    project = begin(lab)
    ran = lab.run(*CREATE)
    expect(ran.code in (1, 3) and "esp32air" in ran.err and "sensorforge deploy" in ran.err, str(ran))
    same(({}, []), lab.things(), "the account")
    lab.proxy.begin()
    ran = lab.run("create", "no spaces", "--type", "esp32air")
    expect(ran.code == 1 and not lab.proxy.calls, str(ran))
    same([], [p.name for p in (project / "certificates").iterdir() if p.is_dir()], "certificates/")


@test("things from a table: many in flight, a broken connection now and then and throttling do not matter, the next run adds what is new")
def bulk(lab):
    project = begin(lab, "esp32air", "aircon", types=TYPES)
    rows = [f"t{i},{'esp32air' if i % 2 else 'aircon'},{i}" for i in range(60)]
    (project / "things.csv").write_text("name,type,zone\n" + "\n".join(rows[:40]) + "\n")

    class Weather(Fault):
        """Every seventh call, in one way or another; what AWS did not see, so that stock moto, which overwrites things, does well too."""

        def __init__(self):
            super().__init__("throttle", 1, 10**9)
            self.random = random.Random(7)

        def strikes(self, operation):
            self.way = self.random.choice(["throttle", "throttle", "reset-before", "error-500-before"])
            return self.random.random() < 1 / 7

    lab.proxy.begin(Weather())
    lab.works("create", "--from", "things.csv", SENSORFORGE_AWS_TIMEOUT="20")
    lab.no_problems()
    (project / "things.csv").write_text("name,type,zone\n" + "\n".join(rows) + "\n")
    lab.proxy.begin()
    ran = lab.works("create", "--from", "things.csv", "--json")
    same([20, 40, 0], [ran.json()[k] for k in ("created", "existed", "failed")], "report")
    found, orphans = lab.things()
    same((60, []), (len(found), orphans), "things, orphans")
    if not stock:
        lab.expect_things({f"t{i}": (("esp32air", {"zone": str(i), "altitude": "0"}) if i % 2 else ("aircon", {"zone": str(i)})) for i in range(60)}, [project])
    lab.works("delete", *(f"t{i}" for i in range(60)))
    same(({}, []), lab.things(), "the account after delete")


@test("no faster than requests_per_second, whatever the table's length")
def rate(lab):
    project = begin(lab, "esp32air")
    edit(project / "iot_system_infra/system.yaml", ("requests_per_second: 1000", "requests_per_second: 10"))
    (project / "things.csv").write_text("name,type,zone\n" + "".join(f"t{i},esp32air,1\n" for i in range(40)))
    lab.works("create", "--from", "things.csv")
    for operation in ("CreateThing", "CreateCertificateFromCsr", "AttachPolicy", "UpdateCertificate"):
        times = sorted(c["at"] for c in lab.proxy.calls if c["operation"] == operation)
        same(40, len(times), operation)
        # A bucket of one second's worth, refilled at ten a second.
        most = max(sum(1 for t in times if start <= t < start + 1) for start in times)
        expect(most <= 21, f"{operation}: {most} in one second")
        expect(times[-1] - times[0] > 2, f"{operation}: 40 in {times[-1] - times[0]:.1f} s")


@corrected("who is deleted or rotated is out at once: the certificate is made inactive, then the connection is ended and its session deleted")
def disconnected(lab):
    begin(lab, "esp32air")
    lab.works(*CREATE)
    for words in (["rotate", "kitchen"], ["delete", "kitchen"]):
        lab.mock.sessions({"kitchen": "connected", "attic": "connected"})
        lab.proxy.begin()
        lab.works(*words)
        lab.no_problems()
        same({"attic": "connected"}, lab.mock.sessions(), f"sessions after {words[0]}")
        order = [c["operation"] if c["operation"] != "UpdateCertificate" else c["parameters"]["newStatus"] for c in lab.proxy.calls]
        ended = order.index("DeleteConnection")
        same(("INACTIVE", 1), (order[ended - 1] if words[0] == "rotate" else order[ended - 2], order.count("DeleteConnection")), f"{words[0]}: {order}")
        expect(order.index("DetachThingPrincipal") > ended, f"the certificate is detached before its connection is ended: {order}")
    lab.works(*CREATE)  # one that is not connected
    lab.works("delete", "kitchen")


@corrected("an account that detaches slowly is waited for")
def detaching(lab):
    begin(lab, "esp32air")
    lab.works(*CREATE)
    lab.mock.tune(propagation=1.5)
    began = time.monotonic()
    lab.works("delete", "kitchen")
    expect(time.monotonic() - began > 1, "it did not wait")
    same(({}, []), lab.things(), "the account after delete")
    lab.no_problems()


@corrected("what a person attached or removed by hand is no obstacle to delete")
def by_hand(lab):
    begin(lab, "esp32air")
    iot = lab.client("iot")
    lab.works(*CREATE)
    other = iot.create_keys_and_certificate(setAsActive=True)["certificateArn"]
    iot.attach_thing_principal(thingName="kitchen", principal=other)
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}]})
    iot.create_policy(policyName="more", policyDocument=document)
    ours, = [a for a in iot.list_thing_principals(thingName="kitchen")["principals"] if a != other]
    iot.attach_policy(policyName="more", target=ours)
    lab.works("delete", "kitchen")
    same(({}, [other]), lab.things(), "the account: only the person's certificate is left")
    iot.update_certificate(certificateId=other.rpartition("/")[2], newStatus="INACTIVE")
    iot.delete_certificate(certificateId=other.rpartition("/")[2])
    lab.works(*CREATE)
    arn, = iot.list_thing_principals(thingName="kitchen")["principals"]
    iot.detach_thing_principal(thingName="kitchen", principal=arn)
    iot.delete_thing(thingName="kitchen")
    lab.works("delete", "kitchen")
    same(({}, []), lab.things(), "the account")


# --- destroy, doctor, make ------------------------------------------------------------------------------

@corrected("destroy: not while things are there; readings stay unless --data; then nothing of it is left")
def destroy(lab):
    begin(lab, types=("esp32air", "aircon"))
    empty = lab.infrastructure()
    lab.works("deploy", "--all")
    whole = lab.infrastructure()
    lab.works(*CREATE)
    ran = lab.run("destroy", "esp32air", "--confirm", "esp32air")
    expect(ran.code in (1, 3) and "kitchen" in ran.err + ran.out or "thing" in ran.err, str(ran))
    expect(ran.code != 0, str(ran))
    same(whole, lab.infrastructure(), "the account, with a thing of it")
    lab.works("delete", "kitchen")
    ran = lab.run("destroy", "esp32air")
    expect(ran.code == 2 and "--confirm" in ran.err, str(ran))
    ran = lab.run("destroy", "esp32air", "--confirm", "aircon")
    expect(ran.code == 2, str(ran))
    same(whole, lab.infrastructure(), "the account, unconfirmed")
    lab.mock.tune(deprecation=1)
    began = time.monotonic()
    lab.works("destroy", "esp32air", "--confirm", "esp32air", SENSORFORGE_AWS_DEPRECATION_SECONDS="1.2")
    expect(time.monotonic() - began > 1, "it did not wait for the thing type")
    state = lab.infrastructure()
    same([["aircon"], ["aircon"], ["aircon_invalid", "aircon_valid"]], [sorted(state[k]) for k in ("types", "policies", "rules")], "what is left")
    same(whole["timestream"], state["timestream"], "Timestream, without --data")
    same(whole["dynamodb"], state["dynamodb"], "DynamoDB, without --data")
    same(["/sensorforge/home/aircon"], sorted(state["log groups"]), "log groups")
    lab.mock.tune(deprecation=0)
    lab.works("deploy", "esp32air")  # takes its tables over again
    same(whole, lab.infrastructure(), "deployed again")
    for name in ("esp32air", "aircon", "system"):
        lab.works("destroy", name, "--data", "--confirm", name)
    same(empty, lab.infrastructure(), "the account after destroying all")
    lab.works("destroy", "esp32air", "--data", "--confirm", "esp32air")
    lab.no_problems()


def make_by_hand(lab, tags=None):
    """What a type's stack and the system's would make, under the same names, as another program might."""
    pairs = [{"Key": k, "Value": v} for k, v in (tags or {}).items()]
    timestream = lab.client("timestream-write")
    timestream.create_database(DatabaseName="iot", Tags=pairs)
    timestream.create_table(DatabaseName="iot", TableName="esp32air", Tags=pairs)
    lab.client("dynamodb").create_table(TableName="iot-esp32air-invalid", BillingMode="PAY_PER_REQUEST", Tags=pairs,
                                        AttributeDefinitions=[{"AttributeName": "thing", "AttributeType": "S"}, {"AttributeName": "id", "AttributeType": "S"}],
                                        KeySchema=[{"AttributeName": "thing", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}])
    lab.client("logs").create_log_group(logGroupName="/sensorforge/home/esp32air", tags=tags or {})
    lab.client("logs").create_log_group(logGroupName="/sensorforge/home/esp32air-2")
    lab.client("iot").create_thing_type(thingTypeName="esp32air", thingTypeProperties={"thingTypeDescription": "somebody's"})


@corrected("destroy without a stack: what does not bear our tags is shown and left, whatever it is called")
def foreign(lab):
    for tags in (None, {"sensorforge:system": "office", "sensorforge:type": "esp32air"}, {"sensorforge:system": "home", "sensorforge:type": "aircon"},
                 {"name": "sensorforge:system"}):
        begin(lab, types=("esp32air",))
        make_by_hand(lab, tags)
        lab.client("iot").create_thing(thingName="theirs", thingTypeName="esp32air")
        before = lab.infrastructure()
        subjects = ("esp32air",) if (tags or {}).get("sensorforge:system") == "home" else ("esp32air", "system")
        for subject in subjects:
            for more in ((), ("--data",)):
                ran = lab.works("destroy", subject, *more, "--confirm", subject)
                expect("is not in" in ran.out and "not made here, left as it is" in ran.out and "DeleteThingType" not in lab.proxy.operations(), str(ran))
                same(before, lab.infrastructure(), f"the account after destroying {subject} {more}")
        told = lab.works("destroy", "esp32air", "--data", "--json", "--confirm", "esp32air").json()
        same(("nothing", [], 4), (told["outcome"], told["removed"], len(told["foreign"])), "told")
        lab.no_problems()


@corrected("destroy without a stack: what bears our tags goes, and what stands beside it stays")
def left_behind(lab):
    begin(lab, types=("esp32air",))
    make_by_hand(lab, {"sensorforge:system": "home", "sensorforge:type": "esp32air"})
    ran = lab.works("destroy", "esp32air", "--confirm", "esp32air")
    expect("not made here, left as it is  thing type esp32air" in ran.out, str(ran))  # moto's CreateThingType drops tags
    state = lab.infrastructure()
    same((["/sensorforge/home/esp32air-2"], ["iot-esp32air-invalid"], ["esp32air"]),
         (sorted(state["log groups"]), sorted(state["dynamodb"]), sorted(state["types"])), "what is left without --data")
    lab.works("destroy", "esp32air", "--data", "--confirm", "esp32air")
    lab.works("destroy", "system", "--data", "--confirm", "system")
    state = lab.infrastructure()
    same(({}, {}, ["esp32air"]), (state["dynamodb"], state["timestream"], sorted(state["types"])), "what is left with --data")
    begin(lab, types=("esp32air",))
    empty = lab.infrastructure()
    lab.works("deploy", "esp32air")
    lab.works("destroy", "esp32air", "--confirm", "esp32air")
    lab.works("destroy", "esp32air", "--data", "--confirm", "esp32air")
    lab.works("destroy", "system", "--confirm", "system")
    expect(lab.infrastructure()["timestream"] == {"iot": {}}, "the database did not stay")
    lab.works("destroy", "system", "--data", "--confirm", "system")
    same(empty, lab.infrastructure(), "the account in the end")
    lab.no_problems()


@corrected("deploy takes over a table that it did not make only with consent; one that an earlier deploy left, without")
def taken_over(lab):
    begin(lab, types=("esp32air",), store="dynamodb")
    lab.client("dynamodb").create_table(TableName="iot-esp32air", BillingMode="PAY_PER_REQUEST",
                                        AttributeDefinitions=[{"AttributeName": "thing", "AttributeType": "S"}, {"AttributeName": "time", "AttributeType": "N"}],
                                        KeySchema=[{"AttributeName": "thing", "KeyType": "HASH"}, {"AttributeName": "time", "KeyType": "RANGE"}])
    before = lab.infrastructure()
    told = lab.works("diff", "esp32air", "--json").json()
    imports = [c for stack in told for c in stack["changes"] if c["action"] == "import"]
    same([("iot-esp32air", False)], [(c["name"], c["ours"]) for c in imports], "imports")
    ran = lab.run("deploy", "esp32air")
    expect(ran.code == 2 and "--yes" in ran.err and "TAKEN OVER" in ran.err and "not made here" in ran.err, str(ran))
    same(before, lab.infrastructure(), "the account, without --yes")
    lab.works("deploy", "esp32air", "--yes")
    lab.works("destroy", "esp32air", "--confirm", "esp32air")
    ran = lab.works("deploy", "esp32air")
    expect("taken over, with what it holds" in ran.err and "not made here" not in ran.err, str(ran))
    lab.works("destroy", "esp32air", "--data", "--confirm", "esp32air")
    same({}, lab.infrastructure()["dynamodb"], "tables")
    lab.no_problems()


@corrected("destroy's refusals read a list to its end: a first page without anything but a token hides nothing")
def pages(lab):
    project = begin(lab, types=("esp32air",))
    lab.works("deploy", "esp32air")
    lab.works(*CREATE)
    elsewhere = lab.folder / "elsewhere"
    (project / "certificates").rename(elsewhere)  # as in another checkout
    (project / "certificates").mkdir()
    try:
        before = lab.infrastructure()
        lab.mock.tune(empty_page=True)
        ran = lab.run("destroy", "esp32air", "--confirm", "esp32air")
        expect(ran.code == 1 and "kitchen" in ran.err, str(ran))
        iot = lab.client("iot")
        lab.mock.tune(empty_page=False)
        arn, = iot.list_thing_principals(thingName="kitchen")["principals"]
        iot.detach_thing_principal(thingName="kitchen", principal=arn)
        iot.delete_thing(thingName="kitchen")
        lab.mock.tune(empty_page=True)
        ran = lab.run("destroy", "esp32air", "--confirm", "esp32air")
        expect(ran.code == 1 and "1 certificates" in ran.err, str(ran))
        lab.mock.tune(empty_page=False)
        same(before, lab.infrastructure(), "the account")
        iot.detach_policy(policyName="esp32air", target=arn)
        lab.works("destroy", "esp32air", "--confirm", "esp32air")
        lab.mock.tune(empty_page=True)
        ran = lab.run("destroy", "system", "--data", "--confirm", "system")
        expect(ran.code == 1 and "still holds tables: esp32air" in ran.err, str(ran))
        lab.no_problems()
    finally:
        lab.mock.tune(empty_page=False)
        the_laboratory.shutil.rmtree(elsewhere, ignore_errors=True)


@test("deploy, diff, destroy with DynamoDB: tables stay, and go with --data once their stack is gone")
def plain(lab):
    begin(lab, types=("esp32air",), store="dynamodb")
    lab.works("deploy", "esp32air")
    expect("0 of 1 stacks would change" in lab.works("diff", "esp32air").err, "diff after deploy")
    tables = ["iot-esp32air", "iot-esp32air-invalid"]
    for name in tables:
        arn = lab.client("dynamodb").describe_table(TableName=name)["Table"]["TableArn"]
        tags = {t["Key"]: t["Value"] for t in lab.client("dynamodb").list_tags_of_resource(ResourceArn=arn)["Tags"]}
        same({"sensorforge:system": "home", "sensorforge:type": "esp32air"}, {k: v for k, v in tags.items() if not k.startswith("aws:")}, f"tags of {name}")
    lab.works("destroy", "esp32air", "--confirm", "esp32air")
    state = lab.infrastructure()
    same((tables, {}, {}), (sorted(state["dynamodb"]), state["types"], state["log groups"]), "what stays")
    lab.works("destroy", "esp32air", "--data", "--confirm", "esp32air")
    same({}, lab.infrastructure()["dynamodb"], "tables")
    lab.no_problems()


@corrected("Timestream denied to the operator is a missing permission, closed to the account is a reason for the other store")
def denied_or_closed(lab):
    for words in (["deploy", "esp32air"], ["doctor"]):
        for operation in ("DescribeEndpoints", "DescribeDatabase"):
            begin(lab, types=("esp32air",))
            lab.proxy.begin(forever("denied", operation=operation))
            ran = lab.run(*words)
            said = ran.out + ran.err
            expect(ran.code == 3 and f"permission timestream:{operation}" in said and "2025-06-20" not in said, str(ran))
        begin(lab, types=("esp32air",))
        lab.mock.tune(timestream=False)
        ran = lab.run(*words)
        said = ran.out + ran.err
        expect(ran.code == 3 and "store: dynamodb" in said and "2025-06-20" in said and "need the permission" not in said, str(ran))


@corrected("doctor: what is well, what is not, orphans of each kind, and cleaning them")
def doctor(lab):
    project = begin(lab, types=("esp32air",))
    lab.works("deploy", "esp32air")
    for name in ("kitchen", "attic", "cellar"):
        lab.works("create", name, "--type", "esp32air")
    iot = lab.client("iot")
    before = lab.things()
    told = lab.works("doctor", "--json").json()
    same([], told["orphans"], "orphans")
    expect(all(f["health"] != "ill" for f in told["findings"]), str(told))
    arn, = iot.list_thing_principals(thingName="attic")["principals"]
    iot.detach_thing_principal(thingName="attic", principal=arn)  # a certificate that no thing has, and a thing without one
    arn, = iot.list_thing_principals(thingName="cellar")["principals"]
    iot.detach_thing_principal(thingName="cellar", principal=arn)
    iot.delete_thing(thingName="cellar")  # a record without a thing
    iot.create_keys_and_certificate(setAsActive=True)  # somebody else's: not ours to clean
    others = lab.things()[1]
    lab.proxy.begin()
    told = lab.works("doctor", "--json").json()
    kinds = {(o["kind"], o["name"]) for o in told["orphans"]}
    expect(("thing", "attic") in kinds and ("record", "cellar") in kinds, str(kinds))
    ran = lab.run("doctor", "--clean")
    expect(ran.code == 2 and "--yes" in ran.err, str(ran))
    lab.works("doctor", "--clean", "--yes")
    lab.no_problems()
    same(["kitchen"], sorted(lab.things()[0]), "things after cleaning")
    same(before[0]["kitchen"], lab.things()[0]["kitchen"], "the thing that was well")
    expect(set(lab.things()[1]) <= set(others), "orphans after cleaning")
    expect(not (project / "certificates/cellar").exists(), "the record of a thing that is gone is still there")


@corrected("deploy, doctor: the log of AWS IoT is off; deploy turns it on when it is asked to, once")
def iot_logging(lab):
    begin(lab, types=("esp32air",))
    off = "AWS IoT writes no log"
    ran = lab.works("deploy", "esp32air")
    expect(off in ran.err and "--logging turns it on" in ran.err, str(ran))
    finding, = (f for f in lab.works("doctor", "--json").json()["findings"] if f["what"] == "logging")
    expect(finding["health"] == "doubtful" and off in finding["text"] and "--logging" in finding["advice"], str(finding))
    ran = lab.works("deploy", "esp32air", "--logging")
    expect("now it does" in ran.err, str(ran))
    iam = lab.client("iam")
    name, = (r["RoleName"] for r in iam.list_roles()["Roles"] if r["RoleName"].endswith("-iot-logging"))
    policy = iam.get_role_policy(RoleName=name, PolicyName="logs")["PolicyDocument"]["Statement"][0]
    same("arn:aws:logs:*:123456789012:log-group:AWSIotLogsV2*", policy["Resource"], "the resource")
    options = lab.client("iot").get_v2_logging_options()
    expect(options["defaultLogLevel"] == "ERROR" and options["roleArn"].endswith(f":role/{name}") and not options["disableAllLogs"], str(options))
    finding, = (f for f in lab.works("doctor", "--json").json()["findings"] if f["what"] == "logging")
    same("well", finding["health"], "the finding")
    expect(off not in lab.works("deploy", "esp32air").err, "it is still called off")
    # Off again, and the role is there: it is used as it is.
    lab.client("iot").set_v2_logging_options(roleArn=options["roleArn"], defaultLogLevel="ERROR", disableAllLogs=True)
    expect("now it does" in lab.works("deploy", "esp32air", "--logging").err, "it was not turned on again")
    lab.no_problems()


def chain_server(folder, extra):
    """A TLS server on a port of its own that sends a certificate and its authority's, with an extension of so many bytes: the server, and
    the bytes of that message."""
    run = lambda *words: subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)  # noqa: E731
    more = ["-addext", f"1.2.3.4=ASN1:UTF8String:{'x' * extra}"] if extra else []
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "ca.key", "-out", folder / "ca.pem", "-subj", "/CN=authority", "-days", 2, *more)
    run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "server.key", "-out", folder / "server.csr", "-subj", "/CN=localhost")
    run("x509", "-req", "-in", folder / "server.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-set_serial", 2, "-days", 2, "-out", folder / "server.pem")
    chain = [(folder / name).read_text() for name in ("server.pem", "ca.pem")]
    (folder / "chain.pem").write_text("".join(chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "server.key")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.RequestHandlerClass.log_message = lambda *_: None
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, 7 + sum(3 + len(ssl.PEM_cert_to_DER_cert(pem)) for pem in chain)


@corrected("doctor: the certificates of the endpoint are held against what boards take")
def doctor_chain(lab):
    begin(lab, types=("esp32air", "esp8266temp", "aircon"))
    findings = lambda: [f for f in lab.run("doctor", "--json").json()["findings"] if f["what"] == "certificates"]  # noqa: E731
    same([], findings(), "at an emulator AWS's own endpoint is not asked")
    for extra, health in ((0, "well"), (3450, "doubtful"), (4000, "ill")):
        folder = lab.folder / f"chain{extra}"
        folder.mkdir()
        server, size = chain_server(folder, extra)
        lab.mock.tune(endpoint=f"127.0.0.1:{server.server_address[1]}")
        found, = findings()
        same((health, f"{size} bytes" in found["text"]), (found["health"], True), f"{size} bytes: {found}")
        server.shutdown()
    lab.mock.tune(endpoint="127.0.0.1:9")
    found, = findings()
    expect(found["health"] == "doubtful" and "not known" in found["text"], str(found))
    lab.mock.tune(endpoint=None)


@corrected("doctor: no credentials, no Timestream, a wrong clock are found")
def doctor_ill(lab):
    begin(lab, types=("esp32air",))
    ran = lab.run("doctor", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None, AWS_EC2_METADATA_DISABLED="true")
    expect(ran.code == 3 and "credentials" in ran.out, str(ran))
    lab.mock.tune(timestream=False)
    ran = lab.run("doctor")
    expect(ran.code == 3 and "store" in ran.out and "dynamodb" in ran.out, str(ran))
    lab.mock.tune(timestream=True)
    ran = lab.run("doctor", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    expect(ran.code == 3 and "error" in ran.err, str(ran))


@corrected("make all, create, delete, diff, destroy with TARGET=aws")
def by_make(lab):
    project = begin(lab, types=("esp32air",))

    def make(*words):
        done = subprocess.run(["make", "--no-print-directory", "-o", PROGRAM, f"PROGRAM={PROGRAM}", *words], cwd=project, text=True,
                              capture_output=True, env=lab.environment(), stdin=subprocess.DEVNULL, timeout=60)
        expect(done.returncode == 0, lambda: f"make {' '.join(words)}: {done.stdout}{done.stderr}")
        return done

    edit(project / "iot_system_infra/system.yaml", ("target: aws", "target: local"))
    make("all", "TARGET=aws", "dbName=readings")
    expect("esp32air" in lab.infrastructure()["timestream"]["readings"], "the table is not in dbName's database")
    make("diff", "TARGET=aws", "dbName=readings")
    make("create", "name=kitchen", "type=esp32air", "zone=2", "TARGET=aws", "wifissid=Home", "wifipassword=a/b&c\\d 'e' $$f")
    lab.expect_things({"kitchen": ("esp32air", {"zone": "2", "altitude": "0"})}, [project])
    iot = lab.client("iot")
    make("create", "name=cellar", "type=esp32air", "zone=2", "TARGET=aws", "wifissid=Home", "wifipassword=secret-of-8")
    arn, = iot.list_thing_principals(thingName="cellar")["principals"]
    identity = arn.rpartition("/")[2]
    iot.detach_thing_principal(thingName="cellar", principal=arn)
    iot.delete_thing(thingName="cellar")
    iot.detach_policy(policyName="esp32air", target=arn)
    iot.update_certificate(certificateId=identity, newStatus="INACTIVE")
    iot.delete_certificate(certificateId=identity)
    make("doctor", "TARGET=aws", "clean=yes", "yes=yes")
    same(["kitchen"], sorted(p.name for p in (project / "certificates").iterdir() if p.is_dir()), "records after cleaning")
    make("delete", "name=kitchen")  # its record says where it is
    same(({}, []), lab.things(), "the account")
    make("destroy", "NAME=esp32air", "TARGET=aws", "dbName=readings", "data=yes", "confirm=esp32air")
    same({}, lab.infrastructure()["types"], "types")


@test("an account that cannot be reached, denies, or has another clock: one clear message, exit code 3, nothing begun or all resumable")
def refusals(lab):
    cases = [({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, None, r"127\.0\.0\.1:9|reach|connect"), ({}, forever("denied"), r"iot:\w+"),
             ({}, forever("expired"), r"expired|ExpiredToken"),
             ({}, forever("answer", answer=(403, {"x-amzn-ErrorType": "InvalidSignatureException", "Date": "Sat, 21 Nov 2026 00:00:00 GMT"},
                                            b'{"message": "Signature expired: 20261121T000000Z is now earlier than 20261121T001500Z"}')),
              r"clock|InvalidSignature")]
    for environment, fault, says in cases:
        begin(lab, "esp32air")
        lab.proxy.begin(fault)
        ran = lab.run(*CREATE, **environment)
        expect(ran.code == 3 and re.search(says, ran.err) and "error" in ran.err, lambda: f"{says}: {ran}")
        same(({}, []), lab.things(), "the account")
        lab.proxy.begin()
        lab.works(*CREATE)


if __name__ == "__main__":
    the_laboratory.tests[:] = [t for t in the_laboratory.tests if t[1].__module__ == "__main__"]  # the documents' own run by themselves
    with Lab(*sys.argv[1:]) as the_lab:
        sys.exit(run_tests(the_lab))
