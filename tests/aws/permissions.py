#!/usr/bin/env python3
"""permissions.py: whether docs/operator-policy.json is enough, and no more than that.

Enough: all commands run as a user of the mock's IAM who has this policy and nothing else, with moto's enforcement on (it
checks actions, not resources and conditions). No more: without any action that was used, the command that used it says so and
names the action. The actions that no call of ours uses are those that CloudFormation uses in the operator's name: those are compared
with what its schemas say, because no mock makes these calls."""

import json
import shutil
import sys

import judge
from lab import KEY_ID, REPO, SECRET, Lab, expect, run_tests, same, test
from proxy import Connection, Fault, denial

POLICY = REPO / "docs/operator-policy.json"
# What a plan that was only shown leaves behind is tidied up without a word: the next plan, or deploy, does it.
QUIET = {("diff", f"cloudformation:{name}") for name in ("DeleteChangeSet", "ListChangeSets", "DeleteStack")}
FREE = {"sts:GetCallerIdentity"}  # "No permissions are required to perform this operation" (STS API reference)
CREATE = ["create", "kitchen", "--type", "esp32air"]
STORY = [["doctor"], ["diff"], ["deploy", "--all", "--yes", "--logging"], ["diff"], CREATE, ["list"], ["show", "kitchen"], ["rotate", "kitchen"], ["package", "kitchen", "--set", "zone=2"],
         ["create", "--from", "things.csv"], ["doctor"], ["delete", "kitchen", "a", "b"], ["destroy", "esp32air", "--confirm", "esp32air"], ["destroy", "esp32air", "--data", "--confirm", "esp32air"],
         ["destroy", "system", "--data", "--confirm", "system"]]


def actions(policy):
    found = set()
    for statement in policy["Statement"]:
        same("Allow", statement["Effect"], "Effect")
        found |= {statement["Action"]} if isinstance(statement["Action"], str) else set(statement["Action"])
    return found


def action(call):
    return judge.action(call["service"], call["operation"])


def begin(lab, store="timestream"):
    lab.mock.reset()
    project = lab.fresh_project(types=("esp32air",), store=store)
    (project / "things.csv").write_text("name,type,zone\na,esp32air,1\nb,esp32air,1\n")
    lab.proxy.keys = {KEY_ID: (SECRET, None)}
    lab.proxy.begin()


def enforce(lab, calls):
    """moto checks policies after so many calls."""
    lab.mock.post("reset-auth", str(calls))


@test("it is a policy: actions that exist, none twice, no wildcards, small enough for one managed policy")
def form(_):
    policy = json.loads(POLICY.read_text(encoding="utf-8"))
    listed = [a for s in policy["Statement"] for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])]
    same(sorted(set(listed)), sorted(listed), "actions, each once")
    expect(not [a for a in listed if "*" in a], "an action has a wildcard")
    size = len("".join(POLICY.read_text(encoding="utf-8").split()))
    expect(size <= 6144, f"{size} characters; a managed policy has at most 6,144 (IAM user guide, quotas)")
    operations = {judge.action(name, operation) for name in judge.MODELS.values() for operation in judge.model(name).operation_names}
    # Permissions without an API operation of the same name (service authorization reference).
    without = {"iam:PassRole", "cloudformation:TagResource"}
    # KMS, which only Timestream calls ("AmazonTimestreamFullAccess", AWS managed policy reference).
    others = {"kms:DescribeKey", "kms:CreateGrant"}
    unknown = [a for a in listed if a not in without | others | operations]
    same([], unknown, "actions that are no operation")


@test("it is enough for every command, by moto's enforcement, with either store")
def enough(lab):
    for store in ("timestream", "dynamodb"):
        begin(lab, store)
        iam = lab.client("iam")
        iam.create_user(UserName="operator")
        iam.put_user_policy(UserName="operator", PolicyName="operator", PolicyDocument=POLICY.read_text(encoding="utf-8"))
        key = iam.create_access_key(UserName="operator")["AccessKey"]
        lab.proxy.keys = {key["AccessKeyId"]: (key["SecretAccessKey"], None)}
        me = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        try:
            enforce(lab, 0)
            ran = lab.run("create", "x", "--type", "esp32air", **{**me, "AWS_ACCESS_KEY_ID": "AKIANOBODY"})
            expect(ran.code == 3, lambda: f"moto does not enforce: {ran}")
            lab.proxy.begin()
            for words in STORY if store == "timestream" else [w for w in STORY if w[1:2] != ["system"]]:
                ran = lab.run(*words, **me)
                expect(ran.code == 0, lambda: f"{ran}\nproblems: {lab.proxy.problems()}")
                denied = [action(c) for c in lab.proxy.calls if c["status"] == 403]
                expect(not denied, lambda: f"{words}: denied: {denied}")
        finally:
            enforce(lab, "inf")
        lab.no_problems()


class Denying:
    """The proxy as IAM: refuses what is not among the allowed actions."""

    def __init__(self, lab, allowed):
        self.lab, self.allowed = lab, allowed

    def __enter__(self):
        plain, allowed = Connection.forward, self.allowed
        self.plain = plain
        proxy = self.lab.proxy

        def forward(connection, request):
            verdict = judge.judge(request, proxy.keys, proxy.regions)
            asked = judge.action(verdict.service, verdict.operation)
            if asked not in allowed and asked not in FREE:
                return denial(judge.model(verdict.service).protocol, {"service": verdict.service, "operation": verdict.operation})
            return plain(connection, request)
        Connection.forward = forward

    def __exit__(self, *_):
        Connection.forward = self.plain


@test("each action that a command uses is needed: without it the command says AccessDenied, and names it")
def needed(lab):
    listed, used, wrong = actions(json.loads(POLICY.read_text(encoding="utf-8"))), set(), []
    begin(lab)
    for words in STORY:
        lab.mock.save("before")
        before = lab.folder / "before"
        copy_tree(lab.project, before)
        lab.proxy.begin()
        lab.works(*words)
        mine = {action(c) for c in lab.proxy.calls} - FREE
        after = lab.folder / "after"
        copy_tree(lab.project, after)
        missing = mine - listed
        expect(not missing, lambda: f"{words} uses what the policy does not allow: {sorted(missing)}")
        lab.mock.save("after")
        # The doctor asks IAM what is allowed, below; whether a service answers at all is all that its other calls shall tell.
        for one in sorted(mine - used) if words[0] != "doctor" else ():
            if (words[0], one) in QUIET:
                continue
            lab.mock.restore("before")
            copy_tree(before, lab.project)
            with Denying(lab, listed - {one}):
                ran = lab.run(*words)
            said = ran.out + ran.err
            if one not in said or "AccessDenied" not in said and "not authorized" not in said and "not allowed" not in said:
                wrong.append(f"{words} without {one}: {ran}")
            elif ran.code != 3:
                wrong.append(f"{words} without {one}: exit {ran.code}")
        used |= mine if words[0] != "doctor" else set()
        lab.mock.restore("after")
        copy_tree(after, lab.project)
    print(f"# {len(used)} actions used of {len(listed)}", flush=True)
    expect(not wrong, lambda: "\n".join(wrong[:8] + [f"{len(wrong)} went wrong:"] + [w.splitlines()[0] for w in wrong]))


def operator(lab, document, name="operator"):
    """A user with this policy; the environment that makes it the caller."""
    iam = lab.client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="operator", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    lab.proxy.keys = {key["AccessKeyId"]: (key["SecretAccessKey"], None)}
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def findings(lab, me, code=0):
    ran = lab.run("doctor", "--json", **me)
    expect(ran.code == code, str(ran))
    return [(f["health"], f["text"]) for f in ran.json()["findings"] if f["what"] == "permissions"]


@test("the doctor names what a user may not: what things need is ill, what deploying needs is doubtful")
def doctor(lab):
    policy = json.loads(POLICY.read_text(encoding="utf-8"))
    for without, code, healths in (("iot:CreateThing", 3, ["ill", "well"]), ("iam:PassRole", 0, ["well", "doubtful"]),
                                   ("kms:CreateGrant", 0, ["well", "doubtful"]), (sorted(actions(policy))[-1], 0, ["well", "doubtful"])):
        begin(lab)
        less = {"Version": "2012-10-17", "Statement": [{**s, "Action": [a for a in s["Action"] if a != without]} for s in policy["Statement"]
                                                       if s["Action"] != [without]]}
        found = findings(lab, operator(lab, less), code)
        same(healths, [health for health, _ in found], f"without {without}")
        expect(any(text.endswith(f"for want of: {without}") for _, text in found), lambda: str(found))
    begin(lab)
    found = findings(lab, operator(lab, policy))
    same(["well", "well"], [health for health, _ in found], "with the whole policy")


@test("the doctor asks IAM about this project's own resources, for the store in use, all of the policy once, by pages")
def scopes(lab):
    policy = json.loads(POLICY.read_text(encoding="utf-8"))
    for store in ("timestream", "dynamodb"):
        begin(lab, store)
        here = "eu-west-1:123456789012"
        narrow = {"iot": f"arn:aws:iot:{here}:*", "cloudformation": f"arn:aws:cloudformation:{here}:stack/home-*", "kms": f"arn:aws:kms:{here}:key/*",
                  "timestream": f"arn:aws:timestream:{here}:database/iot*", "dynamodb": f"arn:aws:dynamodb:{here}:table/iot-*",
                  "logs": f"arn:aws:logs:{here}:log-group:/sensorforge/home/*", "iam": "arn:aws:iam::123456789012:role/home-*"}
        # Their actions have no resource: they are allowed of all, or not at all.
        whole = ("FindOutWhere", "Lists", "Doctor")
        statements = [{**s, "Sid": f"{s['Sid']}{n}", "Action": [a], "Resource": "*" if s["Sid"] in whole else narrow[a.split(":")[0]]}
                      for s in policy["Statement"] for n, a in enumerate(s["Action"])]
        me = operator(lab, {"Version": "2012-10-17", "Statement": statements})
        lab.proxy.begin()
        same([("well", "well")], [tuple(h for h, _ in findings(lab, me))], f"narrowed to the project, {store}")
        calls = [c["parameters"] for c in lab.proxy.calls if c["operation"] == "SimulatePrincipalPolicy"]
        asked = [a for c in calls if not c.get("Marker") for a in c["ActionNames"]]
        wanted = {a for a in actions(policy) if store == "timestream" or a.split(":")[0] not in ("timestream", "kms")}
        same(sorted(wanted), sorted(asked), f"what was asked, {store}")
        expect(any(c.get("Marker") for c in calls), "no second page was asked for")
        expect(all(len(c["ResourceArns"]) == 1 for c in calls), "the resources")
        lab.no_problems()


@test("the doctor asks about a role by its real path, and about its default one where IAM does not tell it")
def role(lab):
    policy = json.loads(POLICY.read_text(encoding="utf-8"))
    for path, allowed, healths in (("/sso/eu-west-1/", True, ["well", "well"]), ("/", False, ["well", "doubtful"]), ("/sso/", False, ["doubtful", "doubtful"])):
        begin(lab)
        iam = lab.client("iam")
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
        iam.create_role(RoleName="operator", Path=path, AssumeRolePolicyDocument=json.dumps(trust))
        mine = policy if allowed else {**policy, "Statement": [{**s, "Action": [a for a in s["Action"] if a != "iam:GetRole"]} for s in policy["Statement"]]}
        iam.put_role_policy(RoleName="operator", PolicyName="operator", PolicyDocument=json.dumps(mine))
        keys = lab.client("sts").assume_role(RoleArn=f"arn:aws:iam::123456789012:role{path}operator", RoleSessionName="me")["Credentials"]
        lab.proxy.keys = {keys["AccessKeyId"]: (keys["SecretAccessKey"], keys["SessionToken"])}
        lab.proxy.begin(Fault("denied", 1, 10**9, "GetRole") if not allowed else None)
        me = {"AWS_ACCESS_KEY_ID": keys["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"], "AWS_SESSION_TOKEN": keys["SessionToken"]}
        same(healths, [h for h, _ in findings(lab, me)], f"a role in {path}")


# handlers.*.permissions of the CloudFormation registry's schemas (create, read, update, delete) of what our templates have. cfn-lint
# ships these schemas without their handlers, so they stand here.
HANDLERS = {
    "AWS::IoT::ThingType": "iot:DescribeThingType ListTagsForResource CreateThingType DeprecateThingType TagResource DeleteThingType UpdateThingType "
                           "UntagResource",
    "AWS::IoT::Policy": "iot:CreatePolicy GetPolicy TagResource ListTagsForResource DeletePolicy ListPolicyVersions DeletePolicyVersion CreatePolicyVersion "
                        "SetDefaultPolicyVersion UntagResource",
    "AWS::IoT::TopicRule": "iam:PassRole iot:CreateTopicRule GetTopicRule TagResource ListTagsForResource ReplaceTopicRule UntagResource DeleteTopicRule",
    "AWS::Timestream::Database": "timestream:CreateDatabase DescribeEndpoints DescribeDatabase ListTagsForResource UpdateDatabase TagResource UntagResource "
                                 "DeleteDatabase",
    "AWS::Timestream::Table": "timestream:CreateTable DescribeEndpoints DescribeTable ListTagsForResource UpdateTable TagResource UntagResource DeleteTable",
    "AWS::DynamoDB::Table": "dynamodb:DescribeTable DescribeContinuousBackups DescribeContributorInsights DescribeKinesisStreamingDestination "
                            "ListTagsOfResource GetResourcePolicy CreateTable DescribeImport DescribeTimeToLive UpdateTimeToLive UpdateContributorInsights "
                            "UpdateContinuousBackups EnableKinesisStreamingDestination DisableKinesisStreamingDestination "
                            "UpdateKinesisStreamingDestination ImportTable TagResource UntagResource UpdateTable PutResourcePolicy DeleteResourcePolicy "
                            "DeleteTable kinesis:DescribeStream PutRecords iam:CreateServiceLinkedRole kms:CreateGrant Decrypt DescribeKey ListAliases Encrypt "
                            "RevokeGrant logs:CreateLogGroup CreateLogStream DescribeLogGroups DescribeLogStreams PutLogEvents PutRetentionPolicy "
                            "s3:GetObject GetObjectMetadata ListBucket",
    "AWS::Logs::LogGroup": "logs:DescribeLogGroups CreateLogGroup PutRetentionPolicy TagResource GetDataProtectionPolicy PutDataProtectionPolicy "
                           "CreateLogDelivery PutResourcePolicy DescribeResourcePolicies ListTagsForResource DescribeIndexPolicies AssociateKmsKey "
                           "DisassociateKmsKey DeleteRetentionPolicy UntagResource DeleteLogGroup DeleteDataProtectionPolicy s3:REST.PUT.OBJECT "
                           "firehose:TagDeliveryStream",
    "AWS::IAM::Role": "iam:CreateRole PutRolePolicy AttachRolePolicy GetRole ListAttachedRolePolicies ListRolePolicies GetRolePolicy UpdateRole "
                      "UpdateRoleDescription UpdateAssumeRolePolicy DetachRolePolicy DeleteRolePermissionsBoundary PutRolePermissionsBoundary "
                      "DeleteRolePolicy TagRole UntagRole DeleteRole",
}
# Of properties that no template of ours has: imports, streams to Kinesis, Contributor Insights, resource policies, keys of one's own,
# data protection, delivery, managed policies, boundaries.
NOT_OURS = {"dynamodb:DescribeImport", "dynamodb:ImportTable", "dynamodb:UpdateContributorInsights", "dynamodb:EnableKinesisStreamingDestination",
            "dynamodb:DisableKinesisStreamingDestination", "dynamodb:UpdateKinesisStreamingDestination", "dynamodb:PutResourcePolicy",
            "dynamodb:DeleteResourcePolicy", "kinesis:DescribeStream", "kinesis:PutRecords", "iam:CreateServiceLinkedRole", "kms:Decrypt",
            "kms:ListAliases", "kms:Encrypt", "kms:RevokeGrant", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents", "s3:GetObject",
            "s3:GetObjectMetadata", "s3:ListBucket", "s3:REST.PUT.OBJECT", "firehose:TagDeliveryStream", "logs:PutDataProtectionPolicy",
            "logs:CreateLogDelivery", "logs:PutResourcePolicy", "logs:AssociateKmsKey", "logs:DisassociateKmsKey", "iam:AttachRolePolicy",
            "iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"}
# Those by which a template of ours would come to need some of them.
WOULD_NEED = {"ImportSourceSpecification", "KinesisStreamSpecification", "ContributorInsightsSpecification", "ResourcePolicy", "SSESpecification", "KmsKeyId",
              "DataProtectionPolicy", "ResourcePolicyDocument", "ManagedPolicyArns", "PermissionsBoundary", "StreamSpecification"}


@test("it has what CloudFormation's handlers of the resources in our templates call in the operator's name")
def handlers(lab):
    allowed, kinds = actions(json.loads(POLICY.read_text(encoding="utf-8"))), set()
    for store in ("timestream", "dynamodb"):
        begin(lab, store)
        lab.works("generate", "--all", "--set", "cloudformation", "--out", lab.folder / f"stacks-{store}")
        found = list((lab.folder / f"stacks-{store}").rglob("stack.json"))
        expect(found, "no templates")
        for path in found:
            for resource in json.loads(path.read_text(encoding="utf-8"))["Resources"].values():
                kinds.add(resource["Type"])
                same(set(), set(resource["Properties"]) & WOULD_NEED, f"properties of {resource['Type']} that need more")
    same(sorted(HANDLERS), sorted(kinds), "types of resources")
    called = set()
    for line in HANDLERS.values():
        service = None
        for word in line.split():
            service, name = word.split(":", 1) if ":" in word else (service, word)
            called.add(f"{service}:{name}")
    same([], sorted(called - allowed - NOT_OURS), "what handlers call, and the policy does not allow")


def copy_tree(source, to):
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(source, to, symlinks=True)


if __name__ == "__main__":
    with Lab() as the_lab:
        sys.exit(run_tests(the_lab))
