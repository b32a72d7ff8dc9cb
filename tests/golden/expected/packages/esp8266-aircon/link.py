# TLS and MQTT. What fails raises, within bounded time.
import gc
import io
import json
import socket
import time
from micropython import const

import board
from common import SET_MS, is_set_for, memory, now_ms, settings
from umqtt.simple import MQTTClient

try:
    import tls
except ImportError:
    import ssl as tls

_SOCKET_SECONDS = const(15)
_TRUST_MS = const(86400000)
_LIVE_MS = const(60000)
_KEEPALIVE = const(120)
_QUIET = const(1000)

command_came = False
topic = tail = stream = None


def load(path):
    with open(path, "rb") as file:
        return file.read()


class Stream(io.IOBase):
    def __init__(self, sock):
        self.sock = sock
        self.context = None
        sock.settimeout(_SOCKET_SECONDS)

    def readinto(self, buffer):
        if self.context:
            self.context.load_cert_chain(None, None)
            self.context = None
            gc.collect()
        try:
            size = self.sock.readinto(buffer)
            if size:
                self.heard_at = time.ticks_ms()
            return size
        except OSError as error:
            return -error.errno

    def write(self, buffer):
        try:
            return self.sock.write(buffer)
        except OSError as error:
            return -error.errno

    def ioctl(self, request, argument):
        if request == 4:
            self.sock.close()
        return 0

    def setblocking(self, flag):
        self.sock.settimeout(_SOCKET_SECONDS if flag else 0)


def secure(stream, host):
    if not hasattr(tls, "SSLContext") or not hasattr(tls.SSLContext, "load_cert_chain"):
        return tls.wrap_socket(stream, key=load("key.der"), cert=load("cert.der"), server_hostname=host)
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(load("cert.der"), load("key.der"))
    if board.VERIFIES_SERVER:
        context.verify_mode = tls.CERT_REQUIRED
        authorities = load("ca.der")
        while authorities:
            length = 4 + (authorities[2] << 8 | authorities[3])
            context.load_verify_locations(authorities[:length])
            authorities = authorities[length:]
    else:
        stream.context = context
    gc.collect()
    return context.wrap_socket(stream, server_hostname=host)


def on_command(_, message):
    global command_came
    command_came = True
    try:
        import actuator

        actuator.handle(json.loads(message))
    except Exception as error:
        print("command: %s: %r" % (message, error))


def connect():
    global topic, tail, stream
    config = settings()
    topic = config["topic"]
    commands = config["command_topic"]
    tail = "".join([',"%s":%s' % (name, json.dumps(value)) for name, value in config["attributes"].items()])
    name, host, port = config["thing"].encode(), config["host"], config["port"]
    config = None
    client = MQTTClient(name, host, port)
    sock = socket.socket()
    try:
        stream = Stream(sock)
        sock.connect(socket.getaddrinfo(host, port)[0][-1])
        board.hurry(True)
        client.sock = secure(stream, host)
        board.hurry(False)
        size = 12 + len(name)
        size = bytes((size,) if size < 128 else (size & 127 | 128, 1))
        flags = 0
        if memory["failures"] > 2 and memory["failed"].startswith("MemoryError"):
            print("command: those that waited are dropped, one may be too large")
            flags = 2
        client.sock.write(b"\x10" + size + b"\0\x04MQTT\x04" + bytes((flags, 0, _KEEPALIVE, 0, len(name))) + name)
        answer = client.sock.read(4)
        if not answer or answer[:2] != b"\x20\x02" or answer[3]:
            raise OSError("refused: %r" % answer)
        client.set_callback(on_command)
        client.subscribe(commands, qos=1)
    except Exception:
        board.hurry(False)
        if board.VERIFIES_SERVER and now_ms() < SET_MS:
            print("tls: the clock is not set, and without it no certificate is valid")
        sock.close()
        raise
    return client


def close(client):
    try:
        client.disconnect()
    except Exception:
        client.sock.close()


def publish(client, record):
    at, fields = record.split(" ", 1)
    old = now_ms() - int(at) > _LIVE_MS
    fields += tail
    if memory["failed"]:
        fields += ',"_failed":' + json.dumps(memory["failed"])
    if is_set_for(_TRUST_MS) or (old and int(at) >= SET_MS):
        fields += ',"time":' + at
    elif old:
        return False
    client.publish(topic, b"{" + fields.lstrip(",").encode() + b"}", qos=1)
    memory["failed"] = ""
    return True


def hold(client, ms):
    global command_came
    command_came = False
    began = pinged = time.ticks_ms()
    while not command_came:
        client.check_msg()
        now = time.ticks_ms()
        if time.ticks_diff(now, began) >= ms:
            return False
        silent = time.ticks_diff(now, stream.heard_at)
        if silent > _KEEPALIVE * 1000:
            raise OSError("the broker is silent")
        if min(silent, time.ticks_diff(now, pinged)) > _KEEPALIVE * 400:
            client.ping()
            pinged = now
        time.sleep_ms(min(200, ms))
    return True


def hear(client):
    while hold(client, _QUIET):
        pass
