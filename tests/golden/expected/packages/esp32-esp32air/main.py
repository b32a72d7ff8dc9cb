# Reads the sensor, publishes the reading, sleeps. The story is in run(); what differs between boards is in board.py.
#
# Whatever fails (sensor, wifi, name lookup, TLS, broker) costs one bounded attempt and then a pause that doubles
# from 15 seconds to an hour. A timer ends an attempt that hangs. The count of failures and the rest of a pause
# survive deep sleep and reset in the clock's memory.
import gc
import json
import machine
import network
import struct
import time

import board

ATTEMPT_SECONDS = 90  # from reading to acknowledgement; a handshake alone takes an ESP8266 up to 15
WIFI_SECONDS = 25
LISTEN_SECONDS = 3  # how long a board that sleeps waits for queued commands
FIRST_PAUSE = 15
LONGEST_PAUSE = 3600
CLOCK_SECONDS = 6 * 3600  # how long the clock is believed after it was set
KEEPALIVE = 120  # AWS accepts 30 to 1200

with open("config.json") as file:
    config = json.load(file)

# The ESPs count from 2000, other ports from 1970.
EPOCH = 946684800 if time.gmtime(0)[0] == 2000 else 0

wlan = network.WLAN(network.STA_IF)
timer = machine.Timer(-1)
failures = 0
clock_set_at = None  # seconds; None: not in this run. A clock that ran through a deep sleep has drifted too far.
command_came = False


# What outlives a reset: failures (1 byte), seconds of pause that are left (4 bytes).
def remember(pause):
    machine.RTC().memory(struct.pack("<BI", failures, pause))


def recall():
    memory = machine.RTC().memory()
    if len(memory) != 5 or machine.reset_cause() == machine.PWRON_RESET:
        return 0, 0
    return struct.unpack("<BI", memory)


def pause_after_failure():
    return min(FIRST_PAUSE << min(failures - 1, 10), LONGEST_PAUSE)


# Does not return for a board in deep sleep: it wakes with a reset, and runs on in run().
def rest(seconds):
    timer.deinit()
    if config["sleep"] == "deep":
        now = min(seconds, board.LONGEST_SLEEP)
        remember(seconds - now)
        board.deepsleep(now)
    elif config["sleep"] == "light":
        wlan.active(False)  # light sleep stops the radio in the middle of a word
        machine.lightsleep(seconds * 1000)
    else:
        time.sleep(seconds)


# An attempt that hangs holds memory and sockets that cannot be reached from here: only a reset frees them.
def hung(_):
    global failures
    print("no end after", ATTEMPT_SECONDS, "s")
    failures = min(failures + 1, 255)
    if config["sleep"] == "deep":
        rest(pause_after_failure())
    remember(pause_after_failure())
    machine.reset()


# Checksums over long wires fail now and then; these sensors want two seconds between readings.
def measure():
    for tried in range(3):
        try:
            import sensor  # here, so that a sensor that cannot even be set up is a failure like any other

            return sensor.read()
        except Exception as error:
            print("sensor:", repr(error))
            if tried == 2:
                raise
        time.sleep(2)


# JSON would lose the difference between 25.0 and 25, and AWS IoT puts an integer into another column.
# None for what JSON cannot say: such a measure is left out, and the rule for invalid readings takes the message.
def encode(value, kind):
    if value is None:
        return None
    if kind == "double":
        value = float(value)
        if value != value or value in (float("inf"), float("-inf")):
            return None
        text = repr(value)
        return text if "." in text and "e" not in text else "%.6f" % value
    if kind == "bigint":
        return str(int(value))
    if kind == "boolean":
        return "true" if value else "false"
    return json.dumps(str(value))


def payload(reading, age_ms):
    fields = []
    for name, kind in config["measures"].items():
        text = encode(reading.get(name), kind)
        if text is not None:
            fields.append('"%s":%s' % (name, text))
    for name, value in config["attributes"].items():
        fields.append('"%s":%s' % (name, json.dumps(value)))
    if clock_set_at is not None:
        fields.append('"time":%d' % (time.time_ns() // 1000000 + EPOCH * 1000 - age_ms))
    return "{" + ",".join(fields) + "}"


def join_wifi():
    wlan.active(True)
    if wlan.isconnected():
        return
    wifi = config["wifi"]
    wlan.connect(wifi["ssid"], wifi["password"] or None)
    for _ in range(WIFI_SECONDS * 10):
        if wlan.isconnected():
            return
        time.sleep_ms(100)
    status = wlan.status()
    wlan.disconnect()
    raise OSError("wifi status %d" % status)


# The router is asked after the pool: in a house without internet it is often the one clock there is.
def set_clock():
    global clock_set_at
    if clock_set_at is not None and 0 <= time.time() - clock_set_at < CLOCK_SECONDS:
        return
    import ntptime

    ntptime.timeout = 2
    clock_set_at = None
    for host in ("pool.ntp.org", wlan.ifconfig()[2]):
        try:
            ntptime.host = host
            ntptime.settime()
            clock_set_at = time.time()
            return
        except Exception as error:
            print("clock:", host, repr(error))


def load(path):
    with open(path, "rb") as file:
        return file.read()


# umqtt has taken TLS in three ways: as arguments of ssl.wrap_socket (until MicroPython 1.22), as an SSLContext
# (1.23), as either (later). Each way sends the server's name.
def make_client():
    import ssl
    from umqtt.simple import MQTTClient

    key, cert = load("key.der"), load("cert.der")
    arguments = {"key": key, "cert": cert, "server_hostname": config["host"]}
    if board.VERIFIES_SERVER:
        arguments["cert_reqs"] = ssl.CERT_REQUIRED
        arguments["cadata"] = load("ca.der")
    context = True
    if hasattr(getattr(ssl, "SSLContext", None), "load_cert_chain"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_cert_chain(cert, key)
        if board.VERIFIES_SERVER:
            context.load_verify_locations(cadata=arguments["cadata"])
            context.verify_mode = ssl.CERT_REQUIRED
    who = (config["thing"], config["host"], config["port"])
    try:
        return MQTTClient(*who, keepalive=KEEPALIVE, ssl=context, ssl_params=arguments)
    except TypeError:
        return MQTTClient(*who, keepalive=KEEPALIVE, ssl=context)


def on_command(_, message):
    global command_came
    import actuator

    command_came = True
    try:
        actuator.handle(json.loads(message))
    except Exception as error:
        print("command:", message, repr(error))


# With commands the session is kept, so that the broker queues what is sent to a board that sleeps.
def connect():
    join_wifi()
    set_clock()
    client = make_client()
    gc.collect()  # the handshake wants the largest free piece that there is
    topic = config["command_topic"]
    if topic:
        client.set_callback(on_command)
    try:
        client.connect(clean_session=not topic)
        if topic:
            client.subscribe(topic, qos=1)
    except Exception:
        if board.VERIFIES_SERVER and clock_set_at is None and time.gmtime()[0] < 2024:
            print("the clock is not set, so no certificate can be verified")
        close(client)
        raise
    return client


def close(client):
    if client and client.sock:
        try:
            client.disconnect()
        except Exception:
            client.sock.close()


# Waits, hands on commands, keeps the connection alive. Ends early when a command came, so that the new state is
# published at once.
def listen(client, seconds):
    global command_came
    command_came = False
    for tick in range(1, seconds * 5 + 1):
        if config["command_topic"]:
            client.check_msg()
        if command_came:
            return
        if tick % (KEEPALIVE * 5 // 2) == 0:
            client.ping()
            if not config["command_topic"]:
                client.check_msg()  # takes the answer out of the socket
        time.sleep_ms(200)


def attempt(client):
    read_at = time.ticks_ms()
    reading = measure()
    if client is None:
        client = connect()
    try:
        set_clock()
        age = time.ticks_diff(time.ticks_ms(), read_at)
        client.publish(config["topic"], payload(reading, age), qos=1)
        if config["sleep"] != "none" and config["command_topic"]:
            listen(client, LISTEN_SECONDS)
    except Exception:
        close(client)
        raise
    if config["sleep"] != "none":
        close(client)
        return None
    return client


def run():
    global failures
    failures, pause = recall()
    if pause:
        rest(pause)  # of a deep sleep longer than the counter holds, or after a hang
        remember(0)
    client = None
    while True:
        started = time.ticks_ms()
        timer.init(mode=machine.Timer.ONE_SHOT, period=ATTEMPT_SECONDS * 1000, callback=hung)
        try:
            client = attempt(client)
            failures = 0
        except Exception as error:
            print("failed:", repr(error))
            client = None
            failures = min(failures + 1, 255)
        timer.deinit()
        gc.collect()
        if failures:
            rest(pause_after_failure())
            continue
        took = time.ticks_diff(time.ticks_ms(), started) // 1000
        wait = max(config["publish_every_seconds"] - took, 1)
        if client is None:
            rest(wait)
            continue
        try:
            listen(client, wait)
        except Exception as error:
            print("connection:", repr(error))
            close(client)
            client = None


run()
