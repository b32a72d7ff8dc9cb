#!/usr/bin/env python3
"""documents.py [--stock]: the emitted documents, applied through the mock's APIs and read back. The AWS CLI's documents one by one,
in the order of docs/outputs.md; the CloudFormation stacks beside them must have made the same."""

import json
import subprocess
import sys
import time

from lab import PROGRAM, Lab, Wrong, expect, run_tests, same, test
from mock import ACCOUNT, REGION

SYSTEM = [("database", "timestream-write", "create_database")]
ORDER = [("thing-type", "iot", "create_thing_type"), ("policy", "iot", "create_policy"), ("table", None, "create_table"),
         ("invalid-table", "dynamodb", "create_table"), ("table-ttl", "dynamodb", "update_time_to_live"),
         ("invalid-table-ttl", "dynamodb", "update_time_to_live"), ("table-backups", "dynamodb", "update_continuous_backups"),
         ("invalid-table-backups", "dynamodb", "update_continuous_backups"), ("log-group", "logs", "create_log_group"),
         ("log-retention", "logs", "put_retention_policy"), ("rule-role", "iam", "create_role"), ("error-role", "iam", "create_role"),
         ("rule-role-policy", "iam", "put_role_policy"), ("error-role-policy", "iam", "put_role_policy"),
         ("rule", "iot", "create_topic_rule"), ("invalid-rule", "iot", "create_topic_rule")]
TYPES = ("aircon", "esp32air", "esp8266temp")


def generate(lab, store):
    """All documents, for the mock's account."""
    project = lab.fresh_project(f"documents-{store}", store=store, types=TYPES)
    system = project / "iot_system_infra/system.yaml"
    system.write_text(system.read_text().replace("  region: eu-west-1", f'  region: {REGION}\n  account: "{ACCOUNT}"'))
    ran = subprocess.run([PROGRAM, "generate", "--all", "--out", "made"], cwd=project, capture_output=True, text=True, env=lab.environment())
    expect(ran.returncode == 0, ran.stderr)
    return project / "made"


def apply_documents(lab, made, store):
    wanted = {}
    for scope, order in [("system", SYSTEM)] + [(kind, ORDER) for kind in TYPES]:
        folder = made / scope / "awscli"
        there = {p.stem for p in folder.glob("*.json")}
        expect(there <= {row[0] for row in order}, f"{scope}: documents that no command takes: {sorted(there - {row[0] for row in order})}")
        for name, service, operation in order:
            if name in there:
                document = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
                getattr(lab.client(service or ("dynamodb" if store == "dynamodb" else "timestream-write")), operation)(**document)
                wanted[scope, name] = document
    return wanted


def read_back(lab, wanted, store):
    """Each document against what the service tells of what it made."""
    iot, iam = lab.client("iot"), lab.client("iam")
    for (scope, name), document in wanted.items():
        where = f"{scope}/{name}"
        if name == "thing-type":
            told = iot.describe_thing_type(thingTypeName=document["thingTypeName"])
            same(document["thingTypeProperties"], told["thingTypeProperties"], where)
        elif name == "policy":
            same(json.loads(document["policyDocument"]), json.loads(iot.get_policy(policyName=document["policyName"])["policyDocument"]), where)
        elif name in ("rule", "invalid-rule"):
            told = iot.get_topic_rule(ruleName=document["ruleName"])["rule"]
            same(document["topicRulePayload"], {k: told[k] for k in document["topicRulePayload"]}, where)
        elif name.endswith("role"):
            told = iam.get_role(RoleName=document["RoleName"])["Role"]
            same(json.loads(document["AssumeRolePolicyDocument"]), told["AssumeRolePolicyDocument"], where)
        elif name.endswith("role-policy"):
            told = iam.get_role_policy(RoleName=document["RoleName"], PolicyName=document["PolicyName"])
            same(json.loads(document["PolicyDocument"]), told["PolicyDocument"], where)
        elif name == "log-retention":
            told = lab.client("logs").describe_log_groups(logGroupNamePrefix=document["logGroupName"])["logGroups"]
            same([document["retentionInDays"]], [g["retentionInDays"] for g in told if g["logGroupName"] == document["logGroupName"]], where)
        elif name == "table" and store == "timestream":
            told = lab.client("timestream-write").describe_table(DatabaseName=document["DatabaseName"], TableName=document["TableName"])["Table"]
            same({k: document[k] for k in document}, {k: told[k] for k in document}, where)
        elif name in ("table", "invalid-table"):
            told = lab.client("dynamodb").describe_table(TableName=document["TableName"])["Table"]
            same(document["KeySchema"], told["KeySchema"], where)


def apply_stacks(lab, made, store):
    cf = lab.client("cloudformation")
    for scope in (["system"] if store == "timestream" else []) + list(TYPES):
        template = (made / scope / "cloudformation/stack.json").read_text(encoding="utf-8")
        cf.create_change_set(StackName=f"home-{scope}", ChangeSetName="all", ChangeSetType="CREATE", TemplateBody=template,
                             Capabilities=["CAPABILITY_IAM"], Parameters=[{"ParameterKey": "DatabaseName", "ParameterValue": "iot"}])
        cf.execute_change_set(ChangeSetName="all", StackName=f"home-{scope}")
        while (status := cf.describe_stacks(StackName=f"home-{scope}")["Stacks"][0]["StackStatus"]) == "CREATE_IN_PROGRESS":
            time.sleep(0.02)
        if status != "CREATE_COMPLETE":
            events = cf.describe_stack_events(StackName=f"home-{scope}")["StackEvents"]
            raise Wrong(f"home-{scope}: {status}: {[(e['LogicalResourceId'], e.get('ResourceStatusReason')) for e in events]}")


def without_names_of_roles(state):
    """CloudFormation makes up the names of roles (and descriptions of the stacks are no part of what is compared)."""
    text = json.dumps({k: v for k, v in state.items() if k not in ("roles", "stacks")}, sort_keys=True)
    roles = sorted(json.dumps(role, sort_keys=True) for role in state["roles"].values())
    for kind in TYPES:
        for made, plain in ((f"home-{kind}-RuleRole-SUFFIX", f"home-{kind}-rule"), (f"home-{kind}-ErrorRole-SUFFIX", f"home-{kind}-error")):
            text = text.replace(made, plain)
    return {"all but roles": json.loads(text), "roles": [plain_policies(json.loads(role)) for role in roles]}


def plain_policies(value):
    """One action or a list of one mean the same in a policy."""
    if isinstance(value, dict):
        return {k: plain_policies(v[0] if k in ("Action", "Resource", "Service") and isinstance(v, list) and len(v) == 1 else v) for k, v in value.items()}
    return [plain_policies(v) for v in value] if isinstance(value, list) else value


def both(lab, store):
    made = generate(lab, store)
    lab.mock.reset()
    wanted = apply_documents(lab, made, store)
    read_back(lab, wanted, store)
    by_hand = plain_policies(without_names_of_roles(lab.infrastructure()))
    if lab.options:
        return
    lab.mock.reset()
    apply_stacks(lab, made, store)
    same(by_hand, plain_policies(without_names_of_roles(lab.infrastructure())), "what the stacks made, beside what the AWS CLI's documents made")


@test("store timestream: documents and stacks make the same")
def timestream(lab):
    both(lab, "timestream")


@test("store dynamodb: documents and stacks make the same")
def dynamodb(lab):
    both(lab, "dynamodb")


if __name__ == "__main__":
    with Lab(*sys.argv[1:]) as the_lab:
        sys.exit(run_tests(the_lab))
