# ssl: in MicroPython 1.22 a module of the interpreter; from 1.23 on a file of micropython-lib's above tls.py, with which it shares
# its constants, and which reads certificates and keys from files too.
import _world
import _tls as tls
from _tls import *

_OLD = _world.version() < (1, 23)
_AXTLS = _world.platform() == "esp8266"


def _bytes(file_or_bytes):
    if _OLD or not isinstance(file_or_bytes, str):
        return file_or_bytes
    with open(file_or_bytes, "rb") as file:
        return file.read()


class SSLContext:
    def __init__(self, protocol):
        self._context = tls.SSLContext(protocol)
        if not _OLD:
            self.verify_mode = tls.CERT_NONE

    @property
    def verify_mode(self):
        return self._context.verify_mode

    @verify_mode.setter
    def verify_mode(self, mode):
        self._context.verify_mode = mode

    def load_cert_chain(self, certfile, keyfile):
        self._context.load_cert_chain(_bytes(certfile), _bytes(keyfile))

    def load_verify_locations(self, cafile=None, cadata=None):
        if _OLD:  # where it has one argument, the bytes
            cafile, cadata = None, cafile
        self._context.load_verify_locations(_bytes(cafile) if cafile else cadata)

    def wrap_socket(self, sock, server_side=False, do_handshake_on_connect=True, server_hostname=None):
        return self._context.wrap_socket(sock, server_side=server_side, do_handshake_on_connect=do_handshake_on_connect, server_hostname=server_hostname)


def wrap_socket(sock, server_side=False, key=None, cert=None, cert_reqs=tls.CERT_NONE, cadata=None, server_hostname=None, do_handshake=True):
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = cert_reqs
    if key or cert:
        context.load_cert_chain(_bytes(cert), _bytes(key))
    if cadata:
        context.load_verify_locations(cadata)
    return context.wrap_socket(sock, server_side=server_side, do_handshake_on_connect=do_handshake, server_hostname=server_hostname)


# In MicroPython 1.22 axTLS's context takes no certificate; wrap_socket() does.
if _AXTLS:
    del SSLContext.load_verify_locations
if _AXTLS and _OLD:
    del SSLContext.load_cert_chain
