# tls: TLS as the platform's library has it, on the interpreter's mbedTLS. Not in MicroPython 1.22, where ssl.py has all of it.
# (The name begins with _ because no file can take the place of the interpreter's own tls; power_on.py does that.)
#
# The ESP8266 has axTLS: static RSA with AES-CBC only, a traditional RSA key (PKCS#1) only, no verification. The others have
# mbedTLS, verify where they are asked to, and look at the clock for it. The interpreter always offers TLS 1.3 too, which a
# server then chooses; so the ESP8266's ciphers are alone only where the world says "axtls", for servers that end at TLS 1.2.
import _journal
import _world

_own = _world.builtin("tls")
_AXTLS = _world.platform() == "esp8266"
_RECORD_BUFFER = 5120  # RT_MAX_PLAIN_LENGTH + RT_EXTRA in ports/esp8266/Makefile
_AXTLS_CIPHERS = ["TLS-RSA-WITH-AES-%d-CBC-%s" % (bits, digest) for digest in ("SHA256", "SHA") for bits in (128, 256)]

PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER, CERT_NONE = 0, 1, 0
if not _AXTLS:
    CERT_REQUIRED, CERT_OPTIONAL = _own.CERT_REQUIRED, _own.CERT_OPTIONAL


def _traditional_rsa(der):
    """RFC 8017 A.1.2: a sequence of version 0, then the modulus; PKCS#8 has an algorithm there instead."""
    if len(der) < 8 or der[0] != 0x30:
        return False
    at = 2 + (der[1] & 0x7F if der[1] & 0x80 else 0)
    return bytes(der[at : at + 3]) == b"\x02\x01\x00" and der[at + 3] == 0x02


class _Heap:
    """What axTLS takes of the firmware's heap: tls_kb of the world at the most, its record buffer in one piece, the rest in small ones. A key and
    a certificate that the context still holds are a part of that: axTLS is at its peak when they are gone."""

    def __init__(self, held):
        self.left, self.pieces = int(_world.world.get("tls_kb", 0) * 1024), []
        self.take(self.left - held)

    def take(self, size):
        size = min(size, self.left)
        while size > 0:
            self.pieces.append(bytearray(min(512 if self.pieces else _RECORD_BUFFER, size)))
            size -= len(self.pieces[-1])
            self.left -= len(self.pieces[-1])


def _is_bytes(data):
    if not isinstance(data, (bytes, bytearray, str)):
        raise TypeError("can't convert '%s' object to str implicitly" % type(data).__name__)
    return data


class SSLContext:
    def __init__(self, protocol):
        self._own = _own.SSLContext(_own.PROTOCOL_TLS_CLIENT)
        self._own.verify_mode = CERT_NONE
        self._mode = CERT_NONE if _AXTLS else CERT_REQUIRED
        self._key = self._certificate = self._heap = None
        if _AXTLS and _world.world.get("axtls") and hasattr(self._own, "set_ciphers"):
            self._own.set_ciphers(_AXTLS_CIPHERS)

    @property
    def verify_mode(self):
        return self._mode

    @verify_mode.setter
    def verify_mode(self, mode):
        if not _AXTLS:  # which takes it, and does not do it
            self._mode = self._own.verify_mode = mode

    def load_cert_chain(self, certificate, key):
        if _AXTLS:  # keeps both as they are until a socket is wrapped
            self._certificate, self._key = certificate, key
            if key is None and self._heap:
                self._heap.take(self._heap.left)
            if not hasattr(self._own, "set_ciphers"):  # the interpreter has axTLS itself
                self._own.load_cert_chain(certificate, key)
        else:
            self._own.load_cert_chain(_is_bytes(certificate), _is_bytes(key))

    def load_verify_locations(self, authority):
        self._own.load_verify_locations(_is_bytes(authority))

    def wrap_socket(self, sock, *, server_side=False, do_handshake_on_connect=True, server_hostname=None):
        if _AXTLS and self._key is not None:
            if not _traditional_rsa(_is_bytes(self._key)):
                raise ValueError("invalid key")
            if hasattr(self._own, "set_ciphers"):
                self._own.load_cert_chain(_is_bytes(self._certificate), self._key)
        if self._mode != CERT_NONE and _world.board_us() < 1704067200000000:  # 2024
            raise ValueError("The certificate validity starts in the future\n")
        _world.deaf = _world.fault("hang") == "handshake"
        _world.state["handshake_hertz"] = _world.state.get("hertz")
        self._heap = _Heap(len(self._key or b"") + len(self._certificate or b""))
        try:
            return _Stream(self._own.wrap_socket(sock, server_hostname=server_hostname), self._heap)
        except OSError as error:
            if _world.world.get("verbose"):
                _world.say("TLS:", repr(error))
            raise


# axTLS verifies nothing, so that its context has no such function.
if _AXTLS:
    del SSLContext.load_verify_locations


class _Stream:
    """The methods that a board's TLS socket has, and no others: no settimeout. What is written is looked at, for a fault."""

    def __init__(self, own, heap):
        self._own, self._heap = own, heap
        self._sent, self._received = _journal.Packets(_journal.sent), _journal.Packets(_journal.received)
        self._journal = _journal.wanted()
        _world.published = False

    def write(self, data, *size):
        if isinstance(data, (bytes, bytearray)) and data and data[0] & 0xF6 == 0x32:  # a PUBLISH with QoS 1 begins
            _world.published = True
        written = self._own.write(data, *size)
        if self._journal and written:
            self._sent.feed(memoryview(data)[:written])
        return written

    def read(self, *size):
        return self._seen(self._own.read(*size))

    def readinto(self, buffer, *size):
        got = self._own.readinto(buffer, *size)
        if got:
            self._seen(memoryview(buffer)[:got])
        return got

    def readline(self):
        return self._seen(self._own.readline())

    def _seen(self, data):
        if self._journal and data:
            self._received.feed(data)
        return data

    def setblocking(self, wait):
        self._own.setblocking(wait)

    def close(self):
        self._own.close()
        self._heap = None
