# socket: real connections, through the wifi that network.py plays. Waiting goes through the simulated clock, so that
# timers and the watchdog run while the board waits. An address is a tuple of name and port, as on the boards.
import _ntp
import _world
import io
import network

_own = _world.builtin("socket")
_select = _world.builtin("select")
AF_INET, SOCK_STREAM, SOCK_DGRAM = _own.AF_INET, _own.SOCK_STREAM, _own.SOCK_DGRAM
SOL_SOCKET, SO_REUSEADDR = _own.SOL_SOCKET, _own.SO_REUSEADDR
IPPROTO_TCP = 6

_EAGAIN, _ECONNREFUSED, _ETIMEDOUT, _EHOSTUNREACH, _EINPROGRESS, _ENOTCONN = 11, 111, 110, 113, 115, 107
_SLICE_MS = 20
_FIRST_FREE_PORT = 8000  # a board's port 80 is 8080 here


def getaddrinfo(host, port, *rest):
    if _world.fault("dns_ms"):
        _world.wait_us(_world.fault("dns_ms") * 1000)
    port = _world.world.get("ports", {}).get(str(port), port)
    if port == 123:
        if _world.fault("dns") or not network.connected():
            raise OSError(-202 if _world.platform() == "esp32" else -2)
        return [(AF_INET, SOCK_DGRAM, 0, "", ("192.0.2.1", port))]
    if not all(c in "0123456789." for c in host):
        host = _look_up(_world.world.get("hosts", {}).get(host, host), port)
    return [(AF_INET, SOCK_STREAM, 0, "", (host, port))]


def _look_up(host, port):
    try:
        if _world.fault("dns") or not network.connected():
            raise OSError
        return _address(_own.getaddrinfo(host, port, AF_INET, SOCK_STREAM)[0][-1])
    except OSError:
        raise OSError(-202 if _world.platform() == "esp32" else -2)


def _address(bytes_of_it):
    return _own.inet_ntop(AF_INET, _own.sockaddr(bytes_of_it)[1])


def _real(address):
    return _own.getaddrinfo(address[0], address[1], AF_INET, SOCK_STREAM)[0][-1]


class socket(io.IOBase):
    def __init__(self, family=AF_INET, kind=SOCK_STREAM, protocol=0, own=None):
        self.own = own or _own.socket(family, kind)
        self.own.setblocking(False)
        self.timeout = None  # seconds; 0: not at all
        self.poll = _select.poll()
        self.dead = False
        self.answer = None  # of the time server

    def settimeout(self, seconds):
        self.timeout = seconds

    def setblocking(self, wait):
        self.timeout = None if wait else 0

    def setsockopt(self, *words):
        if words[1] == SO_REUSEADDR:
            self.own.setsockopt(*words)

    def wait(self, events):
        """Waits for events; OSError when the time is over."""
        speed = _world.world.get("network_speed", 1)
        end = None if self.timeout is None else _world.now_us() + int(self.timeout * 1000000)
        self.poll.register(self.own, events)
        slice_ms = min(_SLICE_MS, max(1000 // speed, 1))
        while True:
            ready = [] if _world.deaf else self.poll.poll(0)
            if not ready:
                began = _world.real_us()
                ready = self.poll.poll(slice_ms if self.timeout != 0 else 0)
                ready = [] if _world.deaf else ready
                # A host that is busy does not make the board's time go by faster.
                took = min(_world.real_us() - began, slice_ms * 1000)
                _world.state["skipped_us"] += took * (speed - 1)
            _world.tick()
            if ready:
                return ready[0][1]
            if end is not None and _world.now_us() >= end:
                raise OSError(_EAGAIN if self.timeout == 0 else _ETIMEDOUT)

    def connect(self, address):
        if not network.connected():
            raise OSError(_EHOSTUNREACH)
        if _world.fault("hang") == "connect":
            self.hang()
        if not isinstance(address, tuple):
            raise TypeError("an address is a tuple")
        try:
            self.own.connect(_real(address))
        except OSError as error:
            if error.errno != _EINPROGRESS:
                raise
        events = self.wait(_select.POLLOUT)
        if events & (_select.POLLERR | _select.POLLHUP):
            raise OSError(_ECONNREFUSED)

    def hang(self):
        """What a board does when nobody answers: it waits for the end of its timeout, or for ever."""
        end = None if self.timeout is None else _world.now_us() + int(self.timeout * 1000000)
        while end is None or _world.now_us() < end:
            _world.wait_us(100000, max(_world.world.get("speed", 1), _world.world.get("network_speed", 1)))
        raise OSError(_ETIMEDOUT)

    # --- as a stream: what TLS and read() stand on ---

    def readinto(self, buffer, *rest):
        self.lose()
        if self.dead:
            raise OSError(104)  # ECONNRESET
        try:
            self.wait(_select.POLLIN)
        except OSError as error:
            if error.errno == _EAGAIN:
                return None
            raise
        return self.own.readinto(buffer)

    def write(self, data, *rest):
        if self.dead:
            raise OSError(104)
        if isinstance(data, str):  # what a stream is given is a buffer, and a str is one
            data = data.encode()
        if rest:
            data = memoryview(data)[: rest[0]]
        sent = 0
        while sent < len(data):
            self.wait(_select.POLLOUT)
            more = self.own.write(memoryview(data)[sent:])
            if more is None:
                if self.timeout == 0:
                    return sent or None
                continue
            sent += more
        return sent

    def ioctl(self, request, argument):
        if request == 4:
            self.close()
        if request == 3:  # poll
            self.poll.register(self.own, argument)
            ready = self.poll.poll(0)
            return ready[0][1] if ready else 0
        return 0

    def read(self, size=-1):
        parts = []
        while size != 0:
            piece = bytearray(min(size, 1024) if size > 0 else 1024)
            got = self.readinto(piece)
            if got is None:
                return b"".join(parts) if parts else None
            if got == 0:
                break
            parts.append(bytes(piece[:got]))
            size -= got if size > 0 else 0
        return b"".join(parts)

    def readline(self, limit=-1):
        line = b""
        while not line.endswith(b"\n") and len(line) != limit:
            more = self.read(1)
            if not more:
                break
            line += more
        return line

    def recv(self, size, *rest):
        if self.answer is not None:
            return self.recvfrom(size)[0]
        piece = bytearray(size)
        got = self.readinto(piece)
        if got is None:
            raise OSError(_EAGAIN)
        return bytes(piece[:got])

    def send(self, data):
        return self.write(data)

    sendall = write

    def sendto(self, data, address):
        if address[1] == 123:  # a time server is played: the tests use no other machine
            self.answer = _ntp.answer(data)
            return len(data)
        return self.own.sendto(data, _real(address))

    def recvfrom(self, size):
        if self.answer is not None:
            answer, self.answer = self.answer, None
            if answer == b"":
                _world.wait_us(int(self.timeout * 1000000))
                raise OSError(_ETIMEDOUT)
            return answer[:size], ("192.0.2.1", 123)
        self.wait(_select.POLLIN)
        data, address = self.own.recvfrom(size)
        own = _own.sockaddr(address)
        return data, (_own.inet_ntop(AF_INET, own[1]), own[2])

    # --- as a server: the page that asks for a wifi network ---

    def bind(self, address):
        host, port = address
        if port < 1024:
            _world.say("port", port, "of the board is 127.0.0.1:%d" % (_FIRST_FREE_PORT + port))
            port += _FIRST_FREE_PORT
        self.own.bind(_real((host or "127.0.0.1", port) if host not in ("", "0.0.0.0") else ("127.0.0.1", port)))

    def listen(self, backlog=1):
        self.own.listen(backlog)

    def accept(self):
        self.wait(_select.POLLIN)
        own, address = self.own.accept()
        parts = _own.sockaddr(address)
        return socket(own=own), (_own.inet_ntop(AF_INET, parts[1]), parts[2])

    def makefile(self, *rest):
        return self

    def fileno(self):
        return self.own.fileno()

    def close(self):
        self.own.close()

    def lose(self):
        """The fault "drop_acknowledgement": the connection is gone once a reading was written, and nobody said so."""
        lost = _world.state.get("dropped", 0)
        if _world.published and (_world.fault("drop_acknowledgement") or 0) > lost:
            _world.state["dropped"] = lost + 1
            _world.builtin("time").sleep_ms(150)  # what was sent arrives
            self.own.close()
            self.dead = True
