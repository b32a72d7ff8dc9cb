# TLS and MQTT. What fails raises, within bounded time.
import gc
import json
import ssl
import time

import board
import clock
import wifi
from common import SET_MS, config, now_ms
from umqtt.simple import MQTTClient

SOCKET_SECONDS = 15
TRUST_MS = 24 * 3600000
LIVE_MS = 60000
KEEPALIVE = 120

command_came = False


def load(path):
    with open(path, "rb") as file:
        return file.read()


class Wrapper:
    def __init__(self, context):
        self.context = context

    def wrap_socket(self, sock, **_):
        sock.settimeout(SOCKET_SECONDS)
        context, self.context = self.context, None
        return Socket(context.wrap_socket(sock, server_hostname=config["host"]), sock)


class Socket:
    def __init__(self, tls, sock):
        self.tls, self.sock = tls, sock
        self.write = tls.write
        self.heard_at = time.ticks_ms()

    def read(self, size):
        data = self.tls.read(size)
        if data:
            self.heard_at = time.ticks_ms()
        return data

    def setblocking(self, flag):
        self.tls.setblocking(flag)
        if flag:
            self.sock.settimeout(SOCKET_SECONDS)

    def close(self):
        self.tls.close()
        self.sock.close()


def make_client():
    arguments = dict(key=load("key.der"), cert=load("cert.der"), server_hostname=config["host"])
    if board.VERIFIES_SERVER:
        arguments.update(cert_reqs=ssl.CERT_REQUIRED, cadata=load("ca.der"))
    wrapper = True
    if hasattr(getattr(ssl, "SSLContext", None), "load_cert_chain"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_cert_chain(arguments["cert"], arguments["key"])
        if board.VERIFIES_SERVER:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=arguments["cadata"])
        wrapper = Wrapper(context)
    who = (config["thing"], config["host"], config["port"])
    try:
        return MQTTClient(*who, keepalive=KEEPALIVE, ssl=wrapper, ssl_params=arguments)
    except TypeError:
        return MQTTClient(*who, keepalive=KEEPALIVE, ssl=wrapper)


def on_command(_, message):
    global command_came
    command_came = True
    try:
        import actuator

        actuator.handle(json.loads(message))
    except Exception as error:
        print("command: %s: %r" % (message, error))


def connect():
    wifi.join()
    clock.set_by(wifi.wlan.ifconfig()[2])
    gc.collect()
    client = make_client()
    gc.collect()
    clean = False
    try:
        try:
            client.connect(clean, SOCKET_SECONDS)
        except TypeError:
            if client.sock:
                raise
            client.connect(clean)
        client.set_callback(on_command)
        client.subscribe(config["command_topic"], qos=1)
    except Exception:
        if board.VERIFIES_SERVER and not clock.is_set():
            print("tls: the clock is not set, and without it no certificate is valid")
        if client.sock:
            client.sock.close()
        raise
    client.ssl_params = None
    return client


def close(client):
    try:
        client.disconnect()
    except Exception:
        client.sock.close()


def publish(client, record):
    at, fields = record.split(" ", 1)
    parts = [fields] if fields else []
    for name, value in config["attributes"].items():
        parts.append('"%s":%s' % (name, json.dumps(value)))
    old = now_ms() - int(at) > LIVE_MS
    if clock.is_set_for(TRUST_MS) or (old and int(at) >= SET_MS):
        parts.append('"time":' + at)
    elif old:
        return False
    client.publish(config["topic"], ("{%s}" % ",".join(parts)).encode(), qos=1)
    return True
