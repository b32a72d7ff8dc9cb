# umqtt.simple: an MQTT 3.1.1 client with the interface and the habits of micropython-lib's, in both of its forms: until
# MicroPython 1.22 `ssl` is true or false and TLS is told through ssl_params; from 1.23 to 1.24 it is an SSLContext and
# there is no ssl_params; after that it is either. Its habits: a check for messages leaves the socket without a timeout, and
# an answer that is not as it should be is an assertion.
import _world
import socket
import struct

_VERSION = _world.version()
_CONTEXT = _VERSION >= (1, 23)
_PARAMETERS = not (1, 23) <= _VERSION < (1, 25)
_CONNACK, _PUBLISH, _PUBACK, _SUBACK, _UNSUBACK, _PINGRESP = 0x20, 0x30, 0x40, 0x90, 0xB0, 0xD0


class MQTTException(Exception):
    pass


def _length(size):
    """MQTT 3.1.1, 2.2.3: seven bits a byte, the lowest first."""
    made = b""
    while True:
        size, byte = size >> 7, size & 0x7F
        made += bytes([byte | 0x80 if size else byte])
        if not size:
            return made


def _text(value):
    value = value.encode() if isinstance(value, str) else bytes(value)
    return struct.pack("!H", len(value)) + value


class MQTTClient:
    def __init__(self, client_id, server, port=0, user=None, password=None, keepalive=0, ssl=None, **more):
        if not _PARAMETERS and "ssl_params" in more:
            raise TypeError("unexpected keyword argument 'ssl_params'")
        self.client_id, self.server, self.port = client_id, server, port or (8883 if ssl else 1883)
        self.user, self.pswd, self.keepalive = user, password, keepalive
        self.ssl, self.ssl_params = ssl, more.get("ssl_params", {})
        self.sock = self.cb = self.lw_topic = self.lw_msg = None
        self.pid = self.lw_qos = 0
        self.lw_retain = False

    def set_callback(self, f):
        self.cb = f

    def set_last_will(self, topic, msg, retain=False, qos=0):
        assert 0 <= qos <= 2
        assert topic
        self.lw_topic, self.lw_msg, self.lw_qos, self.lw_retain = topic, msg, qos, retain

    def _secure(self):
        if not self.ssl:
            return
        if _CONTEXT and self.ssl is not True:
            self.sock = self.ssl.wrap_socket(self.sock, server_hostname=self.server)
            return
        import ssl

        self.sock = ssl.wrap_socket(self.sock, **self.ssl_params)

    def connect(self, clean_session=True, *timeout, **named):
        if (timeout or named) and _VERSION < (1, 25):
            raise TypeError("connect takes no timeout")
        self.sock = socket.socket()
        self.sock.settimeout(timeout[0] if timeout else named.get("timeout"))
        self.sock.connect(socket.getaddrinfo(self.server, self.port)[0][-1])
        self._secure()
        flags = clean_session << 1
        rest = _text(self.client_id)
        if self.lw_topic:
            flags |= 0x04 | self.lw_qos << 3 | self.lw_retain << 5
            rest += _text(self.lw_topic) + _text(self.lw_msg)
        if self.user:
            flags |= 0xC0
            rest += _text(self.user) + _text(self.pswd)
        assert self.keepalive < 65536
        body = b"\0\x04MQTT\x04" + bytes([flags]) + struct.pack("!H", self.keepalive) + rest
        self.sock.write(b"\x10" + _length(len(body)))
        self.sock.write(body)
        answer = self.sock.read(4)
        assert answer[0] == _CONNACK and answer[1] == 2
        if answer[3] != 0:
            raise MQTTException(answer[3])
        return answer[2] & 1

    def disconnect(self):
        self.sock.write(b"\xe0\0")
        self.sock.close()

    def ping(self):
        self.sock.write(b"\xc0\0")

    def publish(self, topic, msg, retain=False, qos=0):
        assert qos < 2
        name = _text(topic)
        message = msg.encode() if isinstance(msg, str) else msg
        self.sock.write(bytes([_PUBLISH | qos << 1 | retain]) + _length(len(name) + 2 * (qos > 0) + len(message)))
        self.sock.write(name)
        if qos:
            self.pid += 1
            self.sock.write(struct.pack("!H", self.pid))
        self.sock.write(message)
        while qos:
            if self.wait_msg() == _PUBACK:
                assert self.sock.read(1) == b"\x02"
                if struct.unpack("!H", self.sock.read(2))[0] == self.pid:
                    return

    def _ask(self, kind, topic, extra, wanted):
        self.pid += 1
        body = struct.pack("!H", self.pid) + _text(topic) + extra
        self.sock.write(bytes([kind]) + _length(len(body)) + body)
        while self.wait_msg() != wanted:
            pass
        answer = self.sock.read(3 + len(extra))
        assert struct.unpack("!H", answer[1:3])[0] == self.pid
        if extra and answer[3] == 0x80:
            raise MQTTException(answer[3])

    def subscribe(self, topic, qos=0):
        assert self.cb is not None, "Subscribe callback is not set"
        self._ask(0x82, topic, bytes([qos]), _SUBACK)

    def unsubscribe(self, topic):
        self._ask(0xA2, topic, b"", _UNSUBACK)

    def wait_msg(self):
        first = self.sock.read(1)
        self.sock.setblocking(True)
        if first is None:
            return None
        if first == b"":
            raise OSError(-1)
        if first[0] == _PINGRESP:
            assert self.sock.read(1) == b"\0"
            return None
        if first[0] & 0xF0 != _PUBLISH:
            return first[0]
        self._message(first[0])
        return first[0]

    def _message(self, kind):
        size = shift = 0
        while True:
            byte = self.sock.read(1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        topic = self.sock.read(struct.unpack("!H", self.sock.read(2))[0])
        size -= 2 + len(topic)
        if kind & 6:
            number = self.sock.read(2)
            size -= 2
        message = self.sock.read(size)
        self.cb(topic, message)
        if kind & 6 == 2:
            self.sock.write(bytes([_PUBACK, 2]) + number)
        assert kind & 6 != 4

    def check_msg(self):
        self.sock.setblocking(False)
        return self.wait_msg()
