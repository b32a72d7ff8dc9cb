"""What the firmware's tests stand on: a project with things, a broker, boards on MicroPython's unix port, and TAP.

A Project is a folder as a fresh clone has it; a Broker is mosquitto with TLS, certificates of the project's own authority, and
an access list made from the types' policies; a Board is one package in one world (simulator/modules/_world.py), run from
reset to reset. All live in one temporary folder that goes with the test.

SENSORFORGE_UMQTT=FOLDER: boards have the umqtt of that folder, as mip would install it, in place of the simulator's. FIRMWARE_SOURCE=1:
packages are of source. scripts/micropython says which other interpreter they can run on.
"""

import atexit
import contextlib
import copy
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("SENSORFORGE", str(REPO / "build/bin/sensorforge"))
MICROPYTHON, POWER_ON = REPO / "scripts/micropython", REPO / "simulator/power_on.py"
PROMPT, RESET, DEEP_SLEEP, WATCHDOG, POWER_CUT, TIME_IS_OVER = 0, 10, 11, 12, 13, 14
UMQTT = os.environ.get("SENSORFORGE_UMQTT")
SSID, PASSWORD = "Home", 'correct horse $ "battery"'
HEAP = "512k"  # of the interpreter, stand-ins included
LONGEST_CYCLE = 90  # seconds of ours; a third of that on an idle machine
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(("SENSORFORGE", "MICROPY")) or k.startswith("SENSORFORGE_MICROPYTHON")} | {
    "SENSORFORGE_WIFI_SSID": SSID, "SENSORFORGE_WIFI_PASSWORD": PASSWORD, "LC_ALL": "C.UTF-8",
    "SENSORFORGE_CACHE": os.environ.get("SENSORFORGE_CACHE", str(REPO / "build/cache"))}


def run(*words, check=True, **more):
    ran = subprocess.run([str(w) for w in words], capture_output=True, env=ENVIRONMENT, timeout=120, **more)
    if check and ran.returncode:
        raise AssertionError(f"{' '.join(map(str, words))}: exit {ran.returncode}\n{ran.stdout.decode(errors='replace')}{ran.stderr.decode(errors='replace')}")
    return ran


# --- TAP --------------------------------------------------------------------------------------------

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def note(*words):
    print("#", *words, flush=True)


def main():
    """Runs the tests of a file, or those whose names hold all words of the command line."""
    chosen = [t for t in TESTS if all(w in t.__name__ for w in sys.argv[1:])]
    print(f"1..{len(chosen)}", flush=True)
    failed = 0
    for number, function in enumerate(chosen, 1):
        began = time.monotonic()
        title = (function.__doc__ or function.__name__.replace("_", " ")).splitlines()[0].rstrip(".")
        try:
            function()
            print(f"ok {number} {title}  # {time.monotonic() - began:.1f} s", flush=True)
        except Exception:  # whatever went wrong, the next test has its turn
            failed += 1
            print(f"not ok {number} {title}")
            print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), end="", flush=True)
    return 1 if failed else 0


# A test that fails early or is stopped leaves nothing behind; one that is killed, no process (UNTIL_WE_END).
CLEAN_UP = contextlib.ExitStack()
atexit.register(CLEAN_UP.close)
UNTIL_WE_END = ["setpriv", "--pdeathsig", "TERM"]
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


# --- a project --------------------------------------------------------------------------------------

class Project:
    def __init__(self):
        self.root = Path(tempfile.mkdtemp(prefix="sensorforge-firmware."))
        CLEAN_UP.callback(shutil.rmtree, self.root, ignore_errors=True)
        self.port, self.old_port = free_port(), free_port()
        self.folder = self.root / "project"
        (self.folder / "iot_system_infra").mkdir(parents=True)
        for name in ("templates", "schemas", "scripts", "simulator"):
            (self.folder / name).symlink_to(REPO / name)
        for spec in sorted((REPO / "sensortypes").glob("*/spec.yaml")):
            shutil.copytree(spec.parent, self.folder / "sensortypes" / spec.parent.name, ignore=shutil.ignore_patterns("sensors", "generated", "*.json"))
        system = (REPO / "iot_system_infra/system.yaml").read_text().replace("mqtt_port: 8883", f"mqtt_port: {self.port}")
        (self.folder / "iot_system_infra/system.yaml").write_text(system)
        self.sensorforge("deploy", "--all")

    def sensorforge(self, *words, **more):
        return run(PROGRAM, "-C", self.folder, *words, **more)

    def types(self):
        return sorted(p.parent.name for p in (self.folder / "sensortypes").glob("*/spec.yaml"))

    def add_type(self, name, spec):
        folder = self.folder / "sensortypes" / name
        folder.mkdir(exist_ok=True)
        (folder / "spec.yaml").write_text(spec)
        self.sensorforge("deploy", name)

    def model(self, name):
        return json.loads(self.sensorforge("model", name).stdout)["type"]

    def create(self, name, kind, **attributes):
        self.sensorforge("create", name, "--type", kind, *[w for k, v in attributes.items() for w in ("--attribute", f"{k}={v}")])
        if os.environ.get("FIRMWARE_SOURCE"):
            self.sensorforge("package", name, "--source")
        return self.folder / "sensortypes" / kind / "sensors" / name

    @property
    def authority(self):
        return self.folder / "iot_system_infra/authority"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- a broker ---------------------------------------------------------------------------------------

class Broker:
    """mosquitto, and one who listens to everything with a certificate of its own.

    Two servers with one configuration, on two ports: as it comes, and without TLS 1.3. The ESP8266 has no TLS 1.3, but the
    unix port cannot leave it out, and a server that can would take it.
    """

    def __init__(self, project):
        self.project, self.folder = project, project.root / "broker"
        self.folder.mkdir()
        self.processes = []
        self.records = self.folder / "records"
        self.make_certificate("server", "iot.local", "subjectAltName=DNS:iot.local,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
        self.make_certificate("listener", "listener", "extendedKeyUsage=clientAuth\n")
        (self.folder / "openssl.cnf").write_text("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMaxProtocol = TLSv1.2\n")
        self.write_configuration()
        CLEAN_UP.callback(self.stop)

    def make_certificate(self, name, common_name, extensions):
        key, request, made = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        (self.folder / f"{name}.ext").write_text(extensions)
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={common_name}")
        run("openssl", "x509", "-req", "-in", request, "-CA", self.project.authority / "ca.pem", "-CAkey", self.project.authority / "ca.key",
            "-set_serial", str(time.time_ns()), "-days", "30", "-extfile", self.folder / f"{name}.ext", "-out", made)

    def write_configuration(self):
        lines = ["user listener", "topic readwrite #"]
        for kind in self.project.types():
            lines += access(json.loads(self.project.model(kind)["policy"]["document"]))
        (self.folder / "acl").write_text("\n".join(lines) + "\n")
        for port in (self.project.port, self.project.old_port):
            (self.folder / f"{port}.conf").write_text(
                ("user root\n" if os.geteuid() == 0 else "")  # or it gives root's rights up, and cannot read its keys
                + f"listener {port} 127.0.0.1\ncafile {self.project.authority}/ca.pem\ncrlfile {self.project.authority}/crl.pem\n"
                f"certfile {self.folder}/server.pem\nkeyfile {self.folder}/server.key\nrequire_certificate true\nuse_identity_as_username true\n"
                f"acl_file {self.folder}/acl\nallow_anonymous false\npersistence false\nlog_dest file {self.folder}/{port}.log\nlog_type all\n")

    def client(self, program, port, *words):
        return [program, "-h", "127.0.0.1", "-p", str(port), "--cafile", str(self.project.authority / "ca.pem"),
                "--cert", str(self.folder / "listener.pem"), "--key", str(self.folder / "listener.key"), *words]

    def start(self):
        self.start_one(self.project.port, {})
        self.start_one(self.project.old_port, {"OPENSSL_CONF": str(self.folder / "openssl.cnf")})

    def start_one(self, port, environment):
        mosquitto, errors = shutil.which("mosquitto") or "/usr/sbin/mosquitto", self.folder / f"{port}.errors"
        log = self.folder / f"{port}.log"
        log.unlink(missing_ok=True)
        with open(errors, "wb") as said:
            self.processes.append(subprocess.Popen([*UNTIL_WE_END, mosquitto, "-c", str(self.folder / f"{port}.conf")], env=ENVIRONMENT | environment,
                                                   stdout=subprocess.DEVNULL, stderr=said))
        until(lambda: listens(port), "the broker listens", errors.read_text)
        with open(self.records, "ab") as records:
            words = UNTIL_WE_END + self.client("mosquitto_sub", port, "-t", "#", "-q", "1", "-F", "%j", "-i", "listener")
            self.processes.append(subprocess.Popen(words, stdout=records, stderr=subprocess.DEVNULL))
        until(lambda: "Received SUBSCRIBE from listener" in self.log(port), "the listener has subscribed", lambda: self.log(port))

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
        self.processes = []

    def log(self, port=None):
        return (self.folder / f"{port or self.project.port}.log").read_text(errors="replace")

    def received(self, topic):
        """What has arrived on a topic so far: the payloads, parsed."""
        lines = self.records.read_text().splitlines() if self.records.exists() else []
        return [json.loads(m["payload"], parse_constant=not_json) for m in map(json.loads, lines) if m["topic"] == topic]

    def wait_for(self, topic, count):
        until(lambda: len(self.received(topic)) >= count, f"{count} messages on {topic}", lambda: f"{self.received(topic)}")
        return self.received(topic)

    def publish(self, topic, message):
        for port in (self.project.port, self.project.old_port):
            run(*self.client("mosquitto_pub", port, "-t", topic, "-m", message, "-q", "1"))


def not_json(word):
    raise AssertionError(f"{word} is no JSON")


def access(policy):
    """A policy document as mosquitto's access list. %u is the certificate's common name, which is the thing's name."""
    lines = []
    for statement in policy["Statement"]:
        assert statement["Effect"] == "Allow", statement
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        for resource in resources:
            filter_ = resource.split(":", 5)[5].split("/", 1)[1].replace("${iot:Connection.Thing.ThingName}", "%u")
            lines += [f"pattern write {filter_}"] * ("iot:Publish" in actions)
            lines += [f"pattern read {filter_}"] * ("iot:Receive" in actions or "iot:Subscribe" in actions)
    assert lines, policy
    return lines


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
        return True
    except OSError:
        return False


def until(condition, what, more=lambda: "", seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}\n{more()}")
        time.sleep(0.02)


# --- a board ----------------------------------------------------------------------------------------

class Cycle:
    """How a run of a board ended, what it said, and what it kept."""

    def __init__(self, code, said, seconds, state):
        self.code, self.said, self.seconds, self.state = code, said, seconds, state

    def __str__(self):
        return f"exit {self.code} after {self.seconds:.2f} s\n{self.said}"


class Board:
    WIFI = {"ssid": SSID, "password": PASSWORD, "join_ms": 0}

    def __init__(self, project, package, kind, **world):
        self.model = project.model(kind)
        self.topic = f"{kind}/{package.name}"
        self.folder = Path(tempfile.mkdtemp(dir=project.root, prefix="board."))
        self.world = {"type": self.model, "platform": self.model["platform"], "micropython": "1.25", "speed": 50, "network_speed": 1, "seed": 1,
                      "wifi": dict(self.WIFI), "hosts": {"iot.local": "127.0.0.1"}, "faults": {}}
        if self.model["platform"] == "esp8266":
            self.world |= {"axtls": True, "ports": {str(project.port): project.old_port}}
        if UMQTT:
            self.world["real"] = ["umqtt"]
        self.world |= world
        self.environment = ENVIRONMENT
        self.write_world()
        self.simulator("--flash", package, *self.library())

    @staticmethod
    def library():
        return [UMQTT] if UMQTT else []

    def small_flash(self, package, free):
        """The smallest flash that takes the package, and that many blocks more."""
        for self.world["flash_blocks"] in range(8, 64):
            self.write_world()
            if run(*self.words(), "--flash", package, *self.library(), check=False).returncode == 0:
                break
        self.world["flash_blocks"] += free
        self.write_world()
        self.simulator("--flash", package, *self.library())

    def write_world(self):
        (self.folder / "world.json").write_text(json.dumps(self.world))

    def simulator(self, *words, **more):
        return run(MICROPYTHON, POWER_ON, self.folder, *words, **more)

    def files(self):
        lines = self.simulator("--list").stdout.decode().splitlines()
        return {line.rsplit(" ", 1)[0].lstrip("/"): int(line.rsplit(" ", 1)[1]) for line in lines}

    def file(self, name):
        return self.simulator("--get", name).stdout

    def state(self):
        path = self.folder / "state.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def words(self):
        return [str(MICROPYTHON), "-X", f"heapsize={HEAP}", str(POWER_ON), str(self.folder)]

    def cycle(self, seconds=LONGEST_CYCLE, **faults):
        """One run from reset to reset; faults as simulator/modules/_world.py names them."""
        self.world["faults"] = faults
        self.write_world()
        began = time.monotonic()
        ran = subprocess.run(self.words(), env=self.environment, timeout=seconds, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, check=False)
        state = self.state()
        code = state.get("code", ran.returncode) if ran.returncode < 0 else ran.returncode
        return Cycle(code, ran.stdout.decode(errors="replace"), time.monotonic() - began, state)

    def elapsed(self):
        """Seconds of the board's time since it was first switched on."""
        state = self.state()
        return (time.time_ns() // 1000 + state["skipped_us"] - state["began_us"]) / 1000000 if state else 0

    def live(self, seconds, until=lambda: False, **faults):
        """As many runs as fill that many seconds of the board's time, or are needed until something holds."""
        self.world["end_ms"] = int((self.elapsed() + seconds) * 1000)
        cycles = []
        while not cycles or cycles[-1].code in (RESET, DEEP_SLEEP, WATCHDOG):
            cycles.append(self.cycle(**faults))
            if until():
                break
        self.world["end_ms"] = None
        return cycles

    def switch_on(self, seconds, **faults):
        """A run beside the test, for that many seconds of the board's time."""
        self.world |= {"faults": faults, "end_ms": int((self.elapsed() + seconds) * 1000)}
        self.write_world()
        process = subprocess.Popen(UNTIL_WE_END + self.words(), env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        CLEAN_UP.callback(process.kill)
        return process

    def copy(self):
        """Another board, in the same state."""
        twin = copy.copy(self)
        twin.folder = Path(tempfile.mkdtemp(dir=self.folder.parent, prefix="board."))
        twin.world = dict(self.world)
        for name in ("flash.img", "state.json", "world.json"):
            if (self.folder / name).exists():
                shutil.copy2(self.folder / name, twin.folder / name)
        return twin

    def measured(self):
        """[(milliseconds, {quantity: value}), ...]: what its sensors have told so far."""
        return [tuple(m) for m in self.state().get("measured", [])]

    def __str__(self):
        return f"{self.model['platform']} in {self.folder}"


def same(wanted, got, what=""):
    assert wanted == got, f"{what}\n  wanted: {wanted!r}\n  got:    {got!r}"


def ended(cycle, *codes):
    assert cycle.code in codes, f"expected to end with {codes}: {cycle}"
    return cycle


def only(pattern, text):
    found = re.findall(pattern, text)
    assert len(found) == 1, f"expected once: {pattern}\n{text}"
    return found[0]
