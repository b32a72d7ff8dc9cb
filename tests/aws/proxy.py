"""A proxy before the mock of AWS that judges and records every request, and can make calls fail.

    with Proxy(upstream_port, keys={"AKIA...": ("secret", None)}) as proxy:
        proxy.fault = Fault("reset-after", first=3)
        ... run a command with AWS_ENDPOINT_URL=proxy.url ...
        proxy.calls       what was asked, in the order in which it came

A call is counted when its request has arrived whole; retries are calls like others. Each way of failing:

    reset-before, reset-after          the connection is reset; before: AWS never saw the call, after: it did what was asked
    error-500-before, error-500-after  InternalFailure
    throttle                           refused unseen, as the service's protocol says it (IoT by 429 and 400 in turn)
    timeout                            AWS did what was asked; the answer is held back until the client has gone
    garbage-before, garbage-after      200 and a page of HTML, as from a hotel's wifi
    half                               AWS did what was asked; half of its answer, then the end
    expired                            refused unseen: ExpiredToken
    denied                             refused unseen: AccessDenied
    kill-before, kill-after            proxy.kill() is called; the client is no more
    answer                             fault.answer (status, headers, body) instead of the mock's, which does not see it
"""

import http.client
import json
import re
import socket
import socketserver
import struct
import threading
import time

import judge

HTML = b"<!DOCTYPE html><html><body>Welcome to Hotel Bellevue. Please accept our terms.</body></html>"
AFTER = {"reset-after", "error-500-after", "timeout", "garbage-after", "half", "kill-after"}
ONCE_OR_ON = ["reset-before", "reset-after", "error-500-before", "error-500-after", "throttle", "timeout", "garbage-before", "garbage-after", "half"]
LONGEST_HOLD = 60


class Fault:
    """Calls first ... last (counted from 1), of this operation only where one is named (then only its calls are counted)."""

    def __init__(self, way, first=1, last=None, operation=None, answer=None):
        self.way, self.first, self.last, self.operation, self.answer = way, first, last or first, operation, answer
        self.seen = self.hit = 0

    def strikes(self, operation):
        if self.operation and not re.fullmatch(self.operation, operation or ""):
            return False
        self.seen += 1
        struck = self.first <= self.seen <= self.last
        self.hit += struck
        return struck


def forever(way, first=1, **more):
    return Fault(way, first, 10**9, **more)


class Reset(Exception):
    """The connection is to be reset, not closed."""


def refusal(protocol, status, code, message):
    """An error in the form of the service's protocol: (status, headers, body)."""
    if protocol == "query":
        body = (f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
                "<RequestId>5e1f0000-0000-4000-8000-000000000000</RequestId></ErrorResponse>")
        return status, {"Content-Type": "text/xml"}, body.encode()
    body = json.dumps({"__type": code, "message": message} if protocol == "json" else {"message": message}).encode()
    return status, {"Content-Type": "application/json", "x-amzn-ErrorType": code, "x-amzn-RequestId": "5e1f0000-0000-4000-8000-000000000000"}, body


class Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    rbufsize = -1

    def handle(self):
        self.upstream = None
        try:
            while request := self.read():
                self.answer(request)
        except Reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        except (ConnectionError, TimeoutError):
            pass
        finally:
            if self.upstream:
                self.upstream.close()

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            pass  # it was reset

    def read(self):
        """The next request, whole; None at the end."""
        line = self.rfile.readline(65536)
        if not line.strip():
            return None
        method, target, _ = line.decode("latin-1").split(" ", 2)
        headers = {}
        while (line := self.rfile.readline(65536)) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        if headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(headers.get("content-length", 0))
        body = self.rfile.read(length)
        return judge.Request(method, target, headers, body) if len(body) == length else None

    def answer(self, request):
        proxy = self.server.proxy
        call, fault = proxy.arrived(request)
        way = fault.way if fault else None
        if way in AFTER or not way:
            status, headers, body = self.forward(request)
            proxy.answered(call, status, headers, body)
        if not way:
            self.write(status, headers, body)
        else:
            self.fail(way, fault, call, request, *((status, headers, body) if way in AFTER else (None, None, b"")))

    def fail(self, way, fault, call, request, status, headers, body):
        protocol = judge.model(call["service"]).protocol if call["service"] else "rest-json"
        if way.startswith("reset"):
            raise Reset
        if way.startswith("kill"):
            if self.server.proxy.fault is fault:  # else the next run has begun, and this call is of one that was killed already
                self.server.proxy.kill()
            raise Reset
        if way.startswith("error-500"):
            self.write(*refusal(protocol, 500, "InternalFailure", "An internal failure happened."))
        elif way == "throttle":
            code = "Throttling" if protocol == "query" else "ThrottlingException"
            self.write(*refusal(protocol, 429 if protocol == "rest-json" and call["n"] % 2 else 400, code, "Rate exceeded"))
        elif way == "expired":
            code = "ExpiredToken" if protocol == "query" else "ExpiredTokenException"
            self.write(*refusal(protocol, 403, code, "The security token included in the request is expired"))
        elif way == "denied":
            self.write(*denial(protocol, call))
        elif way.startswith("garbage"):
            self.write(200, {"Content-Type": "text/html"}, HTML)
        elif way == "answer":
            self.write(*fault.answer)
        elif way == "half":
            self.write(status, headers, body, sent=len(body) // 2, length=max(len(body), 100))
            raise Reset if call["n"] % 2 else ConnectionError
        elif way == "timeout":
            self.hold()

    def hold(self):
        """Until the client has closed its end."""
        self.connection.settimeout(LONGEST_HOLD)
        self.connection.recv(1)
        raise ConnectionError

    def forward(self, request):
        for attempt in (1, 2):
            if not self.upstream:
                self.upstream = http.client.HTTPConnection("127.0.0.1", self.server.proxy.upstream_port)
                self.upstream.connect()
                self.upstream.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self.upstream.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
                for name, value in request.headers.items():
                    if name not in ("connection", "expect"):
                        self.upstream.putheader(name, value)
                self.upstream.endheaders(request.body)
                answer = self.upstream.getresponse()
                body = answer.read()
                return answer.status, dict(answer.getheaders()), body
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.upstream.close()
                self.upstream = None  # it had closed an idle connection
                if attempt == 2:
                    raise

    def write(self, status, headers, body, sent=None, length=None):
        skip = ("connection", "content-length", "transfer-encoding", "keep-alive")
        lines = [f"HTTP/1.1 {status} {http.client.responses.get(status, 'Answer')}"]
        lines += [f"{name}: {value}" for name, value in headers.items() if name.lower() not in skip]
        lines.append(f"Content-Length: {len(body) if length is None else length}")
        self.wfile.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body if sent is None else body[:sent]))


def denial(protocol, call):
    """As IAM words it ("Troubleshoot access denied error messages", IAM user guide)."""
    action = judge.action(call["service"], call["operation"])
    return refusal(protocol, 403, "AccessDenied" if protocol == "query" else "AccessDeniedException",
                   f"User: arn:aws:iam::123456789012:user/operator is not authorized to perform: {action} "
                   "on resource: * because no identity-based policy allows the action")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class Proxy:
    def __init__(self, upstream_port, keys, regions=("eu-west-1",), log=None):
        self.upstream_port, self.keys, self.regions, self.log = upstream_port, dict(keys), regions, log
        self.calls, self.fault, self.kill = [], None, lambda: None
        self.lock = threading.Lock()
        self.server = Server(("127.0.0.1", 0), Connection)
        self.server.proxy = self
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def arrived(self, request):
        verdict = judge.judge(request, self.keys, self.regions)
        with self.lock:
            fault = self.fault if self.fault and self.fault.strikes(verdict.operation) else None
            call = {"n": len(self.calls) + 1, "at": time.monotonic(), "service": verdict.service, "operation": verdict.operation,
                    "parameters": verdict.parameters, "key_id": verdict.key_id, "problems": verdict.problems,
                    "fault": fault.way if fault else None, "status": None, "code": None, "answer": ""}
            self.calls.append(call)
        return call, fault

    def answered(self, call, status, headers, body):
        call["status"], call["answer"] = status, body.decode("utf-8", "replace")
        call["code"] = None if status < 300 else error_code(headers, body)
        if status >= 500:
            call["problems"].append(f"the mock itself failed: {status}")
        if call["operation"] in ("AssumeRole", "AssumeRoleWithWebIdentity") and status == 200:
            self.learn(body.decode())
        if self.log:
            with self.lock, open(self.log, "a", encoding="utf-8") as log:
                log.write(json.dumps({k: call[k] for k in ("service", "operation", "parameters", "status", "answer")}, default=str) + "\n")

    def learn(self, xml):
        """Keys that STS gave out are signed with from now on."""
        words = {name: value for name, value in re.findall(r"<(AccessKeyId|SecretAccessKey|SessionToken)>([^<]*)<", xml)}
        self.keys[words["AccessKeyId"]] = (words["SecretAccessKey"], words["SessionToken"])

    def begin(self, fault=None):
        """A new recording."""
        with self.lock:
            self.calls, self.fault = [], fault

    def problems(self):
        """What was wrong with any request since begin()."""
        return [f"call {c['n']} {c['service']} {c['operation']}: {p}" for c in self.calls for p in c["problems"]]

    def operations(self):
        return [c["operation"] for c in self.calls]


def error_code(headers, body):
    named = {k.lower(): v for k, v in headers.items()}.get("x-amzn-errortype")
    found = re.search(rb"<Code>([^<]*)<", body) or re.search(rb'"__type": *"(?:[^"]*#)?([^"]*)"', body)
    return named or (found.group(1).decode() if found else None)


