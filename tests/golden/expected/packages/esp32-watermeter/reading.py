# One reading as a record: "<milliseconds> <the measures as a piece of JSON>".
import json

import common

MEASURES = (("litres", "double"), ("total", "double"), )


def decimal(units, places):
    text = str(abs(units))
    text = "0" * (places + 1 - len(text)) + text
    return "%s%s.%s" % ("-" if units < 0 else "", text[: len(text) - places], text[len(text) - places :] or "0")


def encode(value, kind):
    if value is None:
        return None
    if isinstance(value, tuple):
        if kind == "double":
            return decimal(*value)
        value = value[0] // 10 ** value[1]
    if kind == "double":
        value = float(value)
        if value - value != 0:
            return None
        text = repr(value)
        return text if "." in text else text.replace("e", ".0e") if "e" in text else text + ".0"
    if kind == "bigint":
        return str(int(value))
    if kind == "boolean":
        return "true" if value else "false"
    return json.dumps(str(value))


def take():
    latest, fields = {}, []
    try:
        import drivers as sensor

        latest = dict(sensor.read())
    except Exception as error:
        common.keep_going(error)
        print("sensor: %r" % error)
    stamp = common.now_ms()
    for name, kind in MEASURES:
        value = latest.get(name)
        try:
            text = encode(value, kind)
        except (TypeError, ValueError, OverflowError):
            text = None
        if text is None:
            print("sensor: %s is %s, left out" % (name, value))
        else:
            fields.append('"%s":%s' % (name, text))
    return "%d %s" % (stamp, ",".join(fields))
