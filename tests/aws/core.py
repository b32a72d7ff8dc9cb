#!/usr/bin/env python3
"""core.py [DRIVER]: how one call of AWS goes: signing, retries, back-off, clocks, expired keys, rates, broken answers.

A server of our own answers each request as a test says, and keeps what was asked; each signature is computed anew by botocore.
DRIVER is tests/unit/aws_driver.c, built (build/tests/unit/aws_driver; made where it is not given).
"""

import email.utils
import json
import os
import pathlib
import random
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import judge
from lab import Wrong, expect, run_tests, same, test

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "IQoJb3JpZ2luX2VjEJr//Token+=="
RESET = "reset"  # what a test's answer may be instead of bytes
HOLD = "hold"


def reply(status, body=b"", **headers):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Content-Type": "application/json", "Content-Length": len(body), "Date": email.utils.formatdate(usegmt=True), "x-amzn-RequestId": "r-1",
             **{k.replace("_", "-"): v for k, v in headers.items()}}
    return f"HTTP/1.1 {status} Said\r\n".encode() + "".join(f"{k}: {v}\r\n" for k, v in lines.items() if v is not None).encode() + b"\r\n" + body


def refusal(status, code, message="no", **headers):
    return reply(status, {"message": message}, x_amzn_ErrorType=code, **headers)


class Server:
    """answer(request, number) gives bytes, (bytes, "close"), RESET or HOLD; number counts from 1."""

    def __init__(self, answer, tls=None):
        self.tls, self.answer, self.requests, self.times, self.connections, self.lock = tls, answer, [], [], 0, threading.Lock()
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.socket.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection = self.tls.wrap_socket(connection, server_side=True) if self.tls else connection
        except OSError:
            return  # it did not trust us
        stream = connection.makefile("rb")
        try:
            while line := stream.readline():
                method, target, _ = line.decode("latin-1").split(" ", 2)
                headers = {}
                while (line := stream.readline()).strip():
                    name, _, value = line.decode("latin-1").partition(":")
                    headers[name.lower()] = value.strip()
                request = judge.Request(method, target, headers, stream.read(int(headers.get("content-length", 0))))
                with self.lock:
                    self.requests.append(request)
                    self.times.append(time.monotonic())
                    number = len(self.requests)
                if not self.say(connection, self.answer(request, number)):
                    break
        except (OSError, ValueError):
            pass  # it went away, or spoke TLS
        stream.close()
        connection.close()

    def say(self, connection, answer):
        if answer == HOLD:
            time.sleep(120)
            return False
        if answer == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return False
        data, close = answer if isinstance(answer, tuple) else (answer, None)
        connection.sendall(data)
        return not close

    def judge(self, keys=None, wrong_dates=False):
        for request in self.requests:
            verdict = judge.Verdict()
            judge.judge_signature(request, keys or {KEY: (SECRET, None)}, ("eu-west-1", "us-east-1"), verdict)
            problems = [p for p in verdict.problems if not (wrong_dates and "five minutes" in p)]
            expect(not problems, f"{request.method} {request.target}: {problems}")


def call(operation="DescribeThing", **more):
    return {"service": "iot", "operation": operation, "method": "GET", "path": "/things/kitchen", **more}


class Ran:
    def __init__(self, results, log):
        self.results, self.log = results, log
        self.one = results[0] if results else None


HOME = DRIVER = None


def drive(server, *calls, arguments=(), **environment):
    given = {"PATH": os.environ["PATH"], "HOME": HOME, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "eu-west-1",
             "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": server.url if server else "", "SENSORFORGE_AWS_BACKOFF": "0.01",
             "NO_PROXY": "*", **environment}
    ran = subprocess.run([DRIVER, *map(str, arguments)], input="".join(json.dumps(c) + "\n" for c in calls), capture_output=True, text=True,
                         env={k: str(v) for k, v in given.items() if v is not None}, timeout=60, check=False)
    expect(ran.returncode in (0, 1), f"exit code {ran.returncode}: {ran.stderr}")
    for secret in (SECRET, TOKEN):
        expect(secret not in ran.stdout + ran.stderr, "a secret was said")
    return Ran([json.loads(line) for line in ran.stdout.splitlines()], ran.stderr)


def first_then(first, then=None, times=1):
    """A server's answers: the first so many times, then the other."""
    return lambda request, number: first if number <= times else then or reply(200, {"thingName": "kitchen"})


# --- signing -------------------------------------------------------------------------------------------

@test("every request is signed as botocore signs it")
def signed(driver):
    chance = random.Random(7)
    calls = []
    for number in range(200):
        name = "".join(chance.choice("abZ09-_.~:@% /+,;=&!*'()$\"<>#?[]^{|}\\\u00fc\U0001f321") for _ in range(chance.randint(1, 12)))
        escaped = judge.quote(name, safe="-_.~")
        query = "&".join(f"{judge.quote(chance.choice('abAB'), safe='')}={judge.quote(chance.choice(['', '1', 'x y', '=', name]), safe='-_.~')}"
                         for _ in range(chance.randint(0, 4)))
        body = {name: name} if chance.random() < 0.5 else None
        kind = chance.choice(["iot", "iot", "dynamodb", "cloudformation", "sts", "iam"])
        calls.append({"service": kind, "operation": "Anything", **({"method": chance.choice(["GET", "PUT", "POST", "DELETE", "PATCH"]), "path": f"/x/{escaped}",
                     "query": query} if kind == "iot" else {}), **({"body": body} if body else {})})
    xml = reply(200, b"<A/>")
    with Server(lambda request, number: xml if b"Action=" in request.body else reply(200, {})) as server:
        ran = drive(server, *calls)
        same([0] * 200, [r["status"] for r in ran.results], "results")
        server.judge()
        expect(server.connections <= 16, f"{server.connections} connections")
        server.requests.clear()
        drive(server, *calls[:20], AWS_SESSION_TOKEN=TOKEN)
        server.judge({KEY: (SECRET, TOKEN)})
        same({TOKEN}, {r.headers.get("x-amz-security-token") for r in server.requests}, "tokens")


@test("connections are kept, and no more of them than may be in flight")
def kept(driver):
    with Server(lambda request, number: reply(200, {})) as server:
        drive(server, *[call() for _ in range(100)], arguments=("", 1000, 3))
        same((100, True), (len(server.requests), server.connections <= 3), f"requests, connections ({server.connections})")


# --- trying again ---------------------------------------------------------------------------------------

@test("what passes is tried again; and whether the call may have been carried out is said")
def again(driver):
    half = reply(200, {"thingName": "kitchen"})[:-5]
    cases = {"500": (refusal(500, "InternalFailureException"), True), "503": (refusal(503, "ServiceUnavailableException"), True),
             "502 as HTML": (reply(502, b"<html>bad gateway</html>", Content_Type="text/html"), True),
             "throttled": (refusal(400, "ThrottlingException"), False), "429": (refusal(429, "TooManyRequestsException"), False),
             "429 without a code": (reply(429, b""), False),
             "code in the body": (reply(400, {"__type": "com.amazon.coral#ThrottlingException:http://x", "message": "slow"}), False),
             "reset": (RESET, True), "half": ((half, "close"), True), "closed": ((b"", "close"), True),
             "header cut off": ((b"HTTP/1.1 200 OK\r\nContent-Le", "close"), True),
             "HTML": (reply(200, b"<!DOCTYPE html><html></html>", Content_Type="text/html"), True),
             "nonsense": ((b"nonsense\r\n\r\n", "close"), True), "array": (reply(200, b"[1]"), True), "not UTF-8": (reply(200, b'{"a":"\xff"}'), True)}
    for name, (answer, uncertain) in cases.items():
        with Server(first_then(answer)) as server:
            ran = drive(server, call())
            same([0, 2, uncertain, {"thingName": "kitchen"}], [ran.one[k] for k in ("status", "attempts", "uncertain", "answer")], f"{name}: result")
            server.judge()
        with Server(lambda request, number, answer=answer: answer) as server:
            ran = drive(server, call(), SENSORFORGE_AWS_BACKOFF="0.001")
            most = 10 if name in ("throttled", "429", "429 without a code", "code in the body") else 5
            same([3, most, most, uncertain], [ran.one["status"], ran.one["attempts"], len(server.requests), ran.one["uncertain"]], f"{name}, for ever: result")
            expect(ran.one["code"] and ran.one["message"], f"{name}, for ever: {ran.one}")


@test("an answer of success without what the operation gives is none")
def hollow(driver):
    whole = {"certificateId": "ab", "certificateArn": "arn:x"}
    wanted = {"wanted": "certificateId certificateArn"}
    for name, body in {"empty": b"", "no members": {}, "one of two": {"certificateId": "ab"}, "null": whole | {"certificateArn": None},
                       "empty string": whole | {"certificateId": ""}}.items():
        with Server(first_then(reply(200, body), reply(200, whole))) as server:
            ran = drive(server, call("CreateCertificateFromCsr", **wanted))
            same([0, 2, True, whole], [ran.one[k] for k in ("status", "attempts", "uncertain", "answer")], f"{name}: result")
        with Server(lambda request, number, body=body: reply(200, body)) as server:
            ran = drive(server, call("CreateCertificateFromCsr", **wanted), SENSORFORGE_AWS_BACKOFF="0.001")
            same([3, 5, True, "NoAnswer", False], [ran.one[k] for k in ("status", "attempts", "uncertain", "code")] + ["answer" in ran.one], f"{name}: for ever")
            missing = "certificateArn" if name in ("one of two", "null") else "certificateId"
            same(f"127.0.0.1:{server.port} answered iot CreateCertificateFromCsr without {missing} (request r-1)", ran.one["message"], "message")
            expect("proxy" in ran.one["advice"], ran.one["advice"])
    xml = {"service": "cloudformation", "operation": "CreateChangeSet", "wanted": "CreateChangeSetResult"}
    good = reply(200, b"<R><CreateChangeSetResult><Id>a</Id></CreateChangeSetResult></R>")
    for body in (b"", b"<R><ResponseMetadata/></R>", b"<R><CreateChangeSetResult/></R>"):
        with Server(first_then(reply(200, body), good)) as server:
            ran = drive(server, xml)
            same([0, 2, True], [ran.one[k] for k in ("status", "attempts", "uncertain")], f"{body}: result")
    with Server(lambda request, number: reply(200, {"things": []})) as server:
        ran = drive(server, call(wanted="things"), call())
        same([(0, 1, False)] * 2, [(r["status"], r["attempts"], r["uncertain"]) for r in ran.results], "an empty list; one that nothing is wanted of")


@test("what does not pass is not tried again")
def not_again(driver):
    for status, code in ((400, "InvalidRequestException"), (403, "AccessDeniedException"),
                         (404, "ResourceNotFoundException"), (409, "ResourceAlreadyExistsException"),
                         (501, "NotImplemented"), (301, "Moved")):
        with Server(lambda request, number, status=status, code=code: refusal(status, code, Location="http://127.0.0.1:1/")) as server:
            ran = drive(server, call())
            same([3, 1, code, status], [ran.one[k] for k in ("status", "attempts", "code", "http")], "result")
            same(status >= 500, ran.one["uncertain"], "uncertain")


@test("a kept connection that was closed meanwhile is noticed: what went over it may have happened")
def stale(driver):
    def answer(request, number):
        return reply(200, {}) if number == 1 else ((b"", "close") if number == 2 else reply(200, {"again": True}))

    with Server(answer) as server:
        ran = drive(server, call(), call(pause=0.3))
        second = next(r for r in ran.results if r["place"] == 1)
        same([0, 2, True, {"again": True}], [second[k] for k in ("status", "attempts", "uncertain", "answer")], "the second call")


@test("an answer that does not come, or is endless, is given up")
def timeouts(driver):
    with Server(first_then(HOLD)) as server:
        began = time.monotonic()
        ran = drive(server, call(), SENSORFORGE_AWS_TIMEOUT="0.3")
        same([0, 2, True], [ran.one[k] for k in ("status", "attempts", "uncertain")], "result")
        expect(time.monotonic() - began < 60, f"it waited {time.monotonic() - began}")
    with Server(lambda request, number: reply(200, b"{" + b" " * (17 << 20))) as server:
        ran = drive(server, call())
        same([3, "NoAnswer", True], [ran.one[k] for k in ("status", "code", "uncertain")], "result of 17 MB")
        expect("16 MB" in ran.one["message"], ran.one["message"])
    with Server(lambda request, number: b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20000) as server:
        ran = drive(server, call(), SENSORFORGE_AWS_TIMEOUT="2")
        same([3, "NoAnswer"], [ran.one[k] for k in ("status", "code")], "result of an endless header")


@test("nobody there: no host, no connection, no trust")
def unreachable(driver):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    ran = drive(None, call(), AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}")
    same([3, "NoAnswer", False, 3], [ran.one[k] for k in ("status", "code", "uncertain", "attempts")], "refused")
    expect(f"127.0.0.1:{port}" in ran.one["message"] and "region (eu-west-1)" in ran.one["advice"], str(ran.one))
    ran = drive(None, call(), AWS_ENDPOINT_URL="http://nowhere.invalid")
    same([3, False], [ran.one[k] for k in ("status", "uncertain")], "no such host")
    expect("nowhere.invalid" in ran.one["message"], str(ran.one))
    with Server(lambda request, number: reply(200, {})) as server:
        ran = drive(None, call(), AWS_ENDPOINT_URL=server.url.replace("http:", "https:"))
        same([3, False], [ran.one[k] for k in ("status", "uncertain")], "no TLS")


@test("a certificate is trusted only if AWS_CA_BUNDLE or the system does")
def trust(driver):
    files = [f"{HOME}/{name}.pem" for name in ("key", "certificate")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", files[0], "-out", files[1], "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files[1], files[0])
    with Server(lambda request, number: reply(200, {}), context) as server:
        ran = drive(server, call())
        same([3, 1, False, 0], [ran.one["status"], ran.one["attempts"], ran.one["uncertain"], len(server.requests)], "not trusted")
        expect("trusted" in ran.one["message"] and "AWS_CA_BUNDLE" in ran.one["advice"], str(ran.one))
        ran = drive(server, *[call() for _ in range(5)], AWS_CA_BUNDLE=files[1])
        same([0] * 5, [r["status"] for r in ran.results], "trusted")
        server.judge()
        ran = drive(server, *[call(changes=True) for _ in range(6)], arguments=("", 1000, 2, 3), AWS_CA_BUNDLE=files[1])
        same([0] * 6, [r["status"] for r in ran.results], "trusted, in three processes")
        ran = drive(server, call(), AWS_CA_BUNDLE="/nowhere.pem")
        expect(ran.one["status"] == 3 and "/nowhere.pem" in ran.one["message"], str(ran.one))


@test("Retry-After is waited for, and other calls go on meanwhile")
def waiting(driver):
    def answer(request, number):
        mine = [r for r in server.requests if r.path == request.path]
        return refusal(503, "ServiceUnavailable", Retry_After="1") if request.path.endswith("slow") and len(mine) == 1 else reply(200, {})

    with Server(answer) as server:
        ran = drive(server, call("SlowThing", path="/things/slow"), *[call() for _ in range(50)], arguments=("", 1000, 1))
        same([0] * 51, [r["status"] for r in ran.results], "results")
        same(0, ran.results[-1]["place"], "who came last")
        slow = [t for r, t in zip(server.requests, server.times) if r.path.endswith("slow")]
        expect(0.95 < slow[1] - slow[0] < 30, f"waited {slow[1] - slow[0]}")
    with Server(first_then(refusal(503, "ServiceUnavailable", x_amz_retry_after="400"))) as server:
        drive(server, call())
        expect(0.38 < server.times[1] - server.times[0] < 30, f"waited {server.times[1] - server.times[0]}")


# --- clocks and keys ------------------------------------------------------------------------------------

@test("a clock that is wrong is corrected once, by AWS's")
def clocks(driver):
    for hours in (-2, 3):
        their = time.time() + hours * 3600

        def answer(request, number, their=their):
            stamp = judge.datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=judge.timezone.utc).timestamp()
            date = email.utils.formatdate(their, usegmt=True)
            return reply(200, {}, Date=date) if abs(stamp - their) < 60 else refusal(403, "SignatureDoesNotMatch", "Signature expired", Date=date)

        with Server(answer) as server:
            ran = drive(server, call(), call(pause=0.2))
            same([0, 0], [r["status"] for r in ran.results], "results")
            same(3, len(server.requests), "requests")
            server.judge(wrong_dates=True)
    date = email.utils.formatdate(time.time() + 7200, usegmt=True)
    with Server(lambda request, number: refusal(403, "RequestTimeTooSkewed", Date=date)) as server:
        ran = drive(server, call())
        same([3, 2], [ran.one["status"], len(server.requests)], "a clock that cannot be right: result, requests")
        expect("clock" in ran.one["advice"], str(ran.one))
    with Server(lambda request, number: refusal(403, "SignatureDoesNotMatch")) as server:
        ran = drive(server, call())
        same([3, 1], [ran.one["status"], len(server.requests)], "a wrong key: result, requests")
        expect("secret access key" in ran.one["advice"], str(ran.one))


@test("keys that AWS calls expired are found anew, once; the same ones are not tried again")
def expired(driver):
    with Server(lambda request, number: refusal(403, "ExpiredTokenException", "The security token included in the request is expired")) as server:
        ran = drive(server, call())
        same([3, 1], [ran.one["status"], len(server.requests)], "result, requests")
        same("AWS refused the credentials of the environment: ExpiredTokenException (request r-1)", ran.one["message"], "message")
        expect("AWS_SESSION_TOKEN" in ran.one["advice"], ran.one["advice"])
    folder = pathlib.Path(HOME, ".aws")
    folder.mkdir(exist_ok=True)
    keys = json.dumps({"Version": 1, "AccessKeyId": "AKNUMBER", "SecretAccessKey": "s/N", "SessionToken": "t"})
    pathlib.Path(HOME, "keys").write_text(f"#!/bin/sh\necho x >> {HOME}/count\nn=$(wc -l < {HOME}/count)\nsed s/NUMBER/$n/ <<'END'\n{keys}\nEND\n")
    pathlib.Path(HOME, "keys").chmod(0o755)
    (folder / "config").write_text(f"[profile p]\ncredential_process = {HOME}/keys\n")
    with Server(lambda request, number: refusal(403, "ExpiredToken") if "AK1/" in request.headers["authorization"] else reply(200, {})) as server:
        ran = drive(server, *[call() for _ in range(4)], arguments=("p",))
        same([0] * 4, [r["status"] for r in ran.results], "results")
        server.judge({"AK1": ("s/N", "t"), "AK2": ("s/N", "t")})
        same({"AK1", "AK2"}, {judge.AUTHORIZATION.match(r.headers["authorization"])[1] for r in server.requests}, "keys: found anew once for all four")
    (folder / "config").unlink()


# --- rates ----------------------------------------------------------------------------------------------

def made(server):
    return [t for r, t in zip(server.requests, server.times) if r.path == "/made"]


@test("an operation goes at its rate, in all processes together, and holds up no other")
def rates(driver):
    for processes in ("", "3"):
        with Server(lambda request, number: reply(200, {})) as server:
            calls = [call("CreateThing", path="/made", changes=True) for _ in range(30)] + [call("AttachPolicy", changes=True), call()] * 3
            drive(server, *calls, arguments=("", 10, 16, processes) if processes else ("", 10))
            times = made(server)
            same(30, len(times), "calls")
            expect(1.9 < times[-1] - times[0] < 30, f"30 calls at 10 a second, the first 10 at once, took {times[-1] - times[0]}")
            within = max(sum(1 for t in times if start <= t < start + 1) for start in times)
            expect(within <= 21, f"{within} calls within a second")
            others = [t for r, t in zip(server.requests, server.times) if r.path != "/made"]
            expect(max(others) < times[-1], "others were held up")


@test("throttling makes an operation slower, and its calls still come to an end")
def throttling(driver):
    def answer(request, number):
        return refusal(400, "ThrottlingException", "Rate exceeded") if number == 1 else reply(200, {})

    with Server(answer) as server:
        drive(server, *[call("CreateThing", path="/made", changes=True) for _ in range(60)], arguments=("", 40, 1))
        expect(made(server)[-1] - made(server)[1] > 1.2, f"60 calls at 40 a second with 40 at once, throttled: {made(server)[-1] - made(server)[1]}")
    with Server(lambda request, number: refusal(400, "ThrottlingException", "Rate exceeded")) as server:
        ran = drive(server, call("CreateThing", changes=True), SENSORFORGE_AWS_BACKOFF="0.001")
        expect("requests_per_second" in ran.one["advice"] and ran.one["attempts"] == 10, str(ran.one))


class Bucket:
    """A service that gives so many calls a second."""

    def __init__(self, rate):
        self.rate, self.tokens, self.at, self.refused = rate, rate, time.monotonic(), 0
        self.lock = threading.Lock()

    def __call__(self, request, number):
        with self.lock:
            now = time.monotonic()
            self.tokens, self.at = min(self.rate, self.tokens + (now - self.at) * self.rate), now
            if self.tokens < 1:
                self.refused += 1
                return refusal(400, "ThrottlingException", "Rate exceeded")
            self.tokens -= 1
            return reply(200, {"thingName": "kitchen"})


@test("reads have a rate, too: four times as fast, and slower where AWS wants them slower")
def reading(driver):
    for processes in ("", "3"):
        with Server(lambda request, number: reply(200, {})) as server:
            drive(server, *[call() for _ in range(80)], arguments=("", 10, 16, processes) if processes else ("", 10))
            took = server.times[-1] - server.times[0]
            expect(0.9 < took < 30, f"80 reads at 40 a second, the first 40 at once, took {took}")
        bucket = Bucket(10)
        with Server(bucket) as server:
            ran = drive(server, *[call() for _ in range(120)], arguments=("", 10, 16, processes) if processes else ("", 10))
            same({0}, {r["status"] for r in ran.results}, "results")
            expect(bucket.refused < 70, f"{bucket.refused} of {len(server.requests)} calls were throttled")


# --- what is said ---------------------------------------------------------------------------------------

@test("errors name what was called, what AWS said and what to do, in one clean line")
def messages(driver):
    def said(answer, **more):
        with Server(lambda request, number: answer) as server:
            return drive(server, call(**more), **({"AWS_SESSION_TOKEN": TOKEN} if TOKEN.encode() in answer else {})).one

    denied = "User: arn:aws:iam::123456789012:user/a is not authorized to perform: iot:TagResource on resource: x"
    one = said(refusal(403, "AccessDeniedException", denied))
    same(f"AWS refused iot DescribeThing: AccessDeniedException: {denied} (request r-1)", one["message"], "message")
    expect("iot:TagResource" in one["advice"], one["advice"])
    expect("iot:DescribeThing" in said(refusal(403, "AccessDeniedException", ""))["advice"], "the action, where AWS does not name it")
    one = said(refusal(400, "InvalidRequestException", "two\nlines \x1b[31mand\x07 colour " + "x" * 5000))
    expect(re.fullmatch(r"[ -~]{100,800}", one["message"]) and "two lines [31mand colour xxx" in one["message"], one["message"])
    one = said(refusal(403, "SignatureDoesNotMatch", f"Wrong. The Canonical String for this request should have been\n'GET\n/\nx-amz-security-token:{TOKEN}'"))
    expect("Canonical" not in one["message"], one["message"])
    one = said(refusal(400, "InvalidRequestException", f"what is {TOKEN}?"))
    expect("what is ****" in one["message"], one["message"])
    one = said(refusal(400, "ValidationException", "Value 'hunter2hunter2' is wrong"), method="POST", body={"a": [{"b": "hunter2hunter2"}]}, secret=True)
    expect("hunter2" not in json.dumps(one) and "Value '****" in one["message"], str(one))
    expect("Service Quotas" in said(refusal(410, "LimitExceededException"))["advice"], "a quota")
    expect("session token is missing" in said(refusal(403, "UnrecognizedClientException"))["advice"], "an unknown key")
    one = said(refusal(400, "ExpiredTokenException"), anonymous=True)
    expect("web identity's token" in one["message"] and one["attempts"] == 1, str(one))
    expect("eu-west-1" in said(refusal(403, "InvalidSignatureException", "Credential should be scoped to a valid region."))["advice"], "a wrong region")
    error = b"<ErrorResponse xmlns='urn:x'><Error><Type>Sender</Type><Code>ValidationError</Code>"
    error += b"<Message>Stack &lt;a&gt; is gone</Message></Error><RequestId>q-2</RequestId></ErrorResponse>"
    one = said(reply(400, error, x_amzn_RequestId=None), service="cloudformation", operation="DescribeStacks", method="POST", path="/")
    same(["ValidationError", "q-2", "AWS refused cloudformation DescribeStacks: ValidationError: Stack <a> is gone (request q-2)"],
         [one[k] for k in ("code", "request_id", "message")], "an error in XML")


@test("--verbose tells of each attempt, without secrets")
def log(driver):
    with Server(first_then(refusal(500, "InternalFailure"))) as server:
        ran = drive(server, call())
        lines = ran.log.splitlines()
        expect(re.fullmatch(r"iot DescribeThing 500 InternalFailure in \d+ ms, again in 0\.0 s", lines[1]) and
               re.fullmatch(r"iot DescribeThing 200 in \d+ ms", lines[2]) and len(lines) == 3, ran.log)
    with Server(first_then(refusal(400, "ThrottlingException"))) as server:
        lines = drive(server, call()).log.splitlines()
        expect(re.fullmatch(r"iot DescribeThing 400 ThrottlingException in \d+ ms, again in \d\.\d s, now \d+\.\d calls a second", lines[1]), lines[1])


def build():
    made = ROOT / "build/tests/unit/aws_driver"
    ran = subprocess.run(["make", "--silent", "--no-print-directory", str(made.relative_to(ROOT))], cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise Wrong(ran.stderr)
    return str(made)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="sensorforge-core-") as HOME:
        DRIVER = sys.argv[1] if len(sys.argv) > 1 else build()
        sys.exit(run_tests(DRIVER))
