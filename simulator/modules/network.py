# network: the wifi of world.json. Joining takes its time in the background; a wrong name or password
# ends in the status that the platform has for it.
import _world

STA_IF, AP_IF = 0, 1

_STATUS = {
    "esp8266": {"IDLE": 0, "CONNECTING": 1, "WRONG_PASSWORD": 2, "NO_AP_FOUND": 3, "CONNECT_FAIL": 4, "GOT_IP": 5},
    "esp32": {"IDLE": 1000, "CONNECTING": 1001, "GOT_IP": 1010, "NO_AP_FOUND": 201, "WRONG_PASSWORD": 202, "BEACON_TIMEOUT": 200,
              "ASSOC_FAIL": 203, "HANDSHAKE_TIMEOUT": 204},
    "rp2": {"IDLE": 0, "CONNECTING": 1, "WRONG_PASSWORD": -3, "NO_AP_FOUND": -2, "CONNECT_FAIL": -1, "GOT_IP": 3},
}[_world.platform()]
for _name, _number in _STATUS.items():
    globals()["STAT_" + _name] = _number

_RETRIES_FOR_EVER = _world.platform() == "esp32"  # and tells its last refusal meanwhile; the others stop at a wrong password
_STORES = _world.platform() == "esp8266"  # in its flash what active() and connect() tell it, and begins with that
_kept = {}  # of each interface; the objects are only names for it
_names = {"hostname": "board", "country": "XX"}


def hostname(name=None):
    if name is None:
        return _names["hostname"]
    _names["hostname"] = name


def country(code=None):
    if code is None:
        return _names["country"]
    _names["country"] = code


def connected():
    return WLAN(STA_IF).isconnected()


def _name(name):
    """A network's name as text that state.json can hold; of one that is not UTF-8 the bytes in hexadecimal behind a NUL."""
    try:
        return name if isinstance(name, str) else bytes(name).decode()
    except UnicodeError:
        return "\0" + bytes(name).hex()


def _own_name():
    wifi = _world.world["wifi"]
    if wifi.get("ssid_base64"):
        import binascii

        return _name(binascii.a2b_base64(wifi["ssid_base64"]))
    return wifi["ssid"]


class _Interface:
    def __init__(self, number):
        self.on = False
        self.asked = None  # (name, password)
        self.asked_us = 0
        self.stored = None
        if _STORES:  # an access point of its own at first; after that, what it was told last
            self.stored = _world.state.setdefault("wifi", {"on": ["stored" in _world.world["wifi"], True], "asked": _world.world["wifi"].get("stored")})
            self.on = self.stored["on"][number]
            if number == STA_IF and self.on and self.stored["asked"]:
                self.asked, self.asked_us = tuple(self.stored["asked"]), _world.now_us()
        self.reason = None  # of the last refusal, which an ESP32 tells until there is an address
        self.settings = {"essid": "MicroPython", "ssid": "MicroPython", "hostname": "board", "mac": b"\x02\0\0\0\0\1", "channel": 1, "txpower": 20}


class WLAN:
    IF_STA, IF_AP = STA_IF, AP_IF
    PM_NONE, PM_PERFORMANCE, PM_POWERSAVE = 0, 1, 2

    def __init__(self, interface=STA_IF):
        if interface not in (STA_IF, AP_IF):
            raise ValueError
        self.interface = interface
        if interface not in _kept:
            _kept[interface] = _Interface(interface)
        self.kept = _kept[interface]

    def active(self, on=None):
        if on is None:
            return self.kept.on
        self.kept.on = bool(on)
        if _STORES:
            self._store()
        if not on:
            self.kept.asked = None

    def _store(self):
        self.kept.stored["on"][self.interface] = self.kept.on
        if self.interface == STA_IF:
            self.kept.stored["asked"] = self.kept.asked
        _world.state["wifi_writes"] = _world.state.get("wifi_writes", 0) + 1

    def _outcome(self):
        wifi = _world.world["wifi"]
        early = _world.now_us() - self.kept.asked_us < wifi.get("refuses_ms", 0) * 1000
        networks = dict(wifi.get("others", {}))
        networks[_own_name()] = wifi.get("password")
        if wifi.get("gone") or early or self.kept.asked[0] not in networks:
            return "NO_AP_FOUND"
        return "GOT_IP" if (self.kept.asked[1] or "") == (networks[self.kept.asked[0]] or "") else "WRONG_PASSWORD"

    def _station(self):
        if self.interface != STA_IF:
            raise OSError("STA required")

    def connect(self, ssid=None, key=None, *, bssid=None):
        self._station()
        if _world.platform() == "esp32" and not self.kept.on:
            raise OSError("Wifi Not Started")
        if _world.platform() == "esp32" and self.kept.asked and self.status() == _STATUS["CONNECTING"]:
            raise OSError("Wifi Internal State Error")
        if ssid is not None:
            self.kept.asked = (_name(ssid), key)
            if _STORES:
                self._store()
        self.kept.asked_us = _world.now_us()

    def disconnect(self):
        self._station()
        self.kept.asked = None

    def _joined(self):
        return _world.now_us() - self.kept.asked_us >= _world.world["wifi"].get("join_ms", 0) * 1000

    def isconnected(self):
        if self.interface == AP_IF:
            return False
        return self.kept.on and self.kept.asked is not None and self._joined() and self._outcome() == "GOT_IP"

    def status(self, what=None):
        if what == "rssi":
            return -60
        if what == "stations":
            return []
        if what is not None:
            raise ValueError("unknown status param")
        if self.interface == AP_IF or not self.kept.on or self.kept.asked is None:
            return _STATUS["IDLE"]
        outcome = self._outcome() if self._joined() else "CONNECTING"
        if _RETRIES_FOR_EVER:
            if outcome == "GOT_IP":
                self.kept.reason = None
            elif outcome != "CONNECTING":
                self.kept.reason = outcome
            outcome = self.kept.reason or outcome
        return _STATUS[outcome]

    def ifconfig(self, settings=None):
        if settings is not None:
            return None
        if self.interface == AP_IF:
            return ("192.168.4.1", "255.255.255.0", "192.168.4.1", "0.0.0.0")
        if not self.isconnected():
            return ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")
        return ("192.168.1.23", "255.255.255.0", "192.168.1.1", "192.168.1.1")

    def ipconfig(self, what=None, **settings):
        address, mask, gateway, _ = self.ifconfig()
        return {"addr4": (address, mask), "gw4": gateway}.get(what)

    def config(self, what=None, **settings):
        if what in ("ssid", "essid") and self.interface == STA_IF:
            name = (self.kept.asked or ("",))[0]
            if name.startswith("\0"):
                raise UnicodeError
            return name
        if what is not None:
            return self.kept.settings[what]
        self.kept.settings.update(settings)

    def scan(self):
        if not self.kept.on:
            raise OSError("STA must be active")
        _world.wait_us(2000000)
        wifi = _world.world["wifi"]
        return [] if wifi.get("gone") else [(wifi["ssid"].encode(), b"\x02\0\0\0\0\2", 6, -60, 3, False)]
