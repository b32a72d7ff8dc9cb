#!/usr/bin/env python3
"""The simulator's umqtt says to a broker what micropython-lib's says, byte by byte, and makes the same of its answers.

umqtt.json is what micropython-lib's own did, of the releases that it names, with each call of CALLS on a socket whose answers are given: what it
wrote, what it returned or raised, what it handed to the callback. With SENSORFORGE_UMQTT=FOLDER (as bench.py has it) that one is held
against the same; with RENEW=RELEASE what it does is written down as that release's.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from bench import CLEAN_UP, ENVIRONMENT, MICROPYTHON, REPO, UMQTT, main, same, test

EXPECTED = Path(__file__).with_name("umqtt.json")
# Name of the case: the calls as Python (c is the client), and what the broker sends, in hexadecimal.
CALLS = {
    "connect": ("c.connect()", "20020000"),
    "connect, a session is there": ("c.connect(False)", "20020100"),
    "connect, refused": ("c.connect()", "20020005"),
    "connect, no answer that is one": ("c.connect()", "30020000"),
    "connect, a name and a password": ("c.user, c.pswd, c.keepalive = 'user', 'password', 300\nc.connect()", "20020000"),
    "connect, a last will": ("c.set_last_will(b'a/will', 'gone', retain=True, qos=1)\nc.connect()", "20020000"),
    "publish": ("c.publish(b'a/b', b'{}')", ""),
    "publish, text": ("c.publish('a/b', '{}', retain=True)", ""),
    "publish, long": ("c.publish(b'a/b', b'x' * 300)", ""),
    "publish, acknowledged": ("c.publish(b'a/b', b'{}', qos=1)", "40020001"),
    "publish, another one's acknowledgement first": ("c.publish(b'a/b', b'{}', qos=1)", "40020009" + "40020001"),
    "publish, a message comes first": ("c.publish(b'a/b', b'{}', qos=1)", "3208" + "0001" + "74" + "0007" + "686579" + "40020001"),
    "publish, the connection ends": ("c.publish(b'a/b', b'{}', qos=1)", ""),
    "publish twice": ("c.publish(b'a', b'1', qos=1)\nc.publish(b'a', b'2', qos=1)", "40020001" + "40020002"),
    "subscribe": ("c.subscribe(b'a/command', qos=1)", "9003000101"),
    "subscribe, refused": ("c.subscribe(b'a/command', qos=1)", "9003000180"),
    "subscribe, a message comes first": ("c.subscribe('a/command')", "3005" + "0001" + "74" + "6869" + "9003000100"),
    "ping": ("c.ping()", ""),
    "disconnect": ("c.disconnect()", ""),
    "wait, a message": ("c.wait_msg()", "3005" + "0001" + "74" + "6869"),
    "wait, a long message": ("c.wait_msg()", "30c801" + "0001" + "74" + "61" * 197),
    "wait, a message to acknowledge": ("c.wait_msg()", "3207" + "0001" + "74" + "0102" + "6869"),
    "wait, an answer to a ping": ("c.wait_msg()", "d000"),
    "wait, the connection has ended": ("c.wait_msg()", ""),
    "check, nothing there": ("c.sock.empty = True\nc.check_msg()", ""),
    "check, a message": ("c.check_msg()", "3005" + "0001" + "74" + "6869"),
}
SCRIPT = """
import sys
import io
sys.path.insert(0, {modules!r})
import _world
_world.world["platform"], _world.world["micropython"] = "esp32", {version!r}
sys.path.insert(0, {folder!r})


class Socket:
    def __init__(self, *_):
        self.sent, self.answer, self.empty, self.blocking = b"", b"", False, []

    def write(self, data, *size):
        data = data.encode() if isinstance(data, str) else bytes(data)
        self.sent += data[: size[0]] if size else data

    def read(self, size):
        if self.empty:
            return None
        data, self.answer = self.answer[:size], self.answer[size:]
        return data

    def setblocking(self, on):
        self.blocking.append(bool(on))

    def settimeout(self, seconds):
        pass

    def connect(self, address):
        pass

    def close(self):
        self.sent += b"closed"


class Module:
    socket = lambda *_: ONE
    getaddrinfo = lambda *_: [(0, 0, 0, "", ("broker", 1883))]


sys.modules["socket"] = sys.modules["usocket"] = Module
from umqtt.simple import MQTTClient
from binascii import hexlify, unhexlify
import json
for name, (code, answer) in json.loads({calls!r}).items():
    ONE = Socket()
    ONE.answer = unhexlify(answer)
    heard = []
    c = MQTTClient(b"thing", "broker")
    c.sock = ONE
    c.set_callback(lambda topic, message: heard.append([hexlify(topic).decode(), hexlify(message).decode()]))
    if "connect" in code and "disconnect" not in code:
        c.sock = None
    try:
        *first, last = code.split("\\n")
        for line in first:
            exec(line, dict(c=c))
        result = eval(last, dict(c=c))
    except Exception as error:
        result = type(error).__name__
    print(json.dumps([name, hexlify(ONE.sent).decode(), result, heard, ONE.blocking]))
"""


def what_it_does(folder, version):
    script = SCRIPT.format(modules=str(REPO / "simulator/modules"), version=version, folder=str(folder), calls=json.dumps(CALLS))
    ran = subprocess.run([MICROPYTHON, "-c", script], env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return {line[0]: line[1:] for line in map(json.loads, ran.stdout.splitlines())}


if UMQTT and os.environ.get("RENEW"):
    known = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
    known[os.environ["RENEW"]] = what_it_does(UMQTT, os.environ["RENEW"])
    lines = [f"  {json.dumps(release)}: {{\n" + ",\n".join(f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in known[release].items()) + "\n  }"
             for release in sorted(known)]
    EXPECTED.write_text("{\n" + ",\n".join(lines) + "\n}\n")

for each in json.loads(EXPECTED.read_text()):
    def one(release=each):
        got = what_it_does(UMQTT or REPO / "simulator/modules", release)
        for name, wanted in json.loads(EXPECTED.read_text())[release].items():
            same(wanted, got[name], f"{name}: written, result, callback, setblocking()")
    one.__name__ = f"umqtt of micropython-lib {each}: the same bytes, results and messages"
    if not os.environ.get("RENEW"):
        test(one)


if __name__ == "__main__":
    CLEAN_UP.close()
    sys.exit(main())
