#!/usr/bin/env python3
"""Shows that judge_artifacts.py can fail.

    selftest.py DIR

DIR holds at least one generated type with all three sets, as judge_artifacts.py takes it. Each case breaks one
document of a copy in one way; the judge must say `not ok` and name the reason. Prints TAP.
"""

import io
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

import judge_artifacts

STACK, MAIN = "cloudformation/stack.json", "terraform/main.tf.json"
CASES = []


def breaks(file, reason):
    """Registers a case: the function changes the parsed document (or returns the text to write in its place)."""
    def register(function):
        CASES.append((function.__name__.replace("_", " "), file, reason, function))
        return function
    return register


def resource(stack, kind):
    return next(r for r in stack["Resources"].values() if r["Type"] == kind)


def nested(document, key, change):
    inner = json.loads(document[key])
    change(inner)
    document[key] = json.dumps(inner)


@breaks(STACK, "E3002")
def a_property_that_cloudformation_does_not_have(d):
    resource(d, "AWS::Logs::LogGroup")["Properties"]["Retention"] = 30


@breaks(STACK, "W2001")
def a_warning_of_cfn_lint(d):
    d["Parameters"]["Unused"] = {"Type": "String", "Default": "x"}


@breaks(STACK, "is deleted with its stack")
def a_table_that_goes_with_its_stack(d):
    resource(d, "AWS::DynamoDB::Table")["DeletionPolicy"] = "Delete"


@breaks(STACK, "names of roles are left to CloudFormation")
def a_named_role(d):
    resource(d, "AWS::IAM::Role")["Properties"]["RoleName"] = "mine"


@breaks(STACK, "no aws:SourceAccount")
def a_role_for_any_account(d):
    role = resource(d, "AWS::IAM::Role")
    del role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]


@breaks(STACK, "role rule can be assumed for other rules")
def a_role_for_any_rule(d):
    role = resource(d, "AWS::IAM::Role")
    del role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["ArnLike"]


@breaks(STACK, "without the condition that the certificate is attached")
def a_certificate_that_is_attached_to_nothing(d):
    for item in resource(d, "AWS::IoT::Policy")["Properties"]["PolicyDocument"]["Statement"]:
        item.pop("Condition", None)


@breaks(STACK, "sql: ")
def sql_that_differs_between_the_sets(d):
    resource(d, "AWS::IoT::TopicRule")["Properties"]["TopicRulePayload"]["Sql"] += " AND 1 = 1"


@breaks(MAIN, "terraform: ")
def an_expression_that_does_not_end(d):
    d["output"]["log_group_name"]["value"] = "${var.database_name"


@breaks(MAIN, "terraform: Reference to undeclared")
def a_reference_to_nothing(d):
    d["output"]["log_group_name"]["value"] = "${aws_cloudwatch_log_group.nobody.name}"


@breaks(MAIN, "terraform: ")
def a_variable_of_a_policy_that_is_not_escaped(d):
    name = next(n for n in d["data"]["aws_iam_policy_document"] if not re.search("_(trust|rule|error)$", n))
    for item in d["data"]["aws_iam_policy_document"][name]["statement"]:
        item["resources"] = [r.replace("$${", "${") for r in item["resources"]]


@breaks(MAIN, "has no argument retention_days")
def an_argument_that_the_provider_does_not_have(d):
    for body in d["resource"]["aws_cloudwatch_log_group"].values():
        body["retention_days"] = body.pop("retention_in_days")


@breaks(MAIN, "depends_on is not complete")
def a_rule_before_its_role(d):
    for body in d["resource"]["aws_iot_topic_rule"].values():
        del body["depends_on"]


@breaks(MAIN, "log_group.days")
def another_retention_of_the_log(d):
    for body in d["resource"]["aws_cloudwatch_log_group"].values():
        body["retention_in_days"] = 365


@breaks("awscli/rule.json", "does not match ^[a-zA-Z0-9_]+$")
def a_hyphen_in_a_rule_name(d):
    d["ruleName"] = d["ruleName"].replace("_", "-")


@breaks("awscli/rule.json", "Unknown parameter")
def a_key_that_the_command_does_not_take(d):
    d["topicRulePayload"]["enabled"] = True


@breaks("awscli/rule.json", "no error action")
def a_rule_without_an_error_action(d):
    del d["topicRulePayload"]["errorAction"]


@breaks("awscli/rule.json", "SQL: ''")
def a_rule_without_sql(d):
    d["topicRulePayload"]["sql"] = ""


@breaks("awscli/log-retention.json", "Invalid type for parameter retentionInDays")
def a_number_as_a_string(d):
    d["retentionInDays"] = str(d["retentionInDays"])


@breaks("awscli/invalid-table-ttl.json", "name another table")
def a_time_to_live_of_another_table(d):
    d["TableName"] += "-other"


@breaks("awscli/invalid-table.json", "is none of")
def a_billing_mode_that_is_none(d):
    d["BillingMode"] = "FREE"


@breaks("awscli/policy.json", "the policy allows iot:Publish on *")
def a_policy_for_everything(d):
    nested(d, "policyDocument", lambda p: p["Statement"].append({"Effect": "Allow", "Action": "iot:Publish", "Resource": "*"}))


@breaks("awscli/policy.json", "characters")
def a_policy_that_is_too_long(d):
    def grow(policy):
        policy["Statement"][0]["Sid"] = "x" * 2048
    nested(d, "policyDocument", grow)


@breaks("awscli/policy.json", "policy.json: ")
def a_policy_that_is_no_json(d):
    d["policyDocument"] = d["policyDocument"][:-1]


@breaks("awscli/rule-role-policy.json", "which it has no need to")
def a_role_for_every_table(d):
    def widen(policy):
        policy["Statement"][-1]["Resource"] = ["*"]
    nested(d, "PolicyDocument", widen)


@breaks("awscli/thing-type.json", "the same key twice")
def a_key_twice(d):
    return json.dumps(d).replace("{", '{"thingTypeName": "x", ', 1)


@breaks("awscli/error-role.json", "missing: error-role.json")
def a_file_that_is_missing(_):
    return None


@breaks("awscli/invalid-table.json", "the invalid table's key is")
def invalid_readings_that_overwrite_each_other(d):
    d["KeySchema"][1]["AttributeName"] = d["AttributeDefinitions"][1]["AttributeName"] = "time"
    d["AttributeDefinitions"][1]["AttributeType"] = "N"
    return d


@breaks("awscli/rule.json", "Timestream takes no dimension called 'time'")
def a_dimension_with_a_reserved_name(d):
    action = d["topicRulePayload"]["actions"][0]
    if "timestream" not in action:
        return NotImplemented
    action["timestream"]["dimensions"].append({"name": "time", "value": "x"})
    return d


def complete(root):
    """The first type below root that has all sets, of each store that is there."""
    found = {}
    for stack in sorted(root.rglob(STACK)):
        group = stack.parent.parent
        if (group / MAIN).exists() and (group / "awscli" / "rule.json").exists():
            found.setdefault("Timestream" if "AWS::Timestream::Table" in stack.read_text() else "DynamoDB", group)
    return list(found.values())


def judged(folder):
    out = io.StringIO()
    return judge_artifacts.judge([folder], out), out.getvalue()


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    groups = complete(Path(arguments[0]))
    if not groups:
        print(f"Bail out! no type with all three sets below {arguments[0]}")
        return 1
    tap = judge_artifacts.Tap()
    with tempfile.TemporaryDirectory() as place:
        for group in groups:
            verdict, said = judged(group)
            tap.say(f"{group.name} as it is, is ok", [said] if verdict.failed else [])
        for title, file, reason, change in CASES:
            if reason.startswith("terraform: ") and not shutil.which("terraform"):
                tap.skip(f"{title} is found", "no terraform here")
                continue
            for group in groups:
                copy = Path(place) / "broken"
                shutil.rmtree(copy, ignore_errors=True)
                shutil.copytree(group, copy)
                document = json.loads((copy / file).read_text())
                before = json.dumps(document)
                answer = change(document)
                if answer is NotImplemented:
                    continue
                if answer is None and json.dumps(document) == before:
                    (copy / file).unlink()
                else:
                    (copy / file).write_text(answer if isinstance(answer, str) else json.dumps(document))
                verdict, said = judged(copy)
                problems = [] if verdict.failed and reason in said else [f"expected a failure with: {reason}", said]
                tap.say(f"{title} is found", problems)
                break
        verdict, said = judged(Path(place) / "broken" / "awscli" / "nothing")
        tap.say("a folder with nothing in it is not ok", [] if verdict.failed else [said])
    tap.end()
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
