#!/usr/bin/env python3
"""registry.py: the account's registry says which things there are, whichever clone of the project made them."""

import json
import shutil
import sys

from lab import CLAIM, Lab, expect, run_tests, same, test
from proxy import forever

ZONE = {"zone": "1", "altitude": "0"}
KITCHEN = ("esp32air", ZONE)
CREATE = ["create", "kitchen", "--type", "esp32air"]


def clones(lab, *names, types=("esp32air",)):
    """A project that has made these things, and a clone of it that knows nothing of them."""
    one = lab.fresh_project("one", types=types)
    two = lab.folder / "two"
    shutil.rmtree(two, ignore_errors=True)
    shutil.copytree(one, two, symlinks=True)
    lab.mock.reset()
    lab.proxy.begin()
    lab.plug_in(*types)
    for name in names:
        lab.works("create", name, "--type", types[0], cwd=one)
    lab.proxy.begin()
    return one, two


def folders(project):
    return sorted(p.name for p in (project / "certificates").iterdir() if p.is_dir())


@test("list and show in a clone: what another clone made, what is only in the account, what is only here")
def listing(lab):
    one, two = clones(lab, "kitchen", "attic")
    lab.works("create", "cellar", "--type", "esp32air", "--attribute", "zone=2", cwd=two)
    listed = {t["name"]: t for t in lab.works("list", "--json", cwd=two).json()}
    same(["attic", "cellar", "kitchen"], list(listed), "names")
    same([(True, True), (None, True)], [(listed[n].get("elsewhere"), listed[n]["account"]) for n in ("kitchen", "cellar")], "where they are")
    same(("esp32air", ZONE), (listed["kitchen"]["type"], listed["kitchen"]["attributes"]), "what the account says of it")
    ran = lab.works("list", cwd=two)
    expect("only in the account" in ran.out and "sensorforge rotate kitchen" in ran.out, str(ran))
    same(["cellar"], [t["name"] for t in lab.works("list", "--attribute", "zone=2", "--json", cwd=one).json()], "by attribute")
    same([], folders(two)[1:], "what list wrote")
    shown = lab.works("show", "kitchen", "--json", cwd=two).json()
    same([True, True, [("active", True)]], [shown["elsewhere"], shown["account"]["thing"],
                                            [(c["status"], c["ours"]) for c in shown["account"]["certificates"]]], "show")
    expect("key" in lab.works("show", "kitchen", cwd=two).out, "show does not say where the key is")
    iot = lab.client("iot")
    arn, = iot.list_thing_principals(thingName="cellar")["principals"]
    iot.detach_thing_principal(thingName="cellar", principal=arn)
    iot.delete_thing(thingName="cellar")
    ran = lab.works("list", cwd=two)
    expect("only here, the account has no such thing" in ran.out, str(ran))
    expect("has no such thing" in lab.works("show", "cellar", cwd=two).out, "show")
    expect("account" not in lab.works("list", "--target", "local", cwd=two).out, "the target local asks an account")
    lab.no_problems()


@test("list where the account does not answer: what is here, and exit code 3")
def away(lab):
    one, _ = clones(lab, "kitchen")
    lab.proxy.begin(forever("denied"))
    ran = lab.run("list", cwd=one)
    expect(ran.code == 3 and "kitchen" in ran.out and "was not asked" in ran.err, str(ran))
    ran = lab.run("show", "kitchen", cwd=one)
    expect(ran.code == 3 and "kitchen" in ran.out, str(ran))


@test("delete from any clone: nothing is left of the thing, also of one that was rotated by another clone since")
def delete(lab):
    one, two = clones(lab, "kitchen", "attic")
    lab.mock.sessions({"kitchen": "connected"})
    lab.works("delete", "kitchen", cwd=two)
    same({}, lab.mock.sessions(), "sessions")
    same(([], ["attic"]), (folders(two), sorted(lab.things()[0])), "what is left")
    same([], lab.things()[1], "certificates")
    lab.works("delete", "kitchen", cwd=one)  # what it remembers goes too
    lab.works("rotate", "attic", cwd=two)
    lab.works("delete", "attic", cwd=one)
    same(({}, []), lab.things(), "the account")
    ran = lab.run("delete", "attic", "--target", "aws", cwd=one)
    expect(ran.code == 1 and "there is no thing" in ran.err, str(ran))
    lab.works("create", "hall", "--type", "esp32air", "--attribute", "zone=7", cwd=one)
    lab.works("delete", "--attribute", "zone=7", "--yes", cwd=two)
    same(({}, []), lab.things(), "the account after deleting by attribute")
    lab.no_problems()


@test("rotate and package from a clone: a new key here, the old certificate gone; whoever had the old key is told")
def renew(lab):
    for words in (["rotate", "kitchen"], ["package", "kitchen"]):
        one, two = clones(lab, "kitchen")
        old = lab.client("iot").list_thing_principals(thingName="kitchen")["principals"]
        expect("would get a new key" in lab.works("package", "kitchen", "--dry-run", cwd=two).err, "dry-run")
        ran = lab.works(*words, cwd=two)
        expect("the board is out until it has this package" in ran.out, str(ran))
        lab.expect_things({"kitchen": KITCHEN}, [two])
        expect(lab.client("iot").list_thing_principals(thingName="kitchen")["principals"] != old, "the certificate is the old one")
        same("Home", json.loads((two / "certificates/kitchen/thing.json").read_text(encoding="utf-8"))["wifi"]["ssid"], "wifi")
        ran = lab.works("package", "kitchen", cwd=two)  # now its key is here
        expect("the board is out" not in ran.out, str(ran))
        ran = lab.works("package", "kitchen", "--set", "zone=5", cwd=two)
        ran = lab.works("package", "kitchen", cwd=one)
        expect("the board is out until it has this package" in ran.out, str(ran))
        lab.expect_things({"kitchen": ("esp32air", {"zone": "5", "altitude": "0"})}, [one])
        expect("5" == json.loads((one / "certificates/kitchen/thing.json").read_text(encoding="utf-8"))["attributes"]["zone"], "what another clone set")
        lab.no_problems()


@test("a thing that was deleted and made again elsewhere is another: its key is not here")
def again(lab):
    one, two = clones(lab, "kitchen")
    lab.works("delete", "kitchen", cwd=two)
    lab.works(*CREATE, "--attribute", "zone=3", cwd=two)
    expect("made again elsewhere" in lab.works("list", cwd=one).out, "list")
    expect("another thing of this name" in lab.works("show", "kitchen", cwd=one).out, "show")
    lab.works("rotate", "kitchen", cwd=one)
    lab.expect_things({"kitchen": ("esp32air", {"zone": "3", "altitude": "0"})}, [one])


@test("things of others are refused: made by hand, and of a type that the project does not have")
def foreign(lab):
    one, two = clones(lab, "kitchen", types=("esp32air", "aircon"))
    iot = lab.client("iot")
    iot.create_thing(thingName="theirs", thingTypeName="esp32air")
    shutil.rmtree(two / "sensortypes/esp32air")
    before = lab.things()
    for words in (["delete", "theirs"], ["rotate", "theirs"], ["package", "theirs"], ["show", "theirs"]):
        ran = lab.run(*words, cwd=one)
        expect(ran.code == 1 and "was not made by sensorforge" in ran.err, str(ran))
    for words in (["delete", "kitchen"], ["rotate", "kitchen"], ["show", "kitchen"]):
        ran = lab.run(*words, cwd=two)
        expect(ran.code == 1 and "which this project does not have" in ran.err, str(ran))
    same(["kitchen"], [t["name"] for t in lab.works("list", "--json", cwd=one).json()], "list")
    same([], lab.works("list", "--json", cwd=two).json(), "list without the type")
    same(before, lab.things(), "the account")
    same([], folders(two), "folders of the clone")


@test("what a person attached by hand is detached, and stays; a damaged record is no obstacle to delete")
def by_hand(lab):
    one, two = clones(lab, "kitchen")
    iot = lab.client("iot")
    other = iot.create_keys_and_certificate(setAsActive=True)["certificateArn"]
    iot.attach_thing_principal(thingName="kitchen", principal=other)
    lab.works("delete", "kitchen", cwd=two)
    same(({}, [other]), lab.things(), "the account")
    one, _ = clones(lab, "kitchen")
    (one / "certificates/kitchen/thing.json").write_text("{", encoding="utf-8")
    lab.works("delete", "kitchen", cwd=one)
    same(({}, []), lab.things(), "the account")
    same([], folders(one), "folders")


@test("lists are read to their end, also where a page is empty")
def pages(lab):
    one, two = clones(lab)
    (one / "things.csv").write_text("name,type,zone\n" + "".join(f"t{i:03},esp32air,1\n" for i in range(300)))
    lab.works("create", "--from", "things.csv", cwd=one, SENSORFORGE_AWS_TIMEOUT="20")
    lab.mock.tune(empty_page=True)
    lab.proxy.begin()
    same(300, len(lab.works("list", "--json", cwd=two).json()), "things")
    expect(lab.proxy.operations().count("ListThings") >= 3, lab.proxy.operations())
    lab.mock.tune(empty_page=True)
    lab.works("delete", "t000", "t299", cwd=two)
    lab.mock.tune(empty_page=False)
    same((298, []), (len(lab.things()[0]), lab.things()[1]), "what is left")
    lab.no_problems()


@test("two systems in one account: each has its own things, also of a type that both have")
def two_systems(lab):
    one, two = clones(lab, "kitchen")
    system = two / "iot_system_infra/system.yaml"
    system.write_text(system.read_text(encoding="utf-8").replace("name: home", "name: other", 1), encoding="utf-8")
    lab.works("create", "attic", "--type", "esp32air", cwd=two)
    for project, own in ((one, "kitchen"), (two, "attic")):
        same([own], [t["name"] for t in lab.works("list", "--json", cwd=project).json()], "list")
    for words in (["delete"], ["rotate"], ["package"], ["show"]):
        ran = lab.run(*words, "kitchen", cwd=two)
        expect(ran.code == 1 and 'is of the system "home"' in ran.err, str(ran))
    ran = lab.run("create", "kitchen", "--type", "esp32air", cwd=two)
    expect(ran.code == 1 and "made by another system" in ran.err, str(ran))
    lab.works("delete", "--all", "--yes", cwd=two)
    lab.expect_things({"kitchen": KITCHEN}, [one])
    same([], folders(two), "folders")
    # A thing of an earlier version: its claim names no system.
    iot = lab.client("iot")
    claim = iot.describe_thing(thingName="kitchen")["attributes"][CLAIM].rpartition("@")[0]
    iot.update_thing(thingName="kitchen", attributePayload={"attributes": {CLAIM: claim}, "merge": True})
    same(["kitchen"], [t["name"] for t in lab.works("list", "--json", cwd=two).json()], "list")


@test("attributes that another clone changed: list shows them, and things are chosen by them")
def changed_attributes(lab):
    one, two = clones(lab, "kitchen", "attic")
    lab.works("package", "kitchen", "--set", "zone=3", cwd=two)
    chosen = [t["name"] for t in lab.works("list", "--attribute", "zone=1", "--json", cwd=one).json()]
    same(["attic"], chosen, "list, by the old value")
    same({"attic": "1", "kitchen": "3"}, {t["name"]: t["attributes"]["zone"] for t in lab.works("list", "--json", cwd=one).json()}, "list")
    same("3", lab.works("show", "kitchen", "--json", cwd=one).json()["attributes"]["zone"], "show")
    lab.works("delete", "--attribute", "zone=1", "--yes", cwd=one)
    same(["kitchen"], list(lab.things()[0]), "what delete left")
    lab.works("delete", "--attribute", "zone=3", "--yes", cwd=one)
    same(({}, []), lab.things(), "the account")


@test("the claim stays the same whoever renews the key")
def claim(lab):
    _, two = clones(lab, "kitchen")
    before = lab.client("iot").describe_thing(thingName="kitchen")["attributes"][CLAIM]
    lab.works("rotate", "kitchen", cwd=two)
    same(before, lab.client("iot").describe_thing(thingName="kitchen")["attributes"][CLAIM], "claim")
    same(before, json.loads((two / "certificates/kitchen/thing.json").read_text(encoding="utf-8"))["claim"], "claim of the record")


if __name__ == "__main__":
    with Lab() as the_lab:
        sys.exit(run_tests(the_lab))
