#!/usr/bin/env python3
"""Judges generated cloud documents by what is not ours: cfn-lint, botocore's service models, terraform.

    judge_artifacts.py DIR...

Every folder below DIR that holds a set (cloudformation/stack.json, terraform/main.tf.json, awscli/*.json) is judged;
sets beside each other (DIR/cloudformation, DIR/terraform, DIR/awscli) must also agree. Prints TAP, exits with 1 when
anything is not ok, or when there was nothing to judge.

What is judged
- cloudformation: cfn-lint, where a warning is a failure too.
- awscli: each document against its operation in botocore's model: members, types, required, and also patterns,
  enumerations and limits, which botocore's own validator leaves to the service.
- terraform: the configuration is rewritten onto terraform's built-in resource terraform_data, under names of the same
  shape, and `terraform validate` is run on that: it parses every expression, resolves every reference and finds
  cycles, without a provider and without a network. What it cannot judge is whether hashicorp/aws knows an argument;
  the table ARGUMENTS below, taken from the provider's documentation, stands in for it.
- the facts: each set is read into one plain description of the system (names, SQL, retention, permissions, ...). The
  descriptions must be equal, and each must keep the house's rules (least privilege, an error action, ...).
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import botocore.session
from botocore.validate import ParamValidator

THING = "${iot:Connection.Thing.ThingName}"
# The values that stand in for what only a deployment knows, so that the sets can be compared.
REGION, ACCOUNT, PARTITION = "<region>", "<account>", "<partition>"

AWSCLI = {  # file name -> service, operation; by the document's members where two services share a name
    "database.json": [("timestream-write", "CreateDatabase")],
    "thing-type.json": [("iot", "CreateThingType")],
    "policy.json": [("iot", "CreatePolicy")],
    "rule.json": [("iot", "CreateTopicRule")],
    "invalid-rule.json": [("iot", "CreateTopicRule")],
    "table.json": [("timestream-write", "CreateTable"), ("dynamodb", "CreateTable")],
    "invalid-table.json": [("dynamodb", "CreateTable")],
    "table-ttl.json": [("dynamodb", "UpdateTimeToLive")],
    "invalid-table-ttl.json": [("dynamodb", "UpdateTimeToLive")],
    "table-backups.json": [("dynamodb", "UpdateContinuousBackups")],
    "invalid-table-backups.json": [("dynamodb", "UpdateContinuousBackups")],
    "rule-role.json": [("iam", "CreateRole")],
    "error-role.json": [("iam", "CreateRole")],
    "rule-role-policy.json": [("iam", "PutRolePolicy")],
    "error-role-policy.json": [("iam", "PutRolePolicy")],
    "log-group.json": [("logs", "CreateLogGroup")],
    "log-retention.json": [("logs", "PutRetentionPolicy")],
}
ALWAYS = {name for name in AWSCLI if not name.startswith("table-")} - {"database.json"}

# What the documentation of hashicorp/aws names, of what these templates use: argument -> its nested arguments.
_DYNAMODB_RULE = {"role_arn": None, "put_item": {"table_name": None}}
ARGUMENTS = {
    "aws_iot_thing_type": {"name": None, "deprecated": None, "tags": None,
                           "properties": {"description": None, "searchable_attributes": None}},
    "aws_iot_policy": {"name": None, "policy": None, "tags": None},
    "aws_iot_topic_rule": {
        "name": None, "description": None, "enabled": None, "sql": None, "sql_version": None, "tags": None,
        "timestream": {"role_arn": None, "database_name": None, "table_name": None,
                       "dimension": {"name": None, "value": None}, "timestamp": {"value": None, "unit": None}},
        "dynamodbv2": _DYNAMODB_RULE,
        "error_action": {"cloudwatch_logs": {"role_arn": None, "log_group_name": None, "batch_mode": None},
                         "dynamodbv2": _DYNAMODB_RULE},
    },
    "aws_timestreamwrite_database": {"database_name": None, "kms_key_id": None, "tags": None},
    "aws_timestreamwrite_table": {
        "database_name": None, "table_name": None, "tags": None,
        "retention_properties": {"memory_store_retention_period_in_hours": None,
                                 "magnetic_store_retention_period_in_days": None},
        "magnetic_store_write_properties": {"enable_magnetic_store_writes": None},
    },
    "aws_dynamodb_table": {
        "name": None, "billing_mode": None, "hash_key": None, "range_key": None, "tags": None,
        "attribute": {"name": None, "type": None}, "ttl": {"attribute_name": None, "enabled": None},
        "point_in_time_recovery": {"enabled": None}, "deletion_protection_enabled": None,
    },
    "aws_cloudwatch_log_group": {"name": None, "retention_in_days": None, "tags": None},
    "aws_iam_role": {"name": None, "name_prefix": None, "description": None, "assume_role_policy": None, "tags": None},
    "aws_iam_role_policy": {"name": None, "role": None, "policy": None},
    "aws_iam_policy_document": {
        "version": None,
        "statement": {"sid": None, "effect": None, "actions": None, "resources": None,
                      "principals": {"type": None, "identifiers": None},
                      "condition": {"test": None, "variable": None, "values": None}},
    },
    "aws_caller_identity": {}, "aws_region": {}, "aws_partition": {},
}
META = {"lifecycle", "depends_on", "count", "for_each", "provider"}
RETENTION_DAYS = {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}


class Tap:
    def __init__(self, out=sys.stdout):
        self.count, self.failed, self.out = 0, 0, out

    def say(self, name, problems):
        """problems: a list of texts; empty means ok."""
        self.count += 1
        self.failed += bool(problems)
        print(f"{'not ' if problems else ''}ok {self.count} - {name}", file=self.out)
        for problem in problems:
            for line in str(problem).splitlines():
                print(f"# {line}", file=self.out)

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}", file=self.out)

    def end(self):
        print(f"1..{self.count}", file=self.out)


class Broken(Exception):
    """A document that cannot be read as what it should be; the text says where and why."""


def no_duplicates(pairs):
    keys = [key for key, _ in pairs]
    twice = {key for key in keys if keys.count(key) > 1}
    if twice:
        raise Broken(f"the same key twice: {', '.join(sorted(twice))}")
    return dict(pairs)


def parse(text, where):
    try:
        return json.loads(text, object_pairs_hook=no_duplicates)
    except (json.JSONDecodeError, Broken) as error:
        raise Broken(f"{where}: {error}") from None


def listed(value):
    return value if isinstance(value, list) else [] if value is None else [value]


# --- cloudformation: cfn-lint -----------------------------------------------------------------------------------

def cfn_lint(stack):
    ran = subprocess.run([shutil.which("cfn-lint") or sys.executable, *([] if shutil.which("cfn-lint") else ["-m", "cfnlint"]),
                          "--format", "parseable", "--", str(stack)], capture_output=True, text=True, check=False)
    return [] if ran.returncode == 0 else [ran.stdout + ran.stderr or f"cfn-lint ended with {ran.returncode}"]


# --- awscli: botocore -------------------------------------------------------------------------------------------

_session = botocore.session.get_session()
_models = {}


def operation(service, name):
    if service not in _models:
        _models[service] = _session.get_service_model(service)
    return _models[service].operation_model(name)


def python_pattern(pattern):
    """A pattern of a service model, which Java wrote, as Python reads it."""
    for java, python in ((r"\p{Graph}", r"!-~"), (r"\p{L}", r"^\W\d_"), (r"\p{Z}", r"\s"), (r"\p{N}", r"\d")):
        pattern = pattern.replace(java, python)
    return re.compile(pattern)


def limits(shape, value, path):
    """What botocore's validator does not look at: patterns, enumerations, maxima."""
    found = []
    meta = shape.metadata
    if shape.type_name == "structure":
        for name, member in value.items():
            if name in shape.members:
                found += limits(shape.members[name], member, f"{path}.{name}")
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            found += limits(shape.member, item, f"{path}[{index}]")
        found += bounds(meta, len(value), path, "items")
    elif shape.type_name == "map":
        for name, item in value.items():
            found += limits(shape.value, item, f"{path}.{name}")
    elif shape.type_name == "string":
        found += bounds(meta, len(value), path, "characters")
        if "pattern" in meta and not python_pattern(meta["pattern"]).fullmatch(value):
            found.append(f"{path}: {value!r} does not match {meta['pattern']}")
        if "enum" in meta and value not in meta["enum"]:
            found.append(f"{path}: {value!r} is none of {meta['enum']}")
    elif shape.type_name in ("integer", "long", "float", "double"):
        found += bounds(meta, value, path, "")
    return found


def bounds(meta, size, path, unit):
    if "min" in meta and size < meta["min"]:
        return [f"{path}: {size} {unit}, at least {meta['min']}"]
    if "max" in meta and size > meta["max"]:
        return [f"{path}: {size} {unit}, at most {meta['max']}"]
    return []


def judge_cli(name, document):
    if name not in AWSCLI:
        return [f"{name}: no command is known for it"]
    first = None
    for service, call in AWSCLI[name]:
        shape = operation(service, call).input_shape
        report = ParamValidator().validate(document, shape)
        if not report.has_errors():
            return [f"{service} {call}: {text}" for text in limits(shape, document, name)]
        first = first or f"{service} {call}: {report.generate_report()}"
    return [first]


# --- terraform --------------------------------------------------------------------------------------------------

REFERENCE = re.compile(r"\b(data\.)?(aws_[a-z0-9_]+)\.([A-Za-z_][A-Za-z0-9_-]*)")


def stand_in(reference, attribute=True):
    data, kind, name = reference.groups()
    return f"terraform_data.{'data_' if data else ''}{kind}__{name}{'.output' if attribute else ''}"


def rewrite(value):
    """The same tree, with each reference inside of ${...} pointing at the resource that stands in for it."""
    if isinstance(value, dict):
        return {key: rewrite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rewrite(item) for item in value]
    if isinstance(value, str):
        return re.sub(r"(?<!\$)(?:\$\$)*\$\{[^}]*\}?", lambda found: REFERENCE.sub(stand_in, found.group()), value)
    return value


def on_builtin(main):
    made = {key: rewrite(main[key]) for key in ("variable", "output", "locals") if key in main}
    resources = {}
    for section, prefix in (("resource", ""), ("data", "data_")):
        for kind, blocks in main.get(section, {}).items():
            for name, body in blocks.items():
                block = {"input": rewrite({k: v for k, v in body.items() if k not in META})}
                if "depends_on" in body:
                    block["depends_on"] = [REFERENCE.sub(lambda f: stand_in(f, False), d) for d in body["depends_on"]]
                if "lifecycle" in body:
                    block["lifecycle"] = body["lifecycle"]
                resources[f"{prefix}{kind}__{name}"] = block
    made["resource"] = {"terraform_data": resources}
    # The provider's configuration holds expressions too.
    made.setdefault("locals", {})["provider"] = rewrite(main.get("provider", {}))
    return made


def run_terraform(folder, *arguments):
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TF_DATA_DIR": str(folder / "data"),
                   "TF_CLI_CONFIG_FILE": os.devnull, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1",
                   "TF_PLUGIN_CACHE_DIR": "", "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    return subprocess.run(["terraform", f"-chdir={folder}", *arguments], capture_output=True, text=True, env=environment,
                          timeout=120, check=False)


def terraform_reads(path, main):
    """As it is: blocks and required providers. Rewritten: expressions, references, cycles."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        shutil.copy(path, folder / "main.tf.json")
        ran = run_terraform(folder, "providers")
        if ran.returncode or "hashicorp/aws" not in ran.stdout:
            return [f"terraform providers: {ran.stdout}{ran.stderr}"]
        (folder / "main.tf.json").write_text(json.dumps(on_builtin(main), indent=1))
        ran = run_terraform(folder, "validate", "-json")
        answer = json.loads(ran.stdout)
        return [f"terraform: {d['summary']}: {d['detail']} {d.get('snippet', {}).get('code', '')}"
                for d in answer["diagnostics"]]


def unknown_arguments(main):
    found = []

    def look(body, known, path):
        for key, value in body.items():
            if key in META and path.count(".") == 1:
                continue
            if key not in known:
                found.append(f"{path}: hashicorp/aws has no argument {key} here")
            elif known[key] is not None:
                for block in listed(value):
                    look(block, known[key], f"{path}.{key}")

    for section in ("resource", "data"):
        for kind, blocks in main.get(section, {}).items():
            for name, body in blocks.items():
                if kind not in ARGUMENTS:
                    found.append(f"{kind}: not a resource that the judge knows")
                else:
                    look(body, ARGUMENTS[kind], f"{kind}.{name}")
    return found


# --- the facts --------------------------------------------------------------------------------------------------
# One description for all sets:
#   thing_type, description, searchable, policy {name, statements}, rules {role: {name, sql, version, action, error}},
#   tables {role: {...}}, log_group {name, days}, roles {role: {trust, statements}}
# A statement is (effect, actions, resources, conditions), each a sorted tuple.

def statement(effect, actions, resources, conditions):
    return {"effect": effect, "actions": sorted(listed(actions)), "resources": sorted(listed(resources)),
            "conditions": sorted(conditions)}


def iam_statements(document, where):
    if document.get("Version") != "2012-10-17":
        raise Broken(f"{where}: Version is not 2012-10-17")
    made = []
    for item in listed(document.get("Statement")):
        unknown = set(item) - {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}
        if unknown:
            raise Broken(f"{where}: {', '.join(unknown)} is no element of a statement")
        conditions = [(test, key, *listed(values)) for test, tests in item.get("Condition", {}).items()
                      for key, values in tests.items()]
        made.append(statement(item["Effect"], item["Action"], item.get("Resource"), conditions)
                    | ({"principal": item["Principal"]} if "Principal" in item else {}))
    return made


def generic(text):
    """An ARN of this deployment without its region and account; log groups with or without the stars at the end."""
    text = re.sub(r"^arn:[a-z-]+:([a-z0-9-]+):([a-z0-9-]*):(\d{12}):",
                  lambda f: f"arn:{PARTITION}:{f[1]}:{REGION}:{ACCOUNT}:", text)
    return text


class Cli:
    """Reads awscli/*.json."""

    def __init__(self, documents):
        self.documents = documents

    def facts(self):
        d = self.documents
        thing_type, policy = d["thing-type.json"], d["policy.json"]
        properties = thing_type.get("thingTypeProperties", {})
        return {
            "thing_type": {"name": thing_type["thingTypeName"], "description": properties.get("thingTypeDescription"),
                           "searchable": properties.get("searchableAttributes", [])},
            "policy": {"name": policy["policyName"], "length": len(re.sub(r"\s", "", policy["policyDocument"])),
                       "statements": self.statements(policy["policyDocument"], "policy.json")},
            "rules": {"valid": self.rule("rule.json"), "invalid": self.rule("invalid-rule.json")},
            "tables": {"valid": self.table("table"), "invalid": self.table("invalid-table")},
            "log_group": {"name": d["log-group.json"]["logGroupName"], "days": d["log-retention.json"]["retentionInDays"]},
            "roles": {"rule": self.role("rule"), "error": self.role("error")},
        }

    def statements(self, text, where):
        made = iam_statements(parse(text, where), where)
        for item in made:
            item["resources"] = sorted(generic(r) for r in item["resources"])
            item["conditions"] = [tuple(ACCOUNT if re.fullmatch(r"\d{12}", v) else generic(v) for v in c) for c in item["conditions"]]
        return made

    def rule(self, name):
        document = self.documents[name]
        payload = document["topicRulePayload"]
        actions = [self.action(action) for action in payload["actions"]]
        return {"name": document["ruleName"], "sql": payload["sql"], "version": payload.get("awsIotSqlVersion"),
                "disabled": payload.get("ruleDisabled", False), "description": payload.get("description"),
                "actions": actions, "error": self.action(payload["errorAction"]) if "errorAction" in payload else None}

    def action(self, action):
        (kind, body), = action.items()
        made = {"kind": kind.lower(), "role": self.role_of(body["roleArn"])}
        if kind == "timestream":
            return made | {"database": body["databaseName"], "table": body["tableName"],
                           "dimensions": [(x["name"], x["value"]) for x in body["dimensions"]],
                           "timestamp": (body["timestamp"]["value"], body["timestamp"]["unit"])}
        if kind == "dynamoDBv2":
            return made | {"table": body["putItem"]["tableName"]}
        if kind == "cloudwatchLogs":
            return made | {"log_group": body["logGroupName"]}
        raise Broken(f"action {kind}: not one that the judge knows")

    def role_of(self, arn):
        for role in ("rule", "error"):
            name = self.documents[f"{role}-role.json"]["RoleName"]
            if re.fullmatch(rf"arn:[a-z-]+:iam::\d{{12}}:role/{re.escape(name)}", arn):
                return role
        return arn

    def table(self, name):
        document = self.documents[f"{name}.json"]
        if "RetentionProperties" in document:
            retention = document["RetentionProperties"]
            return {"store": "timestream", "database": document["DatabaseName"], "name": document["TableName"],
                    "memory_hours": retention["MemoryStoreRetentionPeriodInHours"],
                    "magnetic_days": retention["MagneticStoreRetentionPeriodInDays"],
                    "late": document["MagneticStoreWriteProperties"]["EnableMagneticStoreWrites"], "kept": True}
        ttl, backups = self.documents[f"{name}-ttl.json"], self.documents[f"{name}-backups.json"]
        if {ttl["TableName"], backups["TableName"]} != {document["TableName"]}:
            raise Broken(f"{name}: its ttl and backups name another table")
        return {"store": "dynamodb", "name": document["TableName"],
                "key": [(k["AttributeName"], k["KeyType"]) for k in document["KeySchema"]],
                "types": sorted((a["AttributeName"], a["AttributeType"]) for a in document["AttributeDefinitions"]),
                "billing": document["BillingMode"],
                "ttl": (ttl["TimeToLiveSpecification"]["AttributeName"], ttl["TimeToLiveSpecification"]["Enabled"]),
                "backups": backups["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], "kept": True}

    def role(self, role):
        made, policy = self.documents[f"{role}-role.json"], self.documents[f"{role}-role-policy.json"]
        if made["RoleName"] != policy["RoleName"]:
            raise Broken(f"{role}-role-policy.json is for {policy['RoleName']}, the role is {made['RoleName']}")
        return {"trust": self.statements(made["AssumeRolePolicyDocument"], f"{role}-role.json"),
                "statements": self.statements(policy["PolicyDocument"], f"{role}-role-policy.json")}


class Stack:
    """Reads cloudformation/stack.json of a type: the intrinsic functions become values."""

    def __init__(self, stack):
        self.resources = stack["Resources"]
        self.values = {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": PARTITION}
        for name, parameter in stack.get("Parameters", {}).items():
            self.values[name] = parameter.get("Default")

    def get(self, kind, *, single=True):
        found = [(name, r) for name, r in self.resources.items() if r["Type"] == kind]
        if single and len(found) != 1:
            raise Broken(f"{len(found)} resources of type {kind}, one was expected")
        return found

    def plain(self, value):
        if isinstance(value, list):
            return [self.plain(item) for item in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"Ref"}:
            return self.ref(value["Ref"])
        if set(value) == {"Fn::GetAtt"}:
            return self.attribute(*value["Fn::GetAtt"])
        if set(value) == {"Fn::Sub"}:
            if not isinstance(value["Fn::Sub"], str):
                raise Broken("Fn::Sub with a map: the judge reads the plain form only")
            text = re.sub(r"\$\{(?!!)([^}]+)\}", lambda f: self.ref(f[1]), value["Fn::Sub"])
            return text.replace("${!", "${")
        return {key: self.plain(item) for key, item in value.items()}

    NAMES = {"AWS::DynamoDB::Table": "TableName", "AWS::Logs::LogGroup": "LogGroupName",
             "AWS::IoT::ThingType": "ThingTypeName", "AWS::IoT::Policy": "PolicyName",
             "AWS::IoT::TopicRule": "RuleName"}

    def ref(self, name):
        if name in self.values:
            return self.values[name]
        resource = self.resources[name]
        if resource["Type"] not in self.NAMES:
            raise Broken(f"Ref of a {resource['Type']} is not a name")
        return self.plain(resource["Properties"][self.NAMES[resource["Type"]]])

    def attribute(self, name, attribute):
        resource = self.resources[name]
        kind, properties = resource["Type"], resource["Properties"]
        if attribute != "Arn":
            raise Broken(f"Fn::GetAtt {attribute}: the judge knows Arn only")
        prefix = f"arn:{PARTITION}"
        if kind == "AWS::IAM::Role":
            return self.role_of(name)
        if kind == "AWS::Timestream::Table":
            return f"{prefix}:timestream:{REGION}:{ACCOUNT}:database/{self.plain(properties['DatabaseName'])}/table/{self.plain(properties['TableName'])}"
        if kind == "AWS::DynamoDB::Table":
            return f"{prefix}:dynamodb:{REGION}:{ACCOUNT}:table/{self.plain(properties['TableName'])}"
        if kind == "AWS::Logs::LogGroup":
            return f"{prefix}:logs:{REGION}:{ACCOUNT}:log-group:{self.plain(properties['LogGroupName'])}:*"
        raise Broken(f"Fn::GetAtt of a {kind}")

    @staticmethod
    def role_of(name):
        return {"RuleRole": "rule", "ErrorRole": "error"}.get(name, name)

    def facts(self):
        (_, thing_type), = self.get("AWS::IoT::ThingType")
        (_, policy), = self.get("AWS::IoT::Policy")
        (_, log_group), = self.get("AWS::Logs::LogGroup")
        properties = thing_type["Properties"]["ThingTypeProperties"]
        document = self.plain(policy["Properties"]["PolicyDocument"])
        real = json.dumps(document, separators=(",", ":"))
        for name, longest in ((REGION, "ap-southeast-2"), (ACCOUNT, "0" * 12), (PARTITION, "aws-us-gov")):
            real = real.replace(name, longest)
        tables = {self.role_of_table(name): self.table(r) for kind in ("AWS::Timestream::Table", "AWS::DynamoDB::Table")
                  for name, r in self.get(kind, single=False)}
        rules = {{"Rule": "valid", "InvalidRule": "invalid"}.get(name, name): self.rule(r)
                 for name, r in self.get("AWS::IoT::TopicRule", single=False)}
        roles = {self.role_of(name): self.role(name, r) for name, r in self.get("AWS::IAM::Role", single=False)}
        return {
            "thing_type": {"name": thing_type["Properties"]["ThingTypeName"],
                           "description": properties.get("ThingTypeDescription"),
                           "searchable": properties.get("SearchableAttributes", [])},
            "policy": {"name": policy["Properties"]["PolicyName"], "length": len(re.sub(r"\s", "", real)),
                       "statements": iam_statements(document, "Policy")},
            "rules": rules, "tables": tables, "roles": roles,
            "log_group": {"name": log_group["Properties"]["LogGroupName"], "days": log_group["Properties"]["RetentionInDays"]},
        }

    @staticmethod
    def role_of_table(name):
        return {"Table": "valid", "InvalidTable": "invalid"}.get(name, name)

    def rule(self, resource):
        payload = resource["Properties"]["TopicRulePayload"]
        return {"name": resource["Properties"]["RuleName"], "sql": payload["Sql"], "version": payload.get("AwsIotSqlVersion"),
                "disabled": payload.get("RuleDisabled", False), "description": payload.get("Description"),
                "actions": [self.action(self.plain(action)) for action in payload["Actions"]],
                "error": self.action(self.plain(payload["ErrorAction"])) if "ErrorAction" in payload else None}

    def action(self, action):
        (kind, body), = action.items()
        made = {"kind": kind.lower(), "role": body["RoleArn"]}
        if kind == "Timestream":
            return made | {"database": body["DatabaseName"], "table": body["TableName"],
                           "dimensions": [(x["Name"], x["Value"]) for x in body["Dimensions"]],
                           "timestamp": (body["Timestamp"]["Value"], body["Timestamp"]["Unit"])}
        if kind == "DynamoDBv2":
            return made | {"table": body["PutItem"]["TableName"]}
        if kind == "CloudwatchLogs":
            return made | {"log_group": body["LogGroupName"]}
        raise Broken(f"action {kind}: not one that the judge knows")

    def table(self, resource):
        properties = self.plain(resource["Properties"])
        kept = resource.get("DeletionPolicy") == resource.get("UpdateReplacePolicy") == "Retain"
        if resource["Type"] == "AWS::Timestream::Table":
            retention = properties["RetentionProperties"]
            return {"store": "timestream", "database": properties["DatabaseName"], "name": properties["TableName"],
                    "memory_hours": int(retention["MemoryStoreRetentionPeriodInHours"]),
                    "magnetic_days": int(retention["MagneticStoreRetentionPeriodInDays"]),
                    "late": properties["MagneticStoreWriteProperties"]["EnableMagneticStoreWrites"], "kept": kept}
        ttl = properties["TimeToLiveSpecification"]
        return {"store": "dynamodb", "name": properties["TableName"],
                "key": [(k["AttributeName"], k["KeyType"]) for k in properties["KeySchema"]],
                "types": sorted((a["AttributeName"], a["AttributeType"]) for a in properties["AttributeDefinitions"]),
                "billing": properties["BillingMode"], "ttl": (ttl["AttributeName"], ttl["Enabled"]),
                "backups": properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], "kept": kept}

    def role(self, name, resource):
        properties = self.plain(resource["Properties"])
        if "RoleName" in properties:
            raise Broken(f"{name}: names of roles are left to CloudFormation")
        return {"trust": iam_statements(properties["AssumeRolePolicyDocument"], name),
                "statements": [s for policy in properties["Policies"] for s in iam_statements(policy["PolicyDocument"], name)]}


class Terraform:
    """Reads terraform/main.tf.json of a type: references become values, escapes are undone."""

    def __init__(self, main):
        self.main = main

    def blocks(self, kind, section="resource"):
        return self.main.get(section, {}).get(kind, {})

    def one(self, kind):
        found = list(self.blocks(kind).values())
        if len(found) != 1:
            raise Broken(f"{len(found)} resources of type {kind}, one was expected")
        return found[0]

    def plain(self, value):
        if isinstance(value, list):
            return [self.plain(item) for item in value]
        if isinstance(value, dict):
            return {key: self.plain(item) for key, item in value.items()}
        if not isinstance(value, str):
            return value
        return re.sub(r"\$\$\{|%%\{|\$\{([^}]*)\}",
                      lambda f: self.reference(f[1]) if f[1] is not None else f[0][1:], value)

    def reference(self, text):
        text = text.strip()
        if text.startswith("var."):
            return self.main["variable"][text[4:]]["default"]
        fixed = {"data.aws_partition.current.partition": PARTITION, "data.aws_region.current.id": REGION,
                 "data.aws_caller_identity.current.account_id": ACCOUNT}
        if text in fixed:
            return fixed[text]
        kind, name, attribute = text.split(".")
        body = self.blocks(kind)[name]
        if attribute in ("name", "table_name", "database_name"):
            return self.plain(body[attribute])
        if attribute != "arn":
            raise Broken(f"{text}: the judge does not know this attribute")
        prefix = f"arn:{PARTITION}"
        if kind == "aws_iam_role":
            return self.role_of(name)
        if kind == "aws_timestreamwrite_table":
            return f"{prefix}:timestream:{REGION}:{ACCOUNT}:database/{self.plain(body['database_name'])}/table/{self.plain(body['table_name'])}"
        if kind == "aws_dynamodb_table":
            return f"{prefix}:dynamodb:{REGION}:{ACCOUNT}:table/{self.plain(body['name'])}"
        if kind == "aws_cloudwatch_log_group":
            return f"{prefix}:logs:{REGION}:{ACCOUNT}:log-group:{self.plain(body['name'])}"
        raise Broken(f"{text}: the judge does not know the ARN of this")

    @staticmethod
    def role_of(name):
        return "error" if name.endswith("_error") else "rule" if name.endswith("_rule") else name

    def document(self, reference):
        found = re.fullmatch(r"\$\{data\.aws_iam_policy_document\.([a-z0-9_]+)\.json\}", reference)
        if not found:
            raise Broken(f"{reference}: not a policy document of this file")
        made = []
        for item in self.plain(self.blocks("aws_iam_policy_document", "data")[found[1]]["statement"]):
            conditions = [(c["test"], c["variable"], *c["values"]) for c in item.get("condition", [])]
            entry = statement(item.get("effect", "Allow"), item["actions"], item.get("resources"), conditions)
            for principal in item.get("principals", []):
                entry["principal"] = {principal["type"]: principal["identifiers"]}
            made.append(entry)
        return made

    def facts(self):
        thing_type, policy, log_group = (self.one(k) for k in ("aws_iot_thing_type", "aws_iot_policy", "aws_cloudwatch_log_group"))
        properties = thing_type["properties"]
        tables = {}
        for kind in ("aws_timestreamwrite_table", "aws_dynamodb_table"):
            for name, body in self.blocks(kind).items():
                tables["invalid" if name.endswith("_invalid") else "valid"] = self.table(kind, body)
        return {
            "thing_type": self.plain({"name": thing_type["name"], "description": properties.get("description"),
                                      "searchable": properties.get("searchable_attributes", [])}),
            "policy": {"name": self.plain(policy["name"]), "length": None, "statements": self.document(policy["policy"])},
            "rules": {"invalid" if name.endswith("_invalid") else "valid": self.rule(name, body)
                      for name, body in self.blocks("aws_iot_topic_rule").items()},
            "tables": tables,
            "log_group": {"name": self.plain(log_group["name"]), "days": log_group["retention_in_days"]},
            "roles": {self.role_of(name): self.role(name, body) for name, body in self.blocks("aws_iam_role").items()},
        }

    def rule(self, label, body):
        needed = {f"aws_iam_role_policy.{name}" for name in self.blocks("aws_iam_role_policy")}
        if not needed <= set(body.get("depends_on", [])):
            raise Broken(f"aws_iot_topic_rule.{label} may be made before its roles may do anything: depends_on is not complete")
        plain = self.plain({k: v for k, v in body.items() if k != "depends_on"})
        actions = [self.action(kind, a) for kind in ("timestream", "dynamodbv2") for a in listed(plain.get(kind))]
        error = plain.get("error_action")
        return {"name": plain["name"], "sql": plain["sql"], "version": plain.get("sql_version"),
                "disabled": not plain["enabled"], "description": plain.get("description"), "actions": actions,
                "error": self.action(*next(iter(error.items()))) if error else None}

    @staticmethod
    def action(kind, body):
        made = {"kind": kind.replace("_", ""), "role": body["role_arn"]}
        if kind == "timestream":
            return made | {"database": body["database_name"], "table": body["table_name"],
                           "dimensions": [(x["name"], x["value"]) for x in body["dimension"]],
                           "timestamp": (body["timestamp"]["value"], body["timestamp"]["unit"])}
        if kind == "dynamodbv2":
            return made | {"table": body["put_item"]["table_name"]}
        return made | {"log_group": body["log_group_name"]}

    def table(self, kind, body):
        kept = body.get("lifecycle", {}).get("prevent_destroy") is True
        body = self.plain(body)
        if kind == "aws_timestreamwrite_table":
            retention = body["retention_properties"]
            return {"store": "timestream", "database": body["database_name"], "name": body["table_name"],
                    "memory_hours": retention["memory_store_retention_period_in_hours"],
                    "magnetic_days": retention["magnetic_store_retention_period_in_days"],
                    "late": body["magnetic_store_write_properties"]["enable_magnetic_store_writes"], "kept": kept}
        return {"store": "dynamodb", "name": body["name"],
                "key": [(body["hash_key"], "HASH"), (body["range_key"], "RANGE")],
                "types": sorted((a["name"], a["type"]) for a in body["attribute"]), "billing": body["billing_mode"],
                "ttl": (body["ttl"]["attribute_name"], body["ttl"]["enabled"]),
                "backups": body["point_in_time_recovery"]["enabled"], "kept": kept}

    def role(self, name, body):
        policies = [p for p in self.blocks("aws_iam_role_policy").values()
                    if p["role"] in (f"${{aws_iam_role.{name}.name}}", f"${{aws_iam_role.{name}.id}}")]
        return {"trust": self.document(body["assume_role_policy"]),
                "statements": [s for p in policies for s in self.document(p["policy"])]}


# --- the rules of the house -------------------------------------------------------------------------------------

def house_rules(facts):
    """artifacts.md, as checks on the facts of one set."""
    wrong = []

    def must(true, text):
        if not true:
            wrong.append(text)

    name = facts["thing_type"]["name"]
    must(re.fullmatch(r"[a-z][a-z0-9_]{1,47}", name), f"thing type {name!r} is no type name")
    must(len(facts["thing_type"]["searchable"]) <= 3, "more than three searchable attributes")
    must(facts["log_group"]["days"] in RETENTION_DAYS, f"CloudWatch has no retention of {facts['log_group']['days']} days")

    policy = facts["policy"]
    must(policy["name"] == name, f"the policy is called {policy['name']}, the type {name}")
    must(policy["length"] is None or policy["length"] < 2048, f"the policy has {policy['length']} characters")
    allowed = {"iot:Connect": {f"client/{THING}"}, "iot:Publish": {f"topic/{name}/{THING}"},
               "iot:Subscribe": {f"topicfilter/{name}/{THING}/command"}, "iot:Receive": {f"topic/{name}/{THING}/command"}}
    seen = set()
    for item in policy["statements"]:
        must(item["effect"] == "Allow", "the policy denies something")
        for action in item["actions"]:
            seen.add(action)
            for resource in item["resources"]:
                tail = resource.removeprefix(f"arn:{PARTITION}:iot:{REGION}:{ACCOUNT}:")
                must(tail in allowed.get(action, ()), f"the policy allows {action} on {resource}")
        if "iot:Connect" in item["actions"]:
            must(("Bool", "iot:Connection.Thing.IsAttached", "true") in item["conditions"],
                 "iot:Connect without the condition that the certificate is attached to the thing")
    must({"iot:Connect", "iot:Publish"} <= seen, "the policy does not let a thing connect and publish")
    must(("iot:Subscribe" in seen) == ("iot:Receive" in seen), "subscribe and receive go together")

    must(set(facts["rules"]) == {"valid", "invalid"}, f"rules: {sorted(facts['rules'])}")
    must(set(facts["tables"]) == {"valid", "invalid"}, f"tables: {sorted(facts['tables'])}")
    must(set(facts["roles"]) == {"rule", "error"}, f"roles: {sorted(facts['roles'])}")
    if wrong:
        return wrong

    writes = set()
    for role, rule in facts["rules"].items():
        must(rule["name"] == f"{name}_{role}", f"the {role} rule is called {rule['name']}")
        must(re.fullmatch(r"[A-Za-z0-9_]{1,128}", rule["name"]), f"{rule['name']} is no rule name")
        must(re.match(rf"(?s)SELECT\s.+\sFROM '{name}/\+' WHERE\s.+", rule["sql"]), f"the {role} rule's SQL: {rule['sql']!r}")
        must(rule["version"] in ("2015-10-08", "2016-03-23"), f"SQL version {rule['version']!r}")
        must(not rule["disabled"], f"the {role} rule is disabled")
        must(len(rule["actions"]) == 1, f"the {role} rule has {len(rule['actions'])} actions")
        error = rule["error"]
        must(error and error["kind"] == "cloudwatchlogs" and error["role"] == "error"
             and error["log_group"] == facts["log_group"]["name"],
             f"the {role} rule has no error action to the type's log group through its own role")
        for action in rule["actions"]:
            must(action["role"] == "rule", f"the {role} rule acts as {action['role']}")
            table = facts["tables"][role]
            must(action["table"] == table["name"], f"the {role} rule writes to {action['table']}, the table is {table['name']}")
            must(action["kind"] == {"timestream": "timestream", "dynamodb": "dynamodbv2"}[table["store"]],
                 f"the {role} rule's action is {action['kind']}, its table is in {table['store']}")
            if action["kind"] == "timestream":
                must(action["database"] == table["database"], f"the {role} rule writes into database {action['database']}")
                wrong.extend(dimensions(action["dimensions"]))
                must(action["timestamp"][1] == "MILLISECONDS" and re.fullmatch(r"\$\{.+\}", action["timestamp"][0]),
                     f"timestamp {action['timestamp']}")
                writes.add(("timestream:WriteRecords",
                            f"arn:{PARTITION}:timestream:{REGION}:{ACCOUNT}:database/{table['database']}/table/{table['name']}"))
                writes.add(("timestream:DescribeEndpoints", "*"))
            else:
                writes.add(("dynamodb:PutItem", f"arn:{PARTITION}:dynamodb:{REGION}:{ACCOUNT}:table/{table['name']}"))
                # A DynamoDBv2 action takes its keys from what the statement selects.
                for column in ("thing", "time", "expires") + (("id",) if role == "invalid" else ()):
                    must(re.search(rf"\bAS {column}\b", rule["sql"], re.I), f"the {role} rule does not select {column}")
    must(facts["rules"]["valid"]["sql"] != facts["rules"]["invalid"]["sql"], "both rules have the same SQL")
    must(facts["tables"]["invalid"]["store"] == "dynamodb", "the invalid readings have no DynamoDB table")

    for role, table in facts["tables"].items():
        must(table["kept"], f"the {role} table is deleted with its stack")
        if table["store"] == "timestream":
            must(re.fullmatch(r"[A-Za-z0-9_.-]{3,256}", table["name"]), f"{table['name']} is no Timestream name")
            must(1 <= table["memory_hours"] <= 8766, f"memory retention of {table['memory_hours']} hours")
            must(1 <= table["magnetic_days"] <= 73000, f"magnetic retention of {table['magnetic_days']} days")
        else:
            must(re.fullmatch(r"[A-Za-z0-9_.-]{3,255}", table["name"]), f"{table['name']} is no DynamoDB name")
            # Several invalid readings of a thing may come in one millisecond; PutItem would keep the last one.
            sort, kind = ("id", "S") if role == "invalid" else ("time", "N")
            must(table["key"] == [("thing", "HASH"), (sort, "RANGE")], f"the {role} table's key is {table['key']}")
            must(table["types"] == sorted([("thing", "S"), (sort, kind)]), f"the {role} table's key has types {table['types']}")
            must(table["billing"] == "PAY_PER_REQUEST", f"the {role} table is billed {table['billing']}")
            must(table["ttl"] == ("expires", True), f"the {role} table's time to live is {table['ttl']}")
            must(table["backups"] is True, f"the {role} table has no point-in-time recovery")

    group = f"arn:{PARTITION}:logs:{REGION}:{ACCOUNT}:log-group:{facts['log_group']['name']}:*"
    logs = {(action, group) for action in ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")}
    for role, expected in (("rule", writes), ("error", logs)):
        may = {(a, r) for s in facts["roles"][role]["statements"] for a in s["actions"] for r in s["resources"]}
        for action, resource in sorted(may - expected):
            wrong.append(f"role {role} may {action} on {resource}, which it has no need to")
        for action, resource in sorted(expected - may):
            wrong.append(f"role {role} may not {action} on {resource}, which it must")
        for item in facts["roles"][role]["trust"]:
            must(item["actions"] == ["sts:AssumeRole"] and item.get("principal") == {"Service": ["iot.amazonaws.com"]},
                 f"role {role} trusts {item.get('principal')} with {item['actions']}")
            must(("StringEquals", "aws:SourceAccount", ACCOUNT) in item["conditions"],
                 f"role {role} can be assumed on behalf of any account: no aws:SourceAccount")
            rules = tuple(f"arn:{PARTITION}:iot:{REGION}:{ACCOUNT}:rule/{facts['rules'][kind]['name']}" for kind in ("valid", "invalid"))
            must(("ArnLike", "aws:SourceArn", *rules) in item["conditions"],
                 f"role {role} can be assumed for other rules, or not for both of the type: aws:SourceArn")
    return wrong


def dimensions(pairs):
    wrong = []
    names = [name for name, _ in pairs]
    if ("thing", "${topic(2)}") not in pairs:
        wrong.append("no dimension thing with ${topic(2)}")
    if len(set(names)) != len(names):
        wrong.append(f"a dimension twice: {names}")
    for name, value in pairs:
        if name in ("measure_name", "measure_value", "time") or name.startswith(("ts_", "measure_value")) \
                or ":" in name or not 1 <= len(name.encode()) <= 60:
            wrong.append(f"Timestream takes no dimension called {name!r}")
        if not isinstance(value, str) or not value:
            wrong.append(f"dimension {name} has the value {value!r}")
    return wrong


def differences(one, other, path=""):
    if isinstance(one, dict) and isinstance(other, dict):
        return [text for key in sorted(set(one) | set(other))
                for text in differences(one.get(key), other.get(key), f"{path}.{key}" if path else key)]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [text for i, (a, b) in enumerate(zip(one, other)) for text in differences(a, b, f"{path}[{i}]")]
    if path == "policy.length" or one == other:
        return []
    return [f"{path}: {one!r} against {other!r}"]


# --- the walk ---------------------------------------------------------------------------------------------------

def guarded(judge, *arguments):
    """A document with a part missing is a finding, not a crash of the judge."""
    try:
        return judge(*arguments)
    except Broken as error:
        return [str(error)]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, StopIteration) as error:
        return [f"not of the expected shape: {type(error).__name__} {error}"]


def judge_group(tap, group, root):
    """group: a folder with some of cloudformation/, terraform/, awscli/ in it."""
    title = os.path.relpath(group, root) if group != root else group.name
    readers = {}

    stack_path = group / "cloudformation" / "stack.json"
    if stack_path.exists():
        tap.say(f"{title}: cfn-lint", cfn_lint(stack_path))
        try:
            stack = parse(stack_path.read_text(encoding="utf-8"), "stack.json")
            if any(r.get("Type") == "AWS::IoT::TopicRule" for r in stack.get("Resources", {}).values()):
                readers["cloudformation"] = Stack(stack)
            else:
                kept = [n for n, r in stack["Resources"].items() if r.get("DeletionPolicy") != "Retain" or r.get("UpdateReplacePolicy") != "Retain"]
                tap.say(f"{title}: the database outlives its stack", [f"{n} is deleted" for n in kept])
        except (Broken, KeyError, AttributeError, TypeError) as error:
            tap.say(f"{title}: stack.json is read", [repr(error)])

    main_path = group / "terraform" / "main.tf.json"
    if main_path.exists():
        try:
            main = parse(main_path.read_text(encoding="utf-8"), "main.tf.json")
            tap.say(f"{title}: terraform arguments", guarded(unknown_arguments, main))
            if shutil.which("terraform"):
                tap.say(f"{title}: terraform validate", guarded(terraform_reads, main_path, main))
            else:
                tap.skip(f"{title}: terraform validate", "no terraform here")
            if "aws_iot_topic_rule" in main.get("resource", {}):
                readers["terraform"] = Terraform(main)
            else:
                blocks = [b for kind in main.get("resource", {}).values() for b in kind.values()]
                tap.say(f"{title}: terraform keeps the database",
                        [] if all(b.get("lifecycle", {}).get("prevent_destroy") is True for b in blocks) else ["no prevent_destroy"])
        except (Broken, AttributeError, TypeError) as error:
            tap.say(f"{title}: main.tf.json is read", [repr(error)])

    if (group / "awscli").is_dir():
        documents, wrong = {}, []
        for path in sorted((group / "awscli").iterdir()):
            try:
                documents[path.name] = parse(path.read_text(encoding="utf-8"), path.name)
            except Broken as error:
                wrong.append(str(error))
                continue
            wrong += guarded(judge_cli, path.name, documents[path.name])
        tap.say(f"{title}: awscli against botocore, {len(documents)} documents", wrong)
        if "database.json" not in documents:
            missing = ALWAYS - set(documents)
            if not wrong and missing:
                tap.say(f"{title}: awscli is complete", [f"missing: {', '.join(sorted(missing))}"])
            else:
                readers["awscli"] = Cli(documents)

    facts = {}
    for name, reader in readers.items():
        problems = []
        try:
            facts[name] = reader.facts()
        except Broken as error:
            problems = [str(error)]
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            problems = [f"not of the expected shape: {type(error).__name__} {error}"]
        tap.say(f"{title}: {name} keeps the house's rules", problems or guarded(house_rules, facts[name]))
    names = list(facts)
    for other in names[1:]:
        tap.say(f"{title}: {names[0]} and {other} say the same", differences(facts[names[0]], facts[other]))


def judge(roots, out=sys.stdout):
    tap = Tap(out)
    for root in map(Path, roots):
        groups = sorted({path.parent for kind in ("cloudformation", "terraform", "awscli")
                         for path in [root / kind, *root.rglob(kind)] if path.is_dir()})
        if not groups:
            tap.say(f"{root}: something to judge", ["no folder cloudformation, terraform or awscli below it"])
        for group in groups:
            judge_group(tap, group, root)
    tap.end()
    return tap


def main(arguments):
    if not arguments or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr if arguments != ["--help"] else sys.stdout)
        return 0 if arguments == ["--help"] else 2
    return 1 if judge(arguments).failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
