"""A thing's side of MQTT 3.1.1 over TLS, with the standard library only: what boards speak, packet by packet.

Thing holds one connection and one packet at a time. Publisher is a thread that keeps a window of readings in flight,
connects again when it is put out, sends again what was not acknowledged, and remembers what was.
"""

import contextlib
import json
import socket
import ssl
import struct
import threading
import time

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP = 0x20, 0x30, 0x40, 0x90, 0xD0
NETWORK = (OSError, ssl.SSLError)  # what a broker that goes away looks like


class Refused(Exception):
    """The broker does not want this: why, as far as it can be seen from outside."""


def packet(kind, body):
    length, digits = len(body), bytearray()
    while True:
        digits.append(length % 128 | (0x80 if length > 127 else 0))
        length //= 128
        if not length:
            return bytes([kind]) + bytes(digits) + body


def string(text):
    encoded = text if isinstance(text, bytes) else text.encode()
    return struct.pack(">H", len(encoded)) + encoded


def publish_packet(topic, payload, number, again=False, qos=1, retain=False):
    return packet(PUBLISH | again << 3 | qos << 1 | retain, string(topic) + (struct.pack(">H", number) if qos else b"") + payload)


class Thing:
    """One connection. certificate and key are paths, or None for a client that shows none."""

    def __init__(self, port, authority, certificate, key, patience=20):
        self.port, self.socket, self.received, self.patience = port, None, bytearray(), patience
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.load_verify_locations(authority)
        if certificate:
            self.context.load_cert_chain(certificate, key)

    def connect(self, client_id, clean=True, will=None, keep_alive=600, version=4):
        """version: 4 is MQTT 3.1.1, 5 is MQTT 5 (for connecting only; a session that is not clean lasts an hour). Refused with a reason: "code N" of the CONNACK, or what broke the connection."""
        self.close()
        try:
            plain = socket.create_connection(("127.0.0.1", self.port), self.patience)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket = self.context.wrap_socket(plain, server_hostname="localhost")
            flags = (2 if clean else 0) | (0x04 | 1 << 3 if will else 0)
            body = string("MQTT") + bytes([version, flags]) + struct.pack(">H", keep_alive)
            if version == 5:
                body += b"\0" if clean else b"\5\x11" + struct.pack(">I", 3600)
            body += string(client_id)
            if will:
                body += (b"\0" if version == 5 else b"") + string(will[0]) + string(will[1])
            self.send(packet(0x10, body))
            kind, answer = self.receive()
        except NETWORK as error:
            self.close()
            raise Refused(str(error) or type(error).__name__) from error
        if kind != CONNACK or answer[1]:
            self.close()
            raise Refused(f"code {answer[1]}" if kind == CONNACK else "no CONNACK")
        return self

    def send(self, bytes_):
        self.socket.sendall(bytes_)

    def receive(self):
        """The next packet: (kind, body)."""
        while True:
            size = self.packet_size()
            if size and len(self.received) >= sum(size):
                begin, length = size
                kind, body = self.received[0], bytes(self.received[begin:begin + length])
                del self.received[:begin + length]
                return kind & 0xF0, body
            got = self.socket.recv(65536)
            if not got:
                raise ConnectionResetError("the broker closed the connection")
            self.received += got

    def packet_size(self):
        """Bytes of the header and of the body of the next packet; None while that cannot be told."""
        length = 0
        for at, digit in enumerate(self.received[1:5]):
            length |= (digit & 127) << 7 * at
            if not digit & 128:
                return at + 2, length
        return None

    def publish(self, topic, payload, number=1, **how):
        """True when it was acknowledged, False when the connection ended instead."""
        try:
            self.send(publish_packet(topic, payload, number, **how))
            while True:
                kind, body = self.receive()
                if kind == PUBACK:
                    return struct.unpack(">H", body[:2])[0] == number
        except NETWORK:
            self.close()
            return False

    def subscribe(self, pattern):
        """The QoS that was granted; 128 when it was refused."""
        self.send(packet(0x82, struct.pack(">H", 1) + string(pattern) + b"\x01"))
        kind, body = self.receive()
        if kind != SUBACK:
            raise Refused("no SUBACK")
        return body[2]

    def message(self, seconds):
        """(topic, payload) of the next message, None when there is none in that time."""
        self.socket.settimeout(seconds)
        try:
            kind, body = self.receive()
        except TimeoutError:
            return None
        finally:
            self.socket.settimeout(self.patience)
        length = struct.unpack(">H", body[:2])[0]
        return (body[2:2 + length].decode(), body[4 + length:]) if kind == PUBLISH else self.message(seconds)

    def alive(self):
        try:
            self.send(packet(0xC0, b""))
            return self.receive()[0] == PINGRESP
        except NETWORK:
            self.close()
            return False

    def ended(self, seconds):
        """Whether the broker ends the connection within that time."""
        self.socket.settimeout(seconds)
        try:
            while True:
                self.receive()
        except TimeoutError:
            return False
        except NETWORK:
            self.close()
            return True

    def disconnect(self):
        with contextlib.suppress(*NETWORK):
            self.send(packet(0xE0, b""))
        self.close()

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None
        self.received.clear()


class Publisher(threading.Thread):
    """Publishes readings of one thing until stop(). A reading is (time, temperature); both follow from its number, so
    that a row of the database tells which one it is. What was acknowledged is in `acknowledged`, by number."""

    def __init__(self, thing, name, topic, first_time, window=50, pause=0.0):
        super().__init__(daemon=True)
        self.thing, self.client_id, self.topic, self.first_time, self.window, self.pause = thing, name, topic, first_time, window, pause
        self.acknowledged, self.sent, self.connections, self.longest_gap, self.trouble = set(), 0, 0, 0.0, None
        self.stopping, self.last = threading.Event(), time.monotonic()

    def reading(self, number):
        return self.first_time + number, number % 500 / 10 - 10 + 0.05

    def payload(self, number):
        when, temperature = self.reading(number)
        return json.dumps({"time": when, "temperature": temperature, "humidity": 45.5, "pressure": 1013.25, "zone": "1",
                           "altitude": "0"}).encode()

    def expected(self):
        """{time: temperature} of all that was acknowledged."""
        return dict(self.reading(number) for number in self.acknowledged)

    def run(self):
        waiting = []  # numbers that were sent, or are to be sent again
        try:
            while not self.stopping.is_set():
                try:
                    self.thing.connect(self.client_id)
                    self.connections += 1
                    self.exchange(waiting)
                except (Refused, *NETWORK):
                    time.sleep(0.05)
            self.thing.close()
        except Exception as error:  # a thread that dies without a word would count as an idle one
            self.trouble = error

    def exchange(self, waiting):
        """Sends what is waiting, and new ones, a window at a time, and takes the acknowledgements of them all."""
        again = bool(waiting)
        while not self.stopping.is_set():
            while len(waiting) < self.window:
                waiting.append(self.sent)
                self.sent += 1
            self.thing.send(b"".join(publish_packet(self.topic, self.payload(n), n % 65535 + 1, again) for n in waiting))
            again = False
            due = list(waiting)
            for number in due:
                kind, body = self.thing.receive()
                if kind != PUBACK or struct.unpack(">H", body[:2])[0] != number % 65535 + 1:
                    raise ValueError(f"the acknowledgement of {number} was due, not {kind:#x} {body.hex()}")
                self.acknowledged.add(number)
                waiting.remove(number)
            now = time.monotonic()
            self.longest_gap, self.last = max(self.longest_gap, now - self.last), now
            if self.pause:
                time.sleep(self.pause)

    def stop(self):
        self.stopping.set()
        self.join(60)
        if self.trouble:
            raise self.trouble
        if self.is_alive():
            raise TimeoutError(f"{self.client_id} does not end")
