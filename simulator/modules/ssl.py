# ssl: TLS as the platform's library has it, on the interpreter's mbedTLS.
#
# The ESP8266 has axTLS: static RSA with AES-CBC only, a traditional RSA key (PKCS#1) only, no verification. The others have
# mbedTLS, verify where they are asked to, and look at the clock for it. The interpreter always offers TLS 1.3 too, which a
# server then chooses; so the ESP8266's ciphers are alone only where the world says "axtls", for servers that end at TLS 1.2.
import _world
import tls

_AXTLS = _world.platform() == "esp8266"
_AXTLS_CIPHERS = ["TLS-RSA-WITH-AES-%d-CBC-%s" % (bits, digest) for digest in ("SHA256", "SHA") for bits in (128, 256)]

PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER = 0, 1
CERT_NONE = tls.CERT_NONE
if not _AXTLS:
    CERT_REQUIRED, CERT_OPTIONAL = tls.CERT_REQUIRED, tls.CERT_OPTIONAL


def _traditional_rsa(der):
    """RFC 8017 A.1.2: a sequence of version 0, then the modulus; PKCS#8 has an algorithm there instead."""
    if len(der) < 8 or der[0] != 0x30:
        return False
    at = 2 + (der[1] & 0x7F if der[1] & 0x80 else 0)
    return bytes(der[at : at + 3]) == b"\x02\x01\x00" and der[at + 3] == 0x02


class SSLContext:
    def __init__(self, protocol):
        self.own = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        self.own.verify_mode = CERT_NONE
        self.mode = CERT_NONE
        self.key = None
        if _AXTLS and _world.world.get("axtls"):
            self.own.set_ciphers(_AXTLS_CIPHERS)

    @property
    def verify_mode(self):
        return self.mode

    @verify_mode.setter
    def verify_mode(self, mode):
        if not _AXTLS:  # which takes it, and does not do it
            self.mode = self.own.verify_mode = mode

    def load_cert_chain(self, certfile, keyfile):
        self.key = _bytes(keyfile)
        certificate = _bytes(certfile)
        if not _AXTLS or _traditional_rsa(self.key):
            self.own.load_cert_chain(certificate, self.key)

    def load_verify_locations(self, cafile=None, cadata=None):
        if _AXTLS:
            raise AttributeError("'SSLContext' object has no attribute 'load_verify_locations'")
        self.own.load_verify_locations(cadata or _bytes(cafile))

    def wrap_socket(self, sock, server_side=False, do_handshake_on_connect=True, server_hostname=None):
        if _AXTLS and self.key is not None and not _traditional_rsa(self.key):
            raise ValueError("invalid key")
        if self.mode != CERT_NONE and _world.board_us() < 1704067200000000:  # 2024
            raise ValueError("The certificate validity starts in the future\n")
        if _world.fault("hang") == "handshake":
            sock.hang()
        try:
            return _Stream(self.own.wrap_socket(sock, server_hostname=server_hostname), sock)
        except OSError as error:
            if _world.world.get("verbose"):
                _world.say("TLS:", repr(error))
            raise


def _bytes(file_or_bytes):
    if isinstance(file_or_bytes, str):
        with open(file_or_bytes, "rb") as file:
            return file.read()
    return file_or_bytes


_load = SSLContext.load_cert_chain
# In MicroPython 1.22 axTLS's context takes no certificate; wrap_socket() does.
if _AXTLS and _world.world.get("micropython") == "1.22":
    del SSLContext.load_cert_chain


def wrap_socket(sock, server_side=False, key=None, cert=None, cert_reqs=CERT_NONE, cadata=None, server_hostname=None, do_handshake=True):
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    if key or cert:
        _load(context, cert, key)
    if cadata:
        context.load_verify_locations(cadata=cadata)
    context.verify_mode = cert_reqs
    return context.wrap_socket(sock, server_hostname=server_hostname)


# No settimeout: the boards' TLS sockets have none. What is written is looked at, for the fault that needs to know.
class _Stream:
    def __init__(self, own, sock):
        self.own, self.sock = own, sock
        self.published = False

    def write(self, data, *size):
        if data and data[0] & 0xF6 == 0x32 and len(data) <= 8:  # a PUBLISH with QoS 1 begins
            self.published = True
        return self.own.write(data, *size)

    def _lose(self):
        faults = _world.world.get("faults", {})
        if self.published and faults.get("drop_acknowledgement", 0) > _world.state.get("dropped", 0):
            _world.state["dropped"] = _world.state.get("dropped", 0) + 1
            _world.builtin("time").sleep_ms(150)  # what was sent arrives
            self.sock.cut()
            raise OSError(104)  # ECONNRESET

    def read(self, *size):
        self._lose()
        return self.own.read(*size)

    def readinto(self, *buffer):
        self._lose()
        return self.own.readinto(*buffer)

    def readline(self):
        return self.own.readline()

    def setblocking(self, wait):
        self.own.setblocking(wait)

    def close(self):
        self.own.close()
