#!/usr/bin/env python3
"""permissions.py: whether docs/operator-policy.json is enough, and no more than that.

Enough: all commands run as a user of the mock's IAM who has this policy and nothing else, with moto's enforcement on (it
checks actions, not resources and conditions). No more: without any action that was used, the command that used it says so and
names the action. The actions that no call of ours uses are those that CloudFormation uses in the operator's name."""

import json
import shutil
import sys

import judge
from lab import KEY_ID, REPO, SECRET, Lab, expect, run_tests, same, test
from proxy import Connection, denial

POLICY = REPO / "docs/operator-policy.json"
# What a plan that was only shown leaves behind is tidied up without a word: the next plan, or deploy, does it.
QUIET = {("diff", "cloudformation:DeleteChangeSet"), ("diff", "cloudformation:DeleteStack")}
FREE = {"sts:GetCallerIdentity"}  # "No permissions are required to perform this operation" (STS API reference)
CREATE = ["create", "kitchen", "--type", "esp32air"]
STORY = [["doctor"], ["diff"], ["deploy", "--all", "--yes"], ["diff"], CREATE, ["rotate", "kitchen"], ["package", "kitchen", "--attribute", "zone=2"],
         ["create", "--from", "things.csv"], ["doctor"], ["delete", "kitchen", "a", "b"], ["destroy", "esp32air", "--data", "--confirm", "esp32air"],
         ["destroy", "system", "--data", "--confirm", "system"]]


def actions(policy):
    found = set()
    for statement in policy["Statement"]:
        same("Allow", statement["Effect"], "Effect")
        found |= {statement["Action"]} if isinstance(statement["Action"], str) else set(statement["Action"])
    return found


def action(call):
    return f"{judge.model(call['service']).signing_name}:{call['operation']}"


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
    by_signing = {judge.model(name).signing_name: name for name in judge.MODELS.values()}
    # Permissions without an API operation of the same name (service authorization reference).
    without = {"iam:PassRole", "cloudformation:TagResource"}
    unknown = [a for a in listed if a not in without and a.split(":")[1] not in judge.model(by_signing[a.split(":")[0]]).operation_names]
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
            asked = f"{judge.model(verdict.service).signing_name}:{verdict.operation}"
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


@test("the doctor names what a user may not, however long the list is")
def doctor(lab):
    policy = json.loads(POLICY.read_text(encoding="utf-8"))
    for without in ("iot:CreateThing", "iam:PassRole", sorted(actions(policy))[-1]):
        begin(lab)
        less = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": sorted(actions(policy) - {without}), "Resource": "*"}]}
        iam = lab.client("iam")
        iam.create_user(UserName="operator")
        iam.put_user_policy(UserName="operator", PolicyName="operator", PolicyDocument=json.dumps(less))
        key = iam.create_access_key(UserName="operator")["AccessKey"]
        lab.proxy.keys = {key["AccessKeyId"]: (key["SecretAccessKey"], None)}
        ran = lab.run("doctor", AWS_ACCESS_KEY_ID=key["AccessKeyId"], AWS_SECRET_ACCESS_KEY=key["SecretAccessKey"])
        expect(ran.code == 3 and without in ran.out, lambda: f"without {without}: {ran}")


def copy_tree(source, to):
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(source, to, symlinks=True)


if __name__ == "__main__":
    with Lab() as the_lab:
        sys.exit(run_tests(the_lab))
