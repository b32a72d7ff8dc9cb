"""What AWS would say of a request, as far as botocore knows it: is it signed right, and is it one that the service has?

Signatures are computed anew by botocore's signer with the secret key that belongs to the key id. A request is parsed back
into an operation and its parameters by the service's model; these are checked against the model (required members, types,
lengths, ranges, enums, patterns) and serialized again by botocore: what then is not the same request had something in it
that the service does not know, or in another place than where the service looks for it.
"""

import base64
import functools
import hashlib
import hmac
import json
import re
import time
from datetime import datetime, timezone
from urllib.parse import parse_qsl, quote, unquote

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.loaders
import botocore.model
import botocore.serialize
import botocore.validate

# Names that signatures carry, and the models that go with them.
MODELS = {"iot": "iot", "cloudformation": "cloudformation", "sts": "sts", "timestream": "timestream-write", "dynamodb": "dynamodb",
          "logs": "logs", "iam": "iam", "servicequotas": "service-quotas", "iotdata": "iot-data"}
PREFIXES = {"iotdata": "iot"}  # of actions in IAM policies, where they are not the signing name (service authorization reference)
GLOBAL = {"iam": ("us-east-1",)}  # one endpoint for all regions (botocore's endpoints.json, credentialScope)


class Request:
    """As it came over the wire: path and query are still escaped, header names are in lower case."""

    def __init__(self, method, target, headers, body):
        self.method, self.headers, self.body = method, headers, body
        self.target = target
        self.path, _, self.query = target.partition("?")


class Verdict:
    def __init__(self):
        self.service = self.operation = self.key_id = None
        self.parameters, self.problems = {}, []


# --- signatures -------------------------------------------------------------------------------------

AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([^/,]+)/([^/,]+)/aws4_request, *SignedHeaders=([^,]+), *Signature=([0-9a-f]{64})")


def judge_signature(request, keys, regions, verdict):
    """keys: {key id: (secret, token or None)}. Returns the service's signing name, None without a signature."""
    wrong = verdict.problems.append
    found = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not found:
        wrong("no signature" if "authorization" not in request.headers else "Authorization is not of the form of Signature Version 4")
        return None
    verdict.key_id, date, region, service, names, signature = found.groups()
    names, stamp = names.split(";"), request.headers.get("x-amz-date", "")
    if verdict.key_id not in keys:
        wrong(f"nobody has the key {verdict.key_id}")
        return service
    secret, token = keys[verdict.key_id]
    if request.headers.get("x-amz-security-token") != token:
        wrong("the session token is not that of the key")
    if names != sorted(set(names)):
        wrong("SignedHeaders are not sorted")
    must = {"host"} | {name for name in request.headers if name.startswith("x-amz-")}
    if must - set(names):
        wrong(f"not signed: {sorted(must - set(names))}")
    regions = GLOBAL.get(service, regions)
    if region not in regions:
        wrong(f"signed for {region}, not for {' or '.join(regions)}")
    if not re.fullmatch(r"\d{8}T\d{6}Z", stamp) or stamp[:8] != date:
        wrong("X-Amz-Date and the scope have different dates")
    elif abs(datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp() - time.time()) > 300:
        wrong("signed more than five minutes from now")
    said = request.headers.get("x-amz-content-sha256")
    if said and said != hashlib.sha256(request.body).hexdigest():
        wrong("X-Amz-Content-SHA256 is not that of the body")
    expected = botocore_signature(request, names, stamp, secret, token, region, service)
    if not hmac.compare_digest(expected, signature):
        wrong("the signature is another than botocore's")
    return service


def botocore_signature(request, names, stamp, secret, token, region, service):
    signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials("id", secret, token), service, region)
    headers = {name: request.headers.get(name, "") for name in names}
    unsigned = botocore.awsrequest.AWSRequest(request.method, f"http://{request.headers.get('host', '')}{request.target}",
                                              headers=headers, data=request.body)
    unsigned.context["timestamp"] = stamp
    return signer.signature(signer.string_to_sign(unsigned, signer.canonical_request(unsigned)), unsigned)


# --- operations -------------------------------------------------------------------------------------

@functools.cache
def model(name):
    return botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model(name, "service-2"), name)


def action(service, operation):
    """As IAM policies name it: "iot:CreateThing"."""
    name = model(service).signing_name
    return f"{PREFIXES.get(name, name)}:{operation}"


@functools.cache
def uris(name):
    """(method, pattern of the path, operation), those with fewer labels first."""
    found = []
    for operation in model(name).operation_names:
        http = model(name).operation_model(operation).http
        path = http["requestUri"].partition("?")[0]
        pattern = re.sub(r"\\\{(\w+)(?:\\\+)?\\\}", r"(?P<\1>[^/]+)", re.escape(path))
        found.append((path.count("{"), http["method"], re.compile(pattern), operation))
    return [row[1:] for row in sorted(found, key=lambda row: row[0])]


def find_rest(name, request):
    for method, pattern, operation in uris(name):
        labels = pattern.fullmatch(request.path)
        if labels and method == request.method:
            return operation, labels.groupdict()
    return None, {}


def scalar(shape, text):
    """A value that was text on the wire (a label, a query parameter, a form's field), in the type of its shape."""
    if shape.type_name in ("integer", "long") and re.fullmatch(r"-?\d+", text):
        return int(text)
    if shape.type_name in ("float", "double") and re.fullmatch(r"-?[\d.eE+-]+", text):
        return float(text)
    if shape.type_name == "boolean" and text in ("true", "false"):
        return text == "true"
    return base64.b64decode(text) if shape.type_name == "blob" else text


def members(shape):
    """{name on the wire: (name, shape)} of what is in the body."""
    return {m.serialization.get("name", name): (name, m) for name, m in shape.members.items()
            if m.serialization.get("location") not in ("uri", "querystring", "header", "headers", "statusCode")}


def from_json(shape, value):
    """JSON as parameters; what the model does not know keeps its name, and fails the validation."""
    if shape is None or value is None:
        return value
    if shape.type_name == "structure" and isinstance(value, dict):
        known = members(shape)
        return {known[k][0] if k in known else k: from_json(known[k][1] if k in known else None, v) for k, v in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [from_json(shape.member, v) for v in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {k: from_json(shape.value, v) for k, v in value.items()}
    return base64.b64decode(value) if shape.type_name == "blob" else value


def from_form(shape, fields, prefix):
    """The query protocol: Parameters.member.1.ParameterKey=..."""
    if shape.type_name == "structure":
        found = {}
        for name, member in shape.members.items():
            under = prefix + member.serialization.get("name", name)
            if any(k == under or k.startswith(under + ".") for k in fields):
                found[name] = from_form(member, fields, under + ("." if member.type_name in ("structure", "list", "map") else ""))
        return found
    if shape.type_name == "list":
        inner = "" if shape.serialization.get("flattened") else shape.member.serialization.get("name", "member") + "."
        numbers = sorted({int(k[len(prefix + inner):].split(".")[0]) for k in fields if re.match(re.escape(prefix + inner) + r"\d", k)})
        deep = "." if shape.member.type_name in ("structure", "list", "map") else ""
        return [from_form(shape.member, fields, f"{prefix}{inner}{n}{deep}") for n in numbers]
    return scalar(shape, fields[prefix])


def parse_rest(operation, request, labels, wrong):
    shape, parameters = operation.input_shape, {}
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if request.body:
        try:
            parameters = from_json(shape, json.loads(request.body))
        except ValueError:
            wrong("the body is not JSON")
    for name, member in (shape.members if shape else {}).items():
        place, wire = member.serialization.get("location"), member.serialization.get("name", name)
        if place == "uri" and wire in labels:
            parameters[name] = scalar(member, unquote(labels[wire]))
        elif place == "querystring" and wire in query:
            parameters[name] = scalar(member, query[wire])
        elif place == "header" and wire.lower() in request.headers:
            parameters[name] = scalar(member, request.headers[wire.lower()])
    return parameters


def find_operation(name, request, wrong):
    """The operation's model and its parameters."""
    service = model(name)
    protocol = service.protocol
    if protocol == "rest-json":
        operation, labels = find_rest(name, request)
        if not operation:
            wrong(f"{name} has no operation {request.method} {request.path}")
            return None, {}
        found = service.operation_model(operation)
        return found, parse_rest(found, request, labels, wrong)
    try:
        if protocol == "query":
            fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True))
            found = service.operation_model(fields.get("Action", ""))
            if fields.get("Version") != service.api_version:
                wrong(f"Version is {fields.get('Version')}, not {service.api_version}")
            return found, from_form(found.input_shape, fields, "") if found.input_shape else {}
        prefix, _, operation = request.headers.get("x-amz-target", "").partition(".")
        if prefix != service.metadata["targetPrefix"]:
            wrong(f"X-Amz-Target begins with {prefix}, not {service.metadata['targetPrefix']}")
        found = service.operation_model(operation)
        return found, from_json(found.input_shape, json.loads(request.body))
    except botocore.model.OperationNotFoundError as error:
        wrong(str(error))
    except ValueError as error:
        wrong(f"the body cannot be read: {error}")
    return None, {}


# --- parameters -------------------------------------------------------------------------------------

@functools.cache
def compiled(pattern):
    """The models' patterns are Java's. None for one that Python cannot read."""
    for java, python in (("\\p{Graph}", "!-~"), ("\\p{Alnum}", "a-zA-Z0-9"),
                         ("\\p{L}", "a-zA-Z"), ("\\p{N}", "0-9"), ("\\p{Z}", " "), ("\\p{C}", "\\x00-\\x1f")):
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern)
    except re.error:
        return None


def constraints(shape, value, where):
    """What botocore's own validator leaves to the service: the longest, the largest, enums and patterns."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in value.items():
            if name in shape.members:
                yield from constraints(shape.members[name], member, f"{where}.{name}")
    elif shape.type_name == "list" and isinstance(value, list):
        for i, member in enumerate(value):
            yield from constraints(shape.member, member, f"{where}[{i}]")
    elif shape.type_name == "map" and isinstance(value, dict):
        for key, member in value.items():
            yield from constraints(shape.key, key, f"{where} (key {key})")
            yield from constraints(shape.value, member, f"{where}.{key}")
    most = shape.metadata.get("max")
    size = value if isinstance(value, (int, float)) else len(value) if isinstance(value, (str, list, dict, bytes)) else None
    if most is not None and size is not None and not isinstance(value, bool) and size > float(most):
        yield f"{where} is {'longer' if size is not value else 'more'} than {most}"
    if isinstance(value, str):
        if shape.enum and value not in shape.enum:
            yield f"{where}: {value!r} is not one of {shape.enum}"
        pattern = compiled(shape.metadata["pattern"]) if "pattern" in shape.metadata else None
        if pattern and not pattern.fullmatch(value):
            yield f"{where}: {value!r} is not of the form {shape.metadata['pattern']}"


def judge_parameters(operation, parameters, wrong):
    report = botocore.validate.ParamValidator().validate(parameters, operation.input_shape) if operation.input_shape else None
    if report and report.has_errors():
        wrong(report.generate_report())
    if not operation.input_shape and parameters:
        wrong(f"{operation.name} takes no parameters, and has {sorted(parameters)}")
    for problem in constraints(operation.input_shape, parameters, operation.name) if operation.input_shape else ():
        wrong(problem)


def escaped(text):
    """As AWS wants it: every byte but RFC 3986's unreserved ones percent-encoded, by upper-case digits."""
    return quote(unquote(text), safe="-_.~")


def judge_wire(service, operation, parameters, request, wrong):
    """The same request as botocore would have sent?"""
    try:
        again = botocore.serialize.create_serializer(service.protocol, False).serialize_to_request(parameters, operation)
    except Exception as error:  # whatever cannot be serialized was reported by the validation already
        wrong(f"botocore cannot send this: {error}")
        return
    if request.method != again["method"]:
        wrong(f"the method is {request.method}, not {again['method']}")
    if [unquote(p) for p in request.path.split("/")] != [unquote(p) for p in again["url_path"].partition("?")[0].split("/")]:
        wrong(f"the path is {request.path}, not {again['url_path']}")
    if request.path != "/".join(escaped(part) for part in request.path.split("/")):
        wrong(f"the path is not escaped as AWS wants it: {request.path}")
    if request.query and request.query != "&".join(f"{escaped(k)}={escaped(v)}" for k, _, v in (p.partition("=") for p in request.query.split("&"))):
        wrong(f"the query is not escaped as AWS wants it: {request.query}")
    asked = sorted(parse_qsl(request.query, keep_blank_values=True))
    wanted = sorted((k, v if isinstance(v, str) else str(v)) for k, v in again["query_string"].items()) if isinstance(again["query_string"], dict) else []
    if asked != wanted:
        wrong(f"the query is {asked}, not {wanted}")
    if service.protocol == "query":
        fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        wanted = {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in again["body"].items()}
        if fields != wanted:
            wrong(f"form fields {sorted(set(fields.items()) ^ set(wanted.items()))} are only in the request, or only in botocore's")
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            wrong("Content-Type is not application/x-www-form-urlencoded")
    elif (json.loads(request.body) if request.body else {}) != (json.loads(again["body"]) if again["body"] else {}):
        wrong("the body is not what botocore makes of the same parameters")
    if service.protocol == "json" and request.headers.get("content-type") != f"application/x-amz-json-{service.metadata['jsonVersion']}":
        wrong(f"Content-Type is {request.headers.get('content-type')}, not application/x-amz-json-{service.metadata['jsonVersion']}")


def judge(request, keys, regions):
    """A Verdict; its problems are what AWS would have refused."""
    verdict = Verdict()
    if b"Action=AssumeRoleWithWebIdentity" in request.body and "authorization" not in request.headers:
        signed_for = "sts"
    else:
        signed_for = judge_signature(request, keys, regions, verdict)
    name = MODELS.get(signed_for)
    if not name:
        verdict.problems.append(f"no model for the service \"{signed_for}\"")
        return verdict
    operation, parameters = find_operation(name, request, verdict.problems.append)
    verdict.service = name
    if operation:
        verdict.operation, verdict.parameters = operation.name, parameters
        judge_parameters(operation, parameters, verdict.problems.append)
        if not [p for p in verdict.problems if "cannot be read" in p or "is not JSON" in p]:
            judge_wire(model(name), operation, parameters, request, verdict.problems.append)
    return verdict
