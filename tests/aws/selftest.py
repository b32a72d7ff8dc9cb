#!/usr/bin/env python3
"""selftest.py: whether mock, proxy and judge see and do what they say, with boto3 (and raw sockets) as the client."""

import http.client
import json
import socket
import sys
import time

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lab import KEY_ID, SECRET, Lab, Wrong, expect, run_tests, same, test
from mock import CREATE_ONLY, REGION, Mock
from proxy import ONCE_OR_ON, Fault, Proxy, forever

WIRE = {"retries": {"total_max_attempts": 1}, "read_timeout": 20, "connect_timeout": 20, "inject_host_prefix": False}


def client(proxy, service="iot", region=REGION, **config):
    return boto3.client(service, endpoint_url=proxy.url, region_name=region, aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET,
                        config=botocore.config.Config(**{**WIRE, **config}))


def code(error):
    return (getattr(error, "response", None) or {}).get("Error", {}).get("Code")


def raises(what, call, **parameters):
    try:
        call(**parameters)
    except Exception as error:  # whatever it is, its name must be the one that is wanted
        names = [type(error).__name__, code(error)]
        expect(what in names, f"wanted {what}, got {names}: {error}")
        return error
    raise Wrong(f"wanted {what}, and it worked")


def signed(lab, method="GET", path="/things/a", body=b"", headers=None, tamper=None, service="iot"):
    """Sends a request that botocore's signer signed, and that was changed afterwards; the proxy's problems with it."""
    request = botocore.awsrequest.AWSRequest(method, lab.proxy.url + path, data=body, headers={"Content-Type": "application/json", **(headers or {})})
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(KEY_ID, SECRET), service, REGION).add_auth(request)
    wire = {"headers": dict(request.headers.items()), "path": path, "body": body, "method": method}
    if tamper:
        tamper(wire)
    lab.proxy.begin()
    connection = http.client.HTTPConnection("127.0.0.1", lab.proxy.port)
    connection.request(wire["method"], wire["path"], wire["body"], wire["headers"])
    connection.getresponse().read()
    connection.close()
    return lab.proxy.problems()


def csr(key, name="kitchen"):
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    return x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


# --- the judge ----------------------------------------------------------------------------------------

@test("what boto3 sends is found right: REST-JSON, JSON, query")
def boto3_is_right(lab):
    lab.mock.reset()
    lab.proxy.begin()
    iot = client(lab.proxy)
    iot.create_thing_type(thingTypeName="a:b_c-d", thingTypeProperties={"thingTypeDescription": "a description", "searchableAttributes": ["zone"]})
    iot.create_thing(thingName="kitchen:1", thingTypeName="a:b_c-d", attributePayload={"attributes": {"zone": "1"}})
    iot.list_things(thingTypeName="a:b_c-d", maxResults=7)
    iot.list_thing_principals(thingName="kitchen:1")
    raises("ResourceNotFoundException", iot.attach_thing_principal, thingName="kitchen:1",
           principal=f"arn:aws:iot:{REGION}:123456789012:cert/{64 * 'a'}")
    iot.delete_thing(thingName="kitchen:1")
    client(lab.proxy, "logs").describe_log_groups(logGroupNamePrefix="/sensorforge")
    client(lab.proxy, "dynamodb").list_tables(Limit=3)
    client(lab.proxy, "iam", region="us-east-1").list_roles(MaxItems=5)
    client(lab.proxy, "sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/r", RoleSessionName="session", Tags=[{"Key": "a", "Value": "b = c+d"}])
    template = json.dumps({"Resources": {"L": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/l"}}}})
    client(lab.proxy, "cloudformation").create_change_set(StackName="s", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=template,
                                                          Parameters=[{"ParameterKey": "A", "ParameterValue": "ä/ü=&+ "}], Capabilities=["CAPABILITY_IAM"])
    lab.no_problems()
    same(11, len(lab.proxy.calls), "calls")


@test("a request that was changed after signing is found")
def tampered(lab):
    def header(name, value):
        return lambda wire: wire["headers"].__setitem__(name, value)

    same([], signed(lab), "problems of a right request")
    same([], signed(lab, path="/things/a%3Ab"), "problems of a right request with an escaped path")
    authorization = "Authorization"
    cases = {
        "body": (lambda wire: wire.update(body=b'{"thingTypeName":"b"}'), "botocore's"),
        "path": (lambda wire: wire.update(path="/things/b"), "botocore's"),
        "query": (lambda wire: wire.update(path="/things/a?x=1"), "botocore's"),
        "date": (header("X-Amz-Date", "20200101T000000Z"), "different dates"),
        "signature": (lambda wire: wire["headers"].update({authorization: wire["headers"][authorization][:-1] + "g"}), "not of the form"),
        "key": (lambda wire: wire["headers"].update({authorization: wire["headers"][authorization].replace(KEY_ID, "AKIANOBODY")}), "nobody has"),
        "region": (lambda wire: wire["headers"].update({authorization: wire["headers"][authorization].replace(REGION, "us-east-1")}), "us-east-1"),
        "token": (header("X-Amz-Security-Token", "more"), "session token"),
        "none": (lambda wire: wire["headers"].pop(authorization), "no signature"),
        "unsigned": (header("X-Amz-Target", "unsigned"), "not signed"),
    }
    for name, (tamper, wanted) in cases.items():
        problems = signed(lab, "POST", body=b'{"thingTypeName":"a"}', tamper=tamper)
        expect(any(wanted in p for p in problems), f"{name}: {problems}")


@test("a parameter that the service does not take is found")
def invalid(lab):
    cases = [("POST", "/things/a", {"thingTypeNam": "x"}, "Unknown parameter"),
             ("POST", "/things/" + 129 * "a", {}, "longer than 128"),
             ("POST", "/things/a%20b", {}, "not of the form"),
             ("POST", "/things/a", {"attributePayload": {"attributes": {"zone": "no spaces"}}}, "not of the form"),
             ("POST", "/things/a", {"attributePayload": {"attributes": []}}, "Invalid type"),
             ("PUT", f"/certificates/{64 * 'a'}?newStatus=ALIVE", None, "is not one of"),
             ("PUT", f"/certificates/{64 * 'a'}", None, "Missing required parameter"),
             ("PUT", f"/certificates/{64 * 'a'}?newStatus=ACTIVE", {"newStatus": "ACTIVE"}, "not what botocore makes"),
             ("PUT", f"/certificates/{64 * 'a'}?newStatus=ACTIVE&force=1", None, "the query is"),
             ("POST", "/thing/a", {}, "no operation"),
             ("POST", "/things/a:b", {}, "not escaped"),
             ("POST", "/certificates", {"certificateSigningRequest": "x", "setAsActive": True}, "body is not what botocore")]
    for method, path, body, wanted in cases:
        problems = signed(lab, method, path, json.dumps(body).encode() if body is not None else b"")
        expect(any(wanted in p for p in problems), f"{method} {path} {body}: {problems}")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body, wanted in ((b"Action=CreateStack&Version=2010-05-15", "Missing required"), (b"Action=MakeStack&Version=2010-05-15", "MakeStack"),
                         (b"Action=ListStacks&Version=2010-05-14", "Version is"), (b"Action=ListStacks&Version=2010-05-15&Nonsense=1", "only in"),
                         (b"Action=ListStacks&Version=2010-05-15&StackStatusFilter.member.1=X", "is not one of")):
        problems = signed(lab, "POST", "/", body, form, service="cloudformation")
        expect(any(wanted in p for p in problems), f"{body}: {problems}")
    target = {"X-Amz-Target": "Timestream_20181101.CreateTable", "Content-Type": "application/x-amz-json-1.0"}
    problems = signed(lab, "POST", "/", b'{"DatabaseName": "iot", "TableName": "t", "RetentionProperties": {"MemoryStoreRetentionPeriodInHours": 9000}}',
                      target, service="timestream")
    for wanted in ("more than 8766", "Missing required parameter"):
        expect(any(wanted in p for p in problems), f"{wanted}: {problems}")


# --- the proxy ----------------------------------------------------------------------------------------

@test("each fault does what it says, once, and leaves other calls alone")
def faults(lab):
    wanted = {"reset-before": ("ConnectionClosedError", False), "reset-after": ("ConnectionClosedError", True),
              "error-500-before": ("InternalFailure", False), "error-500-after": ("InternalFailure", True),
              "throttle": ("ThrottlingException", False), "timeout": ("ReadTimeoutError", True), "garbage-before": (None, False),
              "garbage-after": (None, True), "half": (("ResponseStreamingError", "ConnectionClosedError", "IncompleteReadError"), True)}
    same(sorted(ONCE_OR_ON), sorted(wanted), "the ways")
    patient, hasty = client(lab.proxy), client(lab.proxy, read_timeout=0.3)
    for way, (error, acted) in wanted.items():
        iot = patient
        lab.mock.reset()
        lab.proxy.begin(Fault(way, 2))
        iot.list_things()
        try:
            answer = (hasty if way == "timeout" else patient).create_thing(thingName="a")
            expect(error is None or way == "half", f"{way}: worked: {answer}")
        except Exception as failure:  # its name is what counts
            names = {type(failure).__name__, code(failure)}
            expect(error is None or names & set([error] if isinstance(error, str) else error), f"{way}: {names}: {failure}")
        same(acted, bool(lab.client("iot").list_things()["things"]), f"{way}: the mock acted")
        iot.list_things()
        same([None, way, None], [c["fault"] for c in lab.proxy.calls], f"{way}: faults")
        lab.no_problems()


@test("a reset is a reset, half an answer half, a held one held")
def on_the_wire(lab):
    def ask(way):
        lab.proxy.begin(forever(way))
        with socket.create_connection(("127.0.0.1", lab.proxy.port)) as wire:
            wire.settimeout(0.5)
            wire.sendall(b"GET /things HTTP/1.1\r\nHost: a\r\n\r\n")
            try:
                return wire.recv(65536)
            except OSError as error:
                return type(error).__name__

    same("ConnectionResetError", ask("reset-before"), "reset-before")
    same("ConnectionResetError", ask("reset-after"), "reset-after")
    same("TimeoutError", ask("timeout"), "timeout")
    head, _, body = ask("half").partition(b"\r\n\r\n")
    length = int(next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Length")).split()[1])
    expect(len(body) < length, "half: it was whole")
    expect(b"text/html" in ask("garbage-before"), "garbage: no HTML")


@test("faults by operation, to the end, with an answer of one's own, and with a kill")
def more_faults(lab):
    lab.mock.reset()
    iot = client(lab.proxy)
    lab.proxy.begin(forever("throttle", 2, operation="List.*"))
    iot.list_things()
    iot.create_thing(thingName="a")
    raises("ThrottlingException", iot.list_things)
    raises("ThrottlingException", iot.list_things)
    lab.proxy.begin(Fault("answer", answer=(418, {"x-amzn-ErrorType": "Teapot"}, b"{}")))
    raises("Teapot", iot.list_things)
    lab.proxy.begin(Fault("denied"))
    expect("iot:ListThings" in str(raises("AccessDeniedException", iot.list_things)), "denied: does not name the action")
    killed = []
    kill, lab.proxy.kill = lab.proxy.kill, lambda: killed.append(1)
    lab.proxy.begin(Fault("kill-after"))
    raises("ConnectionClosedError", iot.list_things)
    lab.proxy.kill = kill
    same([1], killed, "kills")


# --- the mock -----------------------------------------------------------------------------------------

@test("mock: things and certificates as AWS documents them")
def mock_things(lab):
    lab.mock.reset(propagation=600)
    iot = lab.client("iot")
    first = iot.create_thing(thingName="a", attributePayload={"attributes": {"zone": "1"}})
    same(first["thingId"], iot.create_thing(thingName="a", attributePayload={"attributes": {"zone": "1"}})["thingId"], "the same thing again")
    raises("ResourceAlreadyExistsException", iot.create_thing, thingName="a", attributePayload={"attributes": {"zone": "2"}})
    key = ec.generate_private_key(ec.SECP256R1())
    made = [iot.create_certificate_from_csr(certificateSigningRequest=csr(key), setAsActive=False) for _ in range(2)]
    expect(made[0]["certificateId"] != made[1]["certificateId"], "the same request twice made the same certificate")
    certificate = x509.load_pem_x509_certificate(made[0]["certificatePem"].encode())
    same(key.public_key().public_numbers(), certificate.public_key().public_numbers(), "its key")
    same("CN=kitchen", certificate.subject.rfc4514_string(), "its subject")
    same(certificate.fingerprint(hashes.SHA256()).hex(), made[0]["certificateId"], "its id")
    raises("InvalidRequestException", iot.create_certificate_from_csr, certificateSigningRequest=csr(rsa.generate_private_key(65537, 1024)))
    raises("InvalidRequestException", iot.create_certificate_from_csr, certificateSigningRequest="nonsense")
    arn, identity = made[0]["certificateArn"], made[0]["certificateId"]
    iot.attach_thing_principal(thingName="a", principal=arn)
    raises("InvalidRequestException", iot.delete_thing, thingName="a")
    iot.detach_thing_principal(thingName="a", principal=arn)
    raises("InvalidRequestException", iot.delete_thing, thingName="a")
    raises("DeleteConflictException", iot.delete_certificate, certificateId=identity)
    lab.mock.tune(propagation=0)
    iot.delete_thing(thingName="a")
    iot.delete_thing(thingName="a")
    iot.update_certificate(certificateId=identity, newStatus="ACTIVE")
    raises("CertificateStateException", iot.delete_certificate, certificateId=identity)
    iot.update_certificate(certificateId=identity, newStatus="INACTIVE")
    iot.delete_certificate(certificateId=identity)
    for _ in range(30):
        iot.create_certificate_from_csr(certificateSigningRequest=csr(key))
    same(25, len(iot.list_certificates()["certificates"]), "a page")
    same(31, len(lab.pages("iot", "list_certificates", "certificates", ("marker", "nextMarker"))), "all pages")
    same(*(iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"] for _ in range(2)), "the endpoint")


@test("mock: thing types and policies as AWS documents them")
def mock_types(lab):
    lab.mock.reset(deprecation=600)
    iot = lab.client("iot")
    iot.create_thing_type(thingTypeName="t")
    iot.create_thing_type(thingTypeName="t")
    raises("ResourceAlreadyExistsException", iot.create_thing_type, thingTypeName="t", thingTypeProperties={"thingTypeDescription": "d"})
    raises("InvalidRequestException", iot.delete_thing_type, thingTypeName="t")
    iot.create_thing(thingName="a", thingTypeName="t")
    iot.deprecate_thing_type(thingTypeName="t")
    raises("InvalidRequestException", iot.delete_thing_type, thingTypeName="t")
    lab.mock.tune(deprecation=0)
    raises("InvalidRequestException", iot.delete_thing_type, thingTypeName="t")
    iot.delete_thing(thingName="a")
    iot.delete_thing_type(thingTypeName="t")
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}]})
    raises("MalformedPolicyException", iot.create_policy, policyName="p", policyDocument="{")
    raises("MalformedPolicyException", iot.create_policy, policyName="p", policyDocument=document.replace("iot:Connect", 2048 * "x"))
    iot.create_policy(policyName="p", policyDocument=document)
    for _ in range(4):
        iot.create_policy_version(policyName="p", policyDocument=document, setAsDefault=True)
    raises("VersionsLimitExceededException", iot.create_policy_version, policyName="p", policyDocument=document)
    raises("DeleteConflictException", iot.delete_policy, policyName="p")


def wait_for(cloudformation, stack, wanted):
    for _ in range(3000):
        status = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        if not status.endswith("IN_PROGRESS"):
            same(wanted, status, "status of the stack")
            return
        time.sleep(0.02)
    raise Wrong("the stack never came to its end")


def until_gone(cloudformation, stack):
    for _ in range(3000):
        try:
            cloudformation.describe_stacks(StackName=stack)
        except cloudformation.exceptions.ClientError as error:
            same("ValidationError", code(error), "what is said of a stack that is gone")
            return
        time.sleep(0.02)
    raise Wrong("the stack never went")


def group(days, name="/l"):
    return {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name, "RetentionInDays": days}}


RULE = {"Type": "AWS::IoT::TopicRule", "Properties": {"RuleName": "r", "TopicRulePayload": {
    "Sql": "SELECT * FROM 'a/+'", "AwsIotSqlVersion": "2015-10-08",
    "Actions": [{"CloudwatchLogs": {"LogGroupName": "/l", "RoleArn": "arn:aws:iam::1:role/r"}}]}}}


@test("mock: stacks are made behind one's back, fail, and roll back")
def mock_stacks(lab):
    lab.mock.reset(stack=600, fail={"AWS::IoT::TopicRule": "No rules today"})
    cf, logs = lab.client("cloudformation"), lab.client("logs")

    def change(resources, kind, stack="s", name="c"):
        return cf.create_change_set(StackName=stack, ChangeSetName=name, ChangeSetType=kind, TemplateBody=json.dumps({"Resources": resources}))["Id"]

    raises("ValidationError", change, resources={"L": group(1)}, kind="UPDATE")
    change({"L": group(1), "R": RULE}, "CREATE")
    raises("AlreadyExistsException", change, resources={"L": group(1)}, kind="CREATE")
    raises("ChangeSetNotFoundException", cf.describe_change_set, ChangeSetName="c", StackName="other")
    cf.execute_change_set(ChangeSetName="c", StackName="s")
    same("CREATE_IN_PROGRESS", cf.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"], "status at once")
    lab.mock.tune(stack=0)
    wait_for(cf, "s", "ROLLBACK_COMPLETE")
    events = cf.describe_stack_events(StackName="s")["StackEvents"]
    failed = [e for e in events if e["ResourceStatus"] == "CREATE_FAILED"]
    same([("R", "No rules today")], [(e["LogicalResourceId"], e["ResourceStatusReason"]) for e in failed], "what failed")
    expect(events[0]["Timestamp"] >= events[-1]["Timestamp"], "events are not newest first")
    same([], logs.describe_log_groups()["logGroups"], "log groups after the rollback")
    raises("ValidationError", change, resources={"L": group(1)}, kind="UPDATE")
    raises("AlreadyExistsException", change, resources={"L": group(1)}, kind="CREATE")
    cf.delete_stack(StackName="s")
    until_gone(cf, "s")
    lab.mock.tune(fail={})
    cf.execute_change_set(ChangeSetName=change({"L": group(1), "R": RULE}, "CREATE"))
    wait_for(cf, "s", "CREATE_COMPLETE")
    same("2015-10-08", lab.client("iot").get_topic_rule(ruleName="r")["rule"]["awsIotSqlVersion"], "the rule")
    told = cf.describe_change_set(ChangeSetName=change({"L": group(1), "R": RULE}, "UPDATE"))
    same("FAILED", told["Status"], "a change set without changes")
    told = cf.describe_change_set(ChangeSetName=change({"L": group(3, "/m"), "R": RULE}, "UPDATE", name="d"))["Changes"]
    same([("L", "Modify", "True")], [(c["ResourceChange"]["LogicalResourceId"], c["ResourceChange"]["Action"], c["ResourceChange"]["Replacement"])
                                     for c in told], "changes")
    change({"L": group(7), "R": RULE}, "UPDATE", name="e")
    told = cf.describe_change_set(ChangeSetName="e", StackName="s")["Changes"]
    same("False", told[0]["ResourceChange"]["Replacement"], "another retention")
    same(["RetentionInDays"], [d["Target"]["Name"] for d in told[0]["ResourceChange"]["Details"]], "what is changed")
    lab.mock.tune(fail={"AWS::IoT::TopicRule": "No rules today"})
    cf.execute_change_set(ChangeSetName=change({"L": group(7), "R": {**RULE, "Metadata": {"a": "b"}}}, "UPDATE", name="f"))
    wait_for(cf, "s", "UPDATE_ROLLBACK_COMPLETE")
    same(1, logs.describe_log_groups()["logGroups"][0]["retentionInDays"], "retention after the rollback")


@test("mock: save and restore, Timestream, and what cannot be replaced")
def mock_rest(lab):
    lab.mock.reset()
    iot, timestream = lab.client("iot"), lab.client("timestream-write")
    iot.create_thing(thingName="kept")
    timestream.create_database(DatabaseName="iot")
    lab.mock.save()
    iot.create_thing(thingName="lost")
    iot.delete_thing(thingName="kept")
    for _ in range(2):
        lab.mock.restore()
        same(["kept"], [t["thingName"] for t in iot.list_things()["things"]], "things after the restore")
        iot.create_thing(thingName="lost")
    raises("ConflictException", timestream.create_database, DatabaseName="iot")
    timestream.create_table(DatabaseName="iot", TableName="t")
    raises("ValidationException", timestream.delete_database, DatabaseName="iot")
    lab.mock.tune(timestream=False)
    raises("AccessDeniedException", timestream.describe_database, DatabaseName="iot")
    raises("AccessDeniedException", timestream.describe_endpoints)
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
    for kind, names in CREATE_ONLY.items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
        same(sorted(names), sorted(p.rpartition("/")[2] for p in schema["createOnlyProperties"]), kind)


@test("stock moto is served too")
def stock(_):
    with Mock("--stock") as mock, Proxy(mock.port, {KEY_ID: (SECRET, None)}) as proxy:
        iot = client(proxy)
        iot.create_thing(thingName="a", attributePayload={"attributes": {"zone": "1"}})
        iot.create_thing(thingName="a", attributePayload={"attributes": {"zone": "2"}})  # as AWS would not
        same([], proxy.problems(), "problems")


if __name__ == "__main__":
    with Lab() as the_lab:
        sys.exit(run_tests(the_lab))
