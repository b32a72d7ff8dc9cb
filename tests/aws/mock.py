#!/usr/bin/env python3
"""mock.py [--stock] [--port N]: a mock AWS account on this machine; prints its port, and serves until its stdin ends.

It is moto's server. Without --stock, moto is corrected in this process where it departs from what AWS documents and the
departure would hide a fault of ours: each correction below has the sentence of the documentation as its reason ("BC" is the
documentation in botocore's service models, "DG" the AWS IoT developer guide, "CFN" the CloudFormation user guide).

Besides moto's own routes there are, all POST:
    /moto-api/reset       forgets everything, after stacks that are being made or deleted have come to their end
    /moto-api/save        remembers the account as it is, under the name that the body has
    /moto-api/restore     makes it what it was when it was saved under that name
    /moto-api/sessions    JSON: {client id: whatever}; the MQTT clients that are connected from now on. Answers with those that were
                          before; "" only asks
    /moto-api/tune        JSON: {"deprecation": seconds, "propagation": seconds, "stack": seconds, "fail": {"AWS::IoT::TopicRule": "why"},
                          "timestream": false, "empty_page": true}; sets those that are named
"""

import argparse
import copy
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from datetime import timedelta
from pathlib import Path

ACCOUNT, REGION = "123456789012", "eu-west-1"
TUNING = {
    "deprecation": 300.0,  # "You must wait five minutes after you deprecate a thing type before you can delete it" (DG, thing types)
    "propagation": 0.0,    # DetachThingPrincipal: "This call is asynchronous. It might take several seconds" (BC)
    "stack": 0.0,          # how long each resource of a stack takes
    "fail": {},            # types of resources that cannot be made, and why
    "timestream": True,    # whether this account may use Timestream
    "endpoint": None,      # host and port that things connect to, in place of one of AWS
    "retype": False,       # whether a thing type's description and attributes can be changed (aws-cli issue 9884: they cannot, by now)
    "empty_page": False,   # whether lists begin with a page without anything but a token, as AWS's filtered lists may
}
STARTING = dict(TUNING)


def take_time():
    """As long as a resource of a stack takes; a test may end it by tuning."""
    began = time.monotonic()
    while time.monotonic() - began < TUNING["stack"]:
        time.sleep(0.01)


def is_detaching(backend, name):
    """Whether a thing or certificate was detached a moment ago."""
    return name in backend.detached and time.monotonic() < backend.detached[name] + TUNING["propagation"]


SESSIONS = {}  # of MQTT clients, by client id
LOGGING = {}   # what SetV2LoggingOptions was told


class Mock:
    """mock.py as a process of its own, for tests. With MOCK_LOUD in the environment one sees what it says."""

    def __init__(self, *options, environment=None):
        self.options, self.environment = options, environment or {}

    def __enter__(self):
        words = [sys.executable, Path(__file__).resolve(), *self.options]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=None if "MOCK_LOUD" in os.environ else subprocess.DEVNULL,
                                        text=True, env=os.environ | self.environment)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def post(self, route, body=""):
        asked = urllib.request.Request(f"{self.url}/moto-api/{route}", body.encode(), {"Content-Type": "text/plain"}, method="POST")
        with urllib.request.urlopen(asked) as answer:
            return answer.read()

    def reset(self, **tuning):
        self.post("reset")
        if "--stock" not in self.options:
            self.tune(**{"deprecation": 0.0, **tuning})

    def tune(self, **tuning):
        self.post("tune", json.dumps(tuning))

    def sessions(self, clients=None):
        """The clients that are connected or have a session; sets them unless clients is None."""
        return json.loads(self.post("sessions", "" if clients is None else json.dumps(clients)))

    def save(self, name="base"):
        self.post("save", name)

    def restore(self, name="base"):
        self.post("restore", name)


# --- IoT's data plane -----------------------------------------------------------------------------------

def add_delete_connection():
    """moto does not have this operation. "ResourceNotFoundException: The specified client ID does not exist or is not currently connected,
    and doesn't have a persistent session" (DG)."""
    from urllib.parse import unquote

    from moto.iotdata.exceptions import InvalidRequestException, ResourceNotFoundException
    from moto.iotdata.responses import IoTDataPlaneResponse

    def delete_connection(self):
        client = unquote(self.path.split("/connections/")[-1])
        if client.startswith("$"):
            raise InvalidRequestException("The client ID can't start with a dollar sign")
        if client not in SESSIONS:
            raise ResourceNotFoundException()
        SESSIONS.pop(client) if self.querystring.get("cleanSession", ["false"])[0] == "true" else SESSIONS.update({client: "kept"})
        return "{}"

    IoTDataPlaneResponse.delete_connection = delete_connection


# --- the log of AWS IoT ---------------------------------------------------------------------------------

def add_logging():
    """moto does not have these operations. "NotConfiguredException: The resource is not configured" (BC); off in a new account (DG)."""
    from moto.iot.exceptions import IoTClientError
    from moto.iot.responses import IoTResponse

    class NotConfigured(IoTClientError):
        code = 404

        def __init__(self):
            super().__init__("NotConfiguredException", "Logging is not configured")

    def get_v2_logging_options(self):
        if not LOGGING:
            raise NotConfigured
        return json.dumps(LOGGING)

    def set_v2_logging_options(self):
        LOGGING.update(json.loads(self.body))
        return "{}"

    IoTResponse.get_v2_logging_options = get_v2_logging_options
    IoTResponse.set_v2_logging_options = set_v2_logging_options


# --- IoT ----------------------------------------------------------------------------------------------

def correct_iot():
    import moto.iot.models as iot
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from moto.core.config import default_user_config
    from moto.core.utils import utcnow
    from moto.iot.exceptions import (DeleteConflictException, InvalidRequestException, IoTClientError, ResourceAlreadyExistsException,
                                     ResourceNotFoundException)
    from moto.iot.responses import IoTResponse
    backend = iot.IoTBackend

    # "certificateId: The ID of the certificate"; AWS's is the SHA-256 fingerprint of the certificate's DER (DG).
    default_user_config.setdefault("iot", {})["use_valid_cert"] = True

    # One authority for all certificates, as AWS's: made once, because it takes long.
    authority = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATIONAL_UNIT_NAME,
                                           "Amazon Web Services O=Amazon.com Inc. L=Seattle ST=Washington C=US")])

    def create_certificate_from_csr(self, csr, set_as_active):
        """"Creates an X.509 certificate using the specified certificate signing request" (BC): over the request's own key, with
        its subject. "The CSR must include a public key that is either an RSA key with a length of at least 2048 bits or an ECC
        key from NIST P-256, NIST P-384, or NIST P-521 curves. [...] Reusing the same CSR results in a distinct certificate." """
        try:
            request = x509.load_pem_x509_csr(csr.encode())
        except ValueError as error:
            raise InvalidRequestException(f"Invalid CSR: {error}") from error
        key = request.public_key()
        strong = key.key_size >= 2048 if isinstance(key, rsa.RSAPublicKey) else \
            isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in ("secp256r1", "secp384r1", "secp521r1")
        if not strong or not request.is_signature_valid:
            raise InvalidRequestException("The CSR's key or signature is not supported")
        now = utcnow().replace(microsecond=0)
        certificate = (x509.CertificateBuilder().subject_name(request.subject).issuer_name(issuer).public_key(key)
                       .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(minutes=2))
                       .not_valid_after(now.replace(year=2049, month=12, day=31, hour=23, minute=59, second=59)).sign(authority, hashes.SHA256()))
        made = iot.FakeCertificate(certificate.public_bytes(serialization.Encoding.PEM).decode(), "ACTIVE" if set_as_active in (True, "true") else "INACTIVE",
                                   self.account_id, self.region_name)
        made.validity_not_before, made.validity_not_after = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        self.certificates[made.certificate_id] = made
        return made

    make_thing = backend.create_thing

    def create_thing(self, thing_name, thing_type_name, attribute_payload, billing_group_name=None):
        """"If this call is made multiple times using the same thing name and configuration, the call will succeed. If this call is
        made with the same thing name but different configuration a ResourceAlreadyExistsException is thrown" (BC)."""
        wanted = (thing_type_name, (attribute_payload or {}).get("attributes", {}))
        with self.lock:
            for thing in list(self.things.values()):
                if thing.thing_name == thing_name:
                    if (thing.thing_type.thing_type_name if thing.thing_type else None, thing.attributes) == wanted:
                        return thing
                    raise ResourceAlreadyExistsException(f"Thing {thing_name} already exists in account with different attributes",
                                                         thing.thing_id, thing.arn)
            return make_thing(self, thing_name, thing_type_name, attribute_payload, billing_group_name)

    make_type = backend.create_thing_type

    def create_thing_type(self, thing_type_name, thing_type_properties):
        """"If this call is made with the same thing type name but different configuration a ResourceAlreadyExistsException is
        thrown" (BC)."""
        for kind in self.thing_types.values():
            if kind.thing_type_name == thing_type_name:
                if kind.thing_type_properties == (thing_type_properties or {}):
                    return kind.thing_type_name, kind.arn
                raise ResourceAlreadyExistsException(f"Thing type {thing_type_name} already exists", kind.thing_type_id, kind.arn)
        return make_type(self, thing_type_name, thing_type_properties)

    remove_thing = backend.delete_thing

    def delete_thing(self, thing_name):
        """"Returns successfully with no error if the deletion is successful or you specify a thing that doesn't exist" (BC)."""
        if not any(t.thing_name == thing_name for t in self.things.values()):
            return
        if is_detaching(self, thing_name):
            raise iot.ThingStillAttached(thing_name)
        remove_thing(self, thing_name)

    detach_thing = backend.detach_thing_principal

    def detach_thing_principal(self, thing_name, principal_arn):
        """"This call is asynchronous. It might take several seconds for the detachment to propagate" (BC)."""
        detach_thing(self, thing_name, principal_arn)
        if self.exclusive.get(principal_arn) == thing_name:
            del self.exclusive[principal_arn]
        self.detached[thing_name] = self.detached[principal_arn] = time.monotonic()

    remove_certificate = backend.delete_certificate

    def delete_certificate(self, certificate_id, force_delete):
        """"A certificate cannot be deleted if it has a policy or IoT thing attached to it" (BC): also while a detachment propagates."""
        certificate = self.describe_certificate(certificate_id)
        if is_detaching(self, certificate.arn):
            raise DeleteConflictException(f"Things must be detached before deletion (arn: {certificate.arn})")
        remove_certificate(self, certificate_id, force_delete)

    deprecate = backend.deprecate_thing_type

    def deprecate_thing_type(self, thing_type_name, undo_deprecate):
        kind = deprecate(self, thing_type_name, bool(undo_deprecate))
        if undo_deprecate:
            kind.metadata.pop("deprecationDate", None)
        else:
            kind.metadata.setdefault("deprecationDate", utcnow())
        return kind

    remove_type = backend.delete_thing_type

    def delete_thing_type(self, thing_type_name):
        """"You can delete thing types only after they have been deprecated" and "You must wait five minutes after you deprecate a
        thing type before you can delete it" (DG); "You cannot delete a thing type if it has things associated with it" (BC)."""
        kind = self.describe_thing_type(thing_type_name)
        if not kind.metadata["deprecated"]:
            raise InvalidRequestException(f"Cannot delete thing type {thing_type_name}: it must be deprecated first")
        if (utcnow() - kind.metadata["deprecationDate"]).total_seconds() < TUNING["deprecation"]:
            raise InvalidRequestException(f"Cannot delete thing type {thing_type_name}: please wait for 5 minutes after deprecation and then retry")
        if any(t.thing_type and t.thing_type.thing_type_name == thing_type_name for t in self.things.values()):
            raise InvalidRequestException(f"Cannot delete thing type {thing_type_name}: it has things associated with it")
        remove_type(self, thing_type_name)
        self.tags.pop(kind.arn, None)

    def describe_endpoint(self, endpoint_type):
        """"The first time DescribeEndpoint is called, an endpoint is created. All subsequent calls to DescribeEndpoint return the same
        endpoint" (BC)."""
        if endpoint_type not in self.endpoints:
            self.endpoints[endpoint_type] = iot.FakeEndpoint(endpoint_type, self.region_name)
        made = copy.copy(self.endpoints[endpoint_type])
        made.endpoint = TUNING["endpoint"] or made.endpoint
        return made

    class MalformedPolicy(IoTClientError):
        def __init__(self, why):
            super().__init__("MalformedPolicyException", why)

    def check_policy(document):
        """"MalformedPolicyException: The policy documentation is not valid" (BC); at most 2,048 characters without white space (DG)."""
        try:
            statements = json.loads(document)["Statement"]
        except (ValueError, KeyError, TypeError) as error:
            raise MalformedPolicy("Policy document is Malformed: invalid json") from error
        if not statements or sum(not c.isspace() for c in document) > 2048:
            raise MalformedPolicy("Policy document is Malformed: no statement, or larger than 2048 characters")

    make_policy, make_version = backend.create_policy, backend.create_policy_version

    def create_policy(self, policy_name, policy_document):
        check_policy(policy_document)
        return make_policy(self, policy_name, policy_document)

    def create_policy_version(self, policy_name, policy_document, set_as_default):
        check_policy(policy_document)
        return make_version(self, policy_name, policy_document, set_as_default)

    def update_certificate(self, certificate_id, new_status):
        """"The status value REGISTER_INACTIVE is deprecated", and PENDING_* cannot be set (BC)."""
        if new_status not in ("ACTIVE", "INACTIVE", "REVOKED"):
            raise InvalidRequestException(f"{new_status} cannot be set")
        self.describe_certificate(certificate_id).status = new_status

    begin = backend.__init__

    def begin_backend(self, region_name, account_id):
        begin(self, region_name, account_id)
        self.detached, self.endpoints, self.tags, self.exclusive, self.lock = {}, {}, {}, {}, Lock()

    def page(items, size, marker):
        """The service's pages: "The results are paginated with a default page size of 25" (BC, ListCertificates)."""
        if TUNING["empty_page"] and marker is None:
            return [], "0"
        start, size = int(marker or 0), int(size or 25)
        return items[start:start + size], str(start + size) if len(items) > start + size else None

    def respond_certificates(self):
        """"ascendingOrder: Specifies the order for results. If True, the results are returned in ascending order, based on the creation
        date" (BC): so the newest are first."""
        found = list(self.iot_backend.list_certificates())
        if not self._get_bool_param("ascendingOrder"):
            found.reverse()
        found, marker = page(found, self._get_param("pageSize"), self._get_param("marker"))
        return iot_result({"certificates": [c.to_dict() for c in found], "nextMarker": marker})

    def respond_targets(self):
        found, marker = page(self.iot_backend.list_targets_for_policy(policy_name=self._get_param("policyName")),
                             self._get_param("pageSize"), self._get_param("marker"))
        return iot_result({"targets": found, "nextMarker": marker})

    def respond_policies(self):
        found, marker = page(list(self.iot_backend.list_policies()), self._get_param("pageSize"), self._get_param("marker"))
        return iot_result({"policies": [p.to_dict() for p in found], "nextMarker": marker})

    def respond_things(self):
        token = self._get_param("nextToken")
        if TUNING["empty_page"] and token is None:
            return iot_result({"things": [], "nextToken": "0"})
        names = ("attribute_name", "attributeName"), ("attribute_value", "attributeValue"), ("thing_type_name", "thingTypeName")
        found, token = self.iot_backend.list_things(**{name: self._get_param(given) for name, given in names}, token=None if token == "0" else token,
                                                    max_results=self._get_int_param("maxResults", 50))
        return iot_result({"things": found, "nextToken": token})

    def respond_attach(self):
        """"EXCLUSIVE_THING - [...] The thing will be the only thing that's attached to the principal" (BC); "When a certificate is associated
        with an exclusive thing, this certificate can only be associated with other things if you detach it from the exclusive thing" (DG)."""
        thing, principal, backend = self._get_param("thingName"), self.headers.get("x-amzn-principal"), self.iot_backend
        exclusive = self._get_param("thingPrincipalType") == "EXCLUSIVE_THING"
        others = [t for p, t in backend.principal_things if p == principal and t != thing]
        if others and (exclusive or principal in backend.exclusive):
            raise InvalidRequestException(f"The principal is attached to {others[0]} already")
        backend.attach_thing_principal(thing_name=thing, principal_arn=principal)
        if exclusive:
            backend.exclusive[principal] = thing
        return iot_result({})

    def respond_principals(self):
        found = self.iot_backend.list_thing_principals(thing_name=self._get_param("thingName"))
        found, token = page(found, self._get_int_param("maxResults"), self._get_param("nextToken"))
        return iot_result({"principals": found, "nextToken": token})

    def respond_principals_by_kind(self):
        exclusive = self.iot_backend.exclusive
        found = self.iot_backend.list_thing_principals(thing_name=self._get_param("thingName"))
        return iot_result({"thingPrincipalObjects": [
            {"principal": p, "thingPrincipalType": "EXCLUSIVE_THING" if p in exclusive else "NON_EXCLUSIVE_THING"} for p in found]})

    def respond_update_type(self):
        """UpdateThingType is documented for all properties (BC); the service answered "Can only update mqtt5Configuration." in 2025-11."""
        kind, given = self.iot_backend.describe_thing_type(self._get_param("thingTypeName")), self._get_param("thingTypeProperties") or {}
        changed = {k for k, v in given.items() if kind.thing_type_properties.get(k) != v}
        if changed - {"mqtt5Configuration"} and not TUNING["retype"]:
            raise InvalidRequestException("Can only update mqtt5Configuration.")
        kind.thing_type_properties.update(given)
        return iot_result({})

    def respond_tags(self):
        """"Lists the tags (metadata) you have assigned to the resource" (BC): moto has none of IoT's."""
        tags = self.iot_backend.tags.get(self._get_param("resourceArn"), {})
        return iot_result({"tags": [{"Key": k, "Value": v} for k, v in tags.items()]})

    from moto.core.responses import ActionResult as iot_result
    for name, corrected in list(locals().items()):
        if callable(corrected) and hasattr(backend, name) and getattr(corrected, "__module__", "") == __name__:
            setattr(backend, name, corrected)
    backend.__init__ = begin_backend
    IoTResponse.list_things, IoTResponse.list_tags_for_resource = respond_things, respond_tags
    IoTResponse.attach_thing_principal, IoTResponse.update_thing_type = respond_attach, respond_update_type
    IoTResponse.list_thing_principals, IoTResponse.list_thing_principals_v2 = respond_principals, respond_principals_by_kind
    IoTResponse.list_certificates, IoTResponse.list_targets_for_policy, IoTResponse.list_policies = respond_certificates, respond_targets, respond_policies
    correct_iot_in_stacks(iot, ResourceNotFoundException)


class Lock:
    """A lock that a copy of an account does without."""

    def __init__(self):
        self.inner = threading.RLock()

    def __deepcopy__(self, _):
        return Lock()

    def __enter__(self):
        return self.inner.__enter__()

    def __exit__(self, *why):
        return self.inner.__exit__(*why)


def correct_iot_in_stacks(iot, not_found):
    """moto hands a template's properties to the backend as they are: the API's are in camelCase, a policy's document is a string,
    and a policy keeps at most five versions ("If the policy has five versions, you must use DeletePolicyVersion", BC)."""
    from moto.core.utils import pascal_to_camelcase

    def camel(value):
        if isinstance(value, dict):
            return {pascal_to_camelcase(k): camel(v) for k, v in value.items()}
        return [camel(v) for v in value] if isinstance(value, list) else value

    def make_type(cls, resource_name, cloudformation_json, account_id, region_name, **_):
        properties = cloudformation_json["Properties"]
        backend = iot.iot_backends[account_id][region_name]
        name = properties.get("ThingTypeName", resource_name)
        if any(t.thing_type_name == name for t in backend.thing_types.values()):
            raise already_there("AWS::IoT::ThingType", name)
        _, arn = backend.create_thing_type(name, camel(properties.get("ThingTypeProperties", {})))
        backend.tags[arn] = {t["Key"]: t["Value"] for t in properties.get("Tags", [])}
        return backend.thing_types[arn]

    def update_type(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
        properties = camel(cloudformation_json["Properties"].get("ThingTypeProperties", {}))
        if original_resource.thing_type_properties != properties:
            # "Thing types are immutable. They can't be changed after they are defined" (DG).
            raise RuntimeError(f"Thing type {original_resource.thing_type_name} cannot be changed")
        return original_resource

    def make_policy(cls, resource_name, cloudformation_json, account_id, region_name, **_):
        properties = cloudformation_json["Properties"]
        return iot.iot_backends[account_id][region_name].create_policy(properties.get("PolicyName", resource_name),
                                                                       json.dumps(properties["PolicyDocument"]))

    def update_policy(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
        properties, backend = cloudformation_json["Properties"], iot.iot_backends[account_id][region_name]
        document = json.dumps(properties["PolicyDocument"])
        if document != original_resource.document:
            if len(original_resource.versions) == 5:  # CloudFormation's handler makes room (it keeps the newest)
                backend.delete_policy_version(original_resource.name, next(v.version_id for v in original_resource.versions if not v.is_default))
            backend.create_policy_version(original_resource.name, document, True)
        return original_resource

    def remove_policy(cls, resource_name, cloudformation_json, account_id, region_name):
        backend, name = iot.iot_backends[account_id][region_name], cloudformation_json["Properties"].get("PolicyName", resource_name)
        if name in backend.policies and not any(policy == name for _, policy in backend.principal_policies):
            for version in list(backend.policies[name].versions):
                if not version.is_default:
                    backend.delete_policy_version(name, version.version_id)
        backend.delete_policy(name)

    iot.FakeThingType.create_from_cloudformation_json = classmethod(make_type)
    iot.FakeThingType.update_from_cloudformation_json = classmethod(update_type)
    iot.FakePolicy.create_from_cloudformation_json = classmethod(make_policy)
    iot.FakePolicy.update_from_cloudformation_json = classmethod(update_policy)
    iot.FakePolicy.delete_from_cloudformation_json = classmethod(remove_policy)
    iot.FakeThingType.physical_resource_id = property(lambda self: self.thing_type_name)
    iot.FakePolicy.physical_resource_id = property(lambda self: self.name)


importing = threading.local()


def already_there(kind, name):
    return RuntimeError(f"Resource of type '{kind}' with identifier '{name}' already exists.")


def take_over(kind, name, is_there):
    """Whether to adopt what is there: "ImportExistingResources: Indicates if the change set auto-imports resources that already exist"
    (BC, CreateChangeSet). Without it, or where the template does not give a name of its own, what is there is in the way."""
    if is_there and name not in getattr(importing, "names", {}).get(kind, ()):
        raise already_there(kind, name)
    return is_there


# --- what moto's CloudFormation does not make -----------------------------------------------------------

def add_resources_to_cloudformation():
    """AWS::IoT::TopicRule, AWS::Timestream::Database and Table: by moto's own IoT and Timestream. moto leaves them out silently."""
    import moto.iot.models as iot
    import moto.timestreamwrite.models as timestream
    from moto.core.common_models import CloudFormationModel
    from moto.core.utils import pascal_to_camelcase

    def camel(value):
        if isinstance(value, dict):
            return {pascal_to_camelcase(k): camel(v) for k, v in value.items()}
        return [camel(v) for v in value] if isinstance(value, list) else value

    class Resource(CloudFormationModel):
        __module__ = "moto.sensorforge.models"  # moto files its models by the second word
        kind = name_property = ""

        def __init__(self, name, arn):
            self.name, self.arn = name, arn

        @property
        def physical_resource_id(self):
            return self.name

        @classmethod
        def cloudformation_type(cls):
            return cls.kind

        @classmethod
        def cloudformation_name_type(cls):
            return cls.name_property

        @classmethod
        def has_cfn_attr(cls, attr):
            return attr in ("Arn", "Name")

        def get_cfn_attribute(self, attribute_name):
            return self.arn if attribute_name == "Arn" else self.name.rpartition("|")[2]

    class TopicRule(Resource):
        __module__ = "moto.sensorforge.models"
        kind, name_property = "AWS::IoT::TopicRule", "RuleName"

        @staticmethod
        def payload(properties):
            given = camel(properties["TopicRulePayload"])
            return {"sql": given["sql"], "description": given.get("description"), "rule_disabled": given.get("ruleDisabled") in (True, "true"),
                    "actions": given["actions"], "error_action": given.get("errorAction"), "aws_iot_sql_version": given.get("awsIotSqlVersion")}

        @classmethod
        def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **_):
            backend = iot.iot_backends[account_id][region_name]
            if take_over(cls.kind, resource_name, resource_name in backend.rules):
                backend.delete_topic_rule(resource_name)
            backend.create_topic_rule(resource_name, **cls.payload(cloudformation_json["Properties"]))
            return cls(resource_name, backend.rules[resource_name].arn)

        @classmethod
        def update_from_cloudformation_json(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
            iot.iot_backends[account_id][region_name].replace_topic_rule(original_resource.name, **cls.payload(cloudformation_json["Properties"]))
            return original_resource

        @classmethod
        def delete_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name):
            iot.iot_backends[account_id][region_name].delete_topic_rule(resource_name)

    class Database(Resource):
        __module__ = "moto.sensorforge.models"
        kind, name_property = "AWS::Timestream::Database", "DatabaseName"

        @classmethod
        def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **_):
            backend = timestream.timestreamwrite_backends[account_id][region_name]
            if not take_over(cls.kind, resource_name, resource_name in backend.databases):
                backend.create_database(resource_name, None, [])
            backend.tag_resource(backend.databases[resource_name].arn, cloudformation_json["Properties"].get("Tags", []))
            return cls(resource_name, backend.databases[resource_name].arn)

        @classmethod
        def update_from_cloudformation_json(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
            return original_resource

        @classmethod
        def delete_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name):
            timestream.timestreamwrite_backends[account_id][region_name].delete_database(resource_name)

    class Table(Resource):
        __module__ = "moto.sensorforge.models"
        kind, name_property = "AWS::Timestream::Table", "TableName"

        @staticmethod
        def settings(properties):
            return ({k: int(v) for k, v in properties["RetentionProperties"].items()}, properties.get("MagneticStoreWriteProperties"))

        @classmethod
        def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **_):
            properties, backend = cloudformation_json["Properties"], timestream.timestreamwrite_backends[account_id][region_name]
            database = properties["DatabaseName"]
            retention, magnetic = cls.settings(properties)
            if take_over(cls.kind, resource_name, resource_name in backend.describe_database(database).tables):
                backend.update_table(database, resource_name, retention, magnetic, None)
            else:
                backend.create_table(database, resource_name, retention, [], magnetic, None)
            table = backend.describe_table(database, resource_name)
            backend.tag_resource(table.arn, properties.get("Tags", []))
            return cls(f"{database}|{resource_name}", table.arn)

        @classmethod
        def update_from_cloudformation_json(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
            database, _, table = original_resource.name.partition("|")
            backend = timestream.timestreamwrite_backends[account_id][region_name]
            backend.update_table(database, table, *cls.settings(cloudformation_json["Properties"]), None)
            return original_resource

        @classmethod
        def delete_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name):
            database, _, table = resource_name.partition("|")
            timestream.timestreamwrite_backends[account_id][region_name].delete_table(database, table)

    import moto.cloudformation.parsing as parsing
    models, names = dict(parsing.get_model_map()), dict(parsing.get_name_type_map())
    models.update({c.kind: c for c in (TopicRule, Database, Table)})
    names.update({c.kind: c.name_property for c in (TopicRule, Database, Table)})
    parsing.get_model_map, parsing.get_name_type_map = lambda: models, lambda: names


# --- stacks -------------------------------------------------------------------------------------------

# createOnlyProperties of the CloudFormation registry's schemas; the self-test compares them with those that cfn-lint has.
CREATE_ONLY = {
    "AWS::IoT::ThingType": ["ThingTypeName"], "AWS::IoT::Policy": ["PolicyName"], "AWS::IoT::TopicRule": ["RuleName"],
    "AWS::Timestream::Table": ["DatabaseName", "TableName"], "AWS::Timestream::Database": ["DatabaseName"],
    "AWS::DynamoDB::Table": ["ImportSourceSpecification", "TableName"], "AWS::Logs::LogGroup": ["LogGroupName"],
    "AWS::IAM::Role": ["Path", "RoleName"],
}
stack_threads = []


def correct_cloudformation():
    """Stacks that are made behind the caller's back, fail, and roll back.

    ExecuteChangeSet: "After the call successfully completes, CloudFormation starts updating the stack. Use the DescribeStacks action
    to view the status of the update" (BC). "ROLLBACK_COMPLETE: Successful removal of one or more stacks after a failed stack
    creation [...] can't be updated, only deleted" (CFN, stack status codes). moto does all at once, fails the call where a resource
    fails, and leaves the stack half-made; keeps stacks of the same name beside each other; and finds a change set by its name in
    any stack."""
    import moto.cloudformation.models as cf
    import moto.cloudformation.parsing as parsing
    from moto.cloudformation.exceptions import ValidationError
    from moto.core.exceptions import ServiceException

    class AlreadyExists(ServiceException):
        code, message = "AlreadyExistsException", "already exists"

    class NoChangeSet(ServiceException):
        code, message = "ChangeSetNotFound", "does not exist"

    class NotNow(ServiceException):
        code, message = "InvalidChangeSetStatus", "cannot be executed in its current status"

    backend = cf.CloudFormationBackend
    make_change_set = backend.create_change_set

    def live(self, name):
        return next((s for s in self.stacks.values() if name in (s.name, s.stack_id)), None)

    def in_the_way(stack):
        return stack.status.endswith("IN_PROGRESS") and stack.status != "REVIEW_IN_PROGRESS"

    def create_change_set(self, stack_name, change_set_name, template, parameters, description, change_set_type, **more):
        with self.lock:
            stack = live(self, stack_name)
            if stack and any(c.change_set_name == change_set_name and c.stack_id == stack.stack_id for c in self.change_sets.values()):
                raise AlreadyExists(f"ChangeSet {change_set_name} already exists")
            if stack and change_set_type == "CREATE" and stack.status != "REVIEW_IN_PROGRESS":
                raise AlreadyExists(f"Stack [{stack_name}] already exists and cannot be created again with the changeSet [{change_set_name}]")
            if change_set_type == "UPDATE" and (not stack or stack.status == "REVIEW_IN_PROGRESS"):
                raise ValidationError(message=f"Stack [{stack_name}] does not exist")
            if stack and (in_the_way(stack) or stack.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")):
                raise ValidationError(message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")
            before = set(self.stacks)
            identity = make_change_set(self, stack_name, change_set_name, template, parameters, description, change_set_type, **more)
            change_set = self.change_sets[identity[0]]
            if change_set_type == "CREATE" and stack:  # a stack in review takes further change sets
                for new in set(self.stacks) - before:
                    del self.stacks[new]
                change_set.stack, change_set.stack_id = stack, stack.stack_id
                identity = (identity[0], stack.stack_id)
            describe_changes(change_set)
            return identity

    def find(self, name, stack_name=None):
        for change_set in self.change_sets.values():
            if name == change_set.change_set_id or (name == change_set.change_set_name and stack_name in (change_set.stack_name, change_set.stack_id)):
                return change_set
        raise NoChangeSet(f"ChangeSet [{name}] does not exist")

    def execute_change_set(self, change_set_name, stack_name=None):
        with self.lock:
            change_set = find(self, change_set_name, stack_name)
            stack = change_set.stack
            if change_set.execution_status != "AVAILABLE" or in_the_way(stack):
                raise NotNow(f"ChangeSet [{change_set_name}] cannot be executed in its current status of [{change_set.status}]")
            change_set.execution_status = "EXECUTE_IN_PROGRESS"
            stack.status = f"{change_set.change_set_type}_IN_PROGRESS"
            stack._add_stack_event(stack.status, "User Initiated")
            # "When you execute a change set, CloudFormation deletes all other change sets associated with the stack" (BC: "deletes all
            # other change sets associated with the stack because they aren't valid for the updated stack").
            for identity, other in list(self.change_sets.items()):
                if other.stack_id == stack.stack_id:
                    del self.change_sets[identity]
        start(stack, run_change_set, self, change_set)

    def run_change_set(self, change_set):
        stack, kind = change_set.stack, change_set.change_set_type
        before = (stack.template, dict(stack.parameters), dict(stack.resource_map._resource_json_map), dict(stack.resource_map._parsed_resources))
        try:
            importing.names = getattr(change_set, "imports", {})
            importing.replaced = {c.logical_resource_id: before[2][c.logical_resource_id] for c in change_set.changes
                                  if getattr(c, "replacement", "") == "True"}
            change_set.apply()
            stack.template, stack.parameters = change_set.template, change_set.parameters
            stack._parse_template()
            stack.output_map = stack._create_output_map()
            stack.status = f"{kind}_COMPLETE"
            stack._add_stack_event(stack.status)
        except Exception as why:  # whatever a resource says
            failed = "ROLLBACK" if kind == "CREATE" else "UPDATE_ROLLBACK"
            stack._add_stack_event(f"{failed}_IN_PROGRESS", f"The following resource(s) failed to {kind.lower()}: {getattr(why, 'logical', '')}.")
            roll_back(stack, kind, before)
            stack.status = f"{failed}_COMPLETE"
            stack._add_stack_event(stack.status)
        finally:
            stack.work = None

    def roll_back(stack, kind, before):
        resources = stack.resource_map
        template, parameters, declared, parsed = before
        for name in [n for n in resources._resource_json_map if n not in declared and n in resources._parsed_resources]:
            resource = resources._parsed_resources.pop(name)
            if resource is not None and not isinstance(resource, str):
                force_delete(resources, resource, resources._resource_json_map[name])
                event(stack, name, resource, resources._resource_json_map[name]["Type"], "DELETE_COMPLETE")
        if kind == "UPDATE":
            again = stack.parse_template(template)
            for name, wanted in again["Resources"].items():
                if name in resources._parsed_resources and resources._resource_json_map.get(name) != wanted:
                    update_resource(name, wanted, resources, resources._account_id, resources._region_name)
        resources._resource_json_map, resources._parsed_resources = declared, {**resources._parsed_resources, **parsed}
        stack.parameters = parameters

    def force_delete(resources, resource, declared):
        import moto.iot.models as iot
        if isinstance(resource, iot.FakeThingType):
            iot.iot_backends[resources._account_id][resources._region_name].thing_types.pop(resource.arn, None)
        else:
            resources._delete_resource(resource, declared)

    def event(stack, logical, resource, kind, status, why=None):
        physical = getattr(resource, "physical_resource_id", "") if resource is not None else ""
        stack.events.append(cf.Event(stack.stack_id, stack.name, logical, physical, kind, status, why, None))

    def owner(resources):
        return cf.cloudformation_backends[resources._account_id][resources._region_name].stacks.get(resources.stack_id)

    def replace(logical_id, resource_json, resources_map, account_id, region_name):
        """A new one, then the old one is deleted, unless its UpdateReplacePolicy says that it stays (CFN)."""
        old_json, old = importing.replaced[logical_id], resources_map._parsed_resources[logical_id]
        made = create_resource(logical_id, resource_json, resources_map, account_id, region_name)
        if old_json.get("UpdateReplacePolicy") != "Retain":
            remove_resource(resources_map, old, old_json)
        return made

    def tell(make):
        """Around what makes or updates one resource: how long it takes, that it may fail, and events."""
        verb = "CREATE" if make is parsing.parse_and_create_resource else "UPDATE"

        def told(logical_id, resource_json, resources_map, account_id, region_name):
            stack, kind = owner(resources_map), resource_json["Type"]
            if stack:
                event(stack, logical_id, None, kind, f"{verb}_IN_PROGRESS")
            take_time()
            try:
                why = TUNING["fail"].get(kind) or ("The service is not available in this account: only existing Timestream for LiveAnalytics "
                                                   "customers can access the service" if "Timestream" in kind and not TUNING["timestream"] else None)
                if why:
                    raise RuntimeError(why)
                if logical_id in getattr(importing, "replaced", {}):
                    made = replace(logical_id, resource_json, resources_map, account_id, region_name)
                else:
                    made = make(logical_id, resource_json, resources_map, account_id, region_name)
            except Exception as error:
                if stack:
                    event(stack, logical_id, None, kind, f"{verb}_FAILED", getattr(error, "message", None) or str(error))
                error.logical = f"[{logical_id}]"
                raise
            if stack and made is not None:
                event(stack, logical_id, made, kind, f"{verb}_COMPLETE")
            return made
        return told

    def delete_stack(self, name_or_stack_id):
        with self.lock:
            stack = live(self, name_or_stack_id)
            if not stack or stack.status == "DELETE_IN_PROGRESS":
                return
            # "If you attempt to delete a stack with TerminationProtection enabled, the operation fails" (BC).
            if stack.enable_termination_protection:
                raise ValidationError(message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
            if in_the_way(stack) and not stack.status.startswith("CREATE"):
                raise ValidationError(message=f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
            stack.status = "DELETE_IN_PROGRESS"
        start(None, run_delete, self, stack)

    def run_delete(self, stack):
        """A stack that is being made is made first: what AWS interrupts, and where, one cannot know."""
        work = getattr(stack, "work", None)
        if work:
            work.join()
        stack.status = "DELETE_IN_PROGRESS"
        take_time()
        try:
            stack.delete()
        except Exception as why:  # "DELETE_FAILED: Unsuccessful deletion of one or more stacks" (CFN)
            stack.status = "DELETE_FAILED"
            stack._add_stack_event("DELETE_FAILED", getattr(why, "message", None) or str(why))
            return
        stack.status = "DELETE_COMPLETE"
        self.deleted_stacks[stack.stack_id] = self.stacks.pop(stack.stack_id)
        for identity in [i for i, c in self.change_sets.items() if c.stack_id == stack.stack_id]:
            del self.change_sets[identity]

    create_resource = parsing.parse_and_create_resource
    update_resource, remove_resource = parsing.parse_and_update_resource, parsing.ResourceMap._delete_resource

    def delete_resource(self, parsed_resource, resource_json):
        stack, kind = owner(self), resource_json["Type"]
        logical = getattr(parsed_resource, "logical_resource_id", "")
        try:
            remove_resource(self, parsed_resource, resource_json)
        except Exception as error:
            if stack:
                event(stack, logical, parsed_resource, kind, "DELETE_FAILED", getattr(error, "message", None) or str(error))
            raise
        if stack:
            event(stack, logical, parsed_resource, kind, "DELETE_COMPLETE")

    build_diff = parsing.ResourceMap.build_resource_diff

    def build_resource_diff(self, other_template, parameters=None):
        """A resource that is removed from a template but retained stays ("DeletionPolicy", CFN)."""
        found = build_diff(self, other_template, parameters)
        if parameters is not None:
            found["Remove"] = [n for n in found["Remove"] if self._resource_json_map[n].get("DeletionPolicy") != "Retain"]
        return found

    def start(stack, work, *arguments):
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        stack_threads.append(thread)
        if stack:
            stack.work = thread
        thread.start()

    begin = backend.__init__

    def begin_backend(self, region_name, account_id):
        begin(self, region_name, account_id)
        self.lock = Lock()

    def delete_change_set(self, change_set_name, stack_name=None):
        """That it is gone already is no error ("If the call successfully completes, CloudFormation successfully deleted the change set")."""
        try:
            del self.change_sets[find(self, change_set_name, stack_name).change_set_id]
        except NoChangeSet:
            pass

    from moto.cloudformation.responses import CloudFormationResponse
    from moto.core.responses import ActionResult, EmptyResult

    def respond_describe(self):
        return ActionResult(find(self.cloudformation_backend, self._get_param("ChangeSetName"), self._get_param("StackName")))

    def respond_delete(self):
        delete_change_set(self.cloudformation_backend, self._get_param("ChangeSetName"), self._get_param("StackName"))
        return EmptyResult()

    respond_create = CloudFormationResponse.create_change_set

    def respond_create_once_there(self):
        """moto looks a stack up before it is known to be there."""
        stack = live(self.cloudformation_backend, self._get_param("StackName"))
        if self._get_param("ChangeSetType", "CREATE") == "UPDATE" and not stack:
            raise ValidationError(message=f"Stack [{self._get_param('StackName')}] does not exist")
        answer = respond_create(self)
        if self._get_bool_param("ImportExistingResources"):
            plan_imports(self.cloudformation_backend.change_sets[answer.result["Id"]])
        return answer

    def respond_list(self):
        """"Returns the ID and status of each active change set for a stack" (BC): of that stack, not of all."""
        stack = live(self.cloudformation_backend, self._get_param("StackName"))
        found = [c for c in self.cloudformation_backend.change_sets.values() if stack and c.stack_id == stack.stack_id]
        return ActionResult({"Summaries": found})

    CloudFormationResponse.describe_change_set, CloudFormationResponse.delete_change_set = respond_describe, respond_delete
    CloudFormationResponse.list_change_sets = respond_list
    CloudFormationResponse.create_change_set = respond_create_once_there
    backend.__init__, backend.create_change_set, backend.execute_change_set = begin_backend, create_change_set, execute_change_set
    backend.delete_stack = delete_stack
    parsing.parse_and_create_resource, parsing.parse_and_update_resource = tell(parsing.parse_and_create_resource), tell(parsing.parse_and_update_resource)
    parsing.ResourceMap._delete_resource, parsing.ResourceMap.build_resource_diff = delete_resource, build_resource_diff
    parsing.MAX_UPDATE_ATTEMPTS = 3  # moto tries what fails up to four times more; with less than three it fails what went well


def describe_changes(change_set):
    """What moto leaves out of a change: PhysicalResourceId, Replacement, Scope, Details ("The ResourceChange structure describes the
    resource and the action that CloudFormation will perform on it", BC)."""
    resources = change_set.stack.resource_map
    parameters = {p for p, v in change_set.parameters.items() if change_set.stack.parameters.get(p) != v}
    known = {c.logical_resource_id for c in change_set.changes}
    new = change_set.template_dict["Resources"]
    for name in new:  # touched by a parameter only
        if change_set.change_set_type == "UPDATE" and name in resources._resource_json_map and name not in known and references(new[name]) & parameters:
            from moto.cloudformation.models import Change
            change_set.changes.append(Change("Modify", name, new[name]["Type"]))
    for change in change_set.changes:
        parsed = resources._parsed_resources.get(change.logical_resource_id)
        change.physical_resource_id = getattr(parsed, "physical_resource_id", None)
        if change.action != "Modify":
            continue
        old = resources._resource_json_map[change.logical_resource_id].get("Properties", {})
        wanted = new[change.logical_resource_id].get("Properties", {})
        touched = sorted(k for k in {*old, *wanted} if old.get(k) != wanted.get(k) or references(wanted.get(k)) & parameters)
        only = CREATE_ONLY.get(change.resource_type, [])
        change.scope = ["Properties"]
        change.replacement = "True" if any(k in only for k in touched) else "False"
        change.details = [{"Target": {"Attribute": "Properties", "Name": k, "RequiresRecreation": "Always" if k in only else "Never"},
                           "Evaluation": "Static", "ChangeSource": "DirectModification"} for k in touched]


def plan_imports(change_set):
    """Which of the resources to add are there already, under a name that the template gives as it is and with a DeletionPolicy."""
    import moto.dynamodb.models as dynamodb
    import moto.iot.models as iot
    import moto.logs.models as logs
    import moto.timestreamwrite.models as timestream
    databases = timestream.timestreamwrite_backends[ACCOUNT][REGION].databases
    there = {"AWS::IoT::TopicRule": iot.iot_backends[ACCOUNT][REGION].rules, "AWS::Logs::LogGroup": logs.logs_backends[ACCOUNT][REGION].groups,
             "AWS::DynamoDB::Table": dynamodb.dynamodb_backends[ACCOUNT][REGION].tables, "AWS::Timestream::Database": databases}
    names = {"AWS::IoT::TopicRule": "RuleName", "AWS::Logs::LogGroup": "LogGroupName", "AWS::DynamoDB::Table": "TableName",
             "AWS::Timestream::Database": "DatabaseName", "AWS::Timestream::Table": "TableName"}
    change_set.imports = {}
    for change in change_set.changes:
        resource = change_set.template_dict["Resources"].get(change.logical_resource_id, {})
        kind, properties = change.resource_type, resource.get("Properties", {})
        name = properties.get(names.get(kind))
        if change.action != "Add" or not isinstance(name, str) or "DeletionPolicy" not in resource:
            continue
        if kind == "AWS::Timestream::Table":
            database = properties["DatabaseName"]
            found = isinstance(database, str) and database in databases and name in databases[database].tables
        else:
            found = name in there[kind]
        if found:
            change.action = "Import"
            change_set.imports.setdefault(kind, set()).add(name)


def references(value):
    if isinstance(value, dict):
        found = {value["Ref"]} if isinstance(value.get("Ref"), str) else set()
        text = value.get("Fn::Sub")
        if isinstance(text, str):
            found |= {part.partition("}")[0] for part in text.split("${")[1:]}
        return found.union(*(references(v) for v in value.values()))
    return set().union(*(references(v) for v in value)) if isinstance(value, list) else set()


# --- the rest -----------------------------------------------------------------------------------------

def correct_timestream():
    """"ConflictException: Timestream was unable to process this request because it contains resource that already exists", "All tables in
    the database must be deleted first, or a ValidationException error will be thrown" (BC, CreateTable, DeleteDatabase); and accounts
    from after 2025-06-20 have no Timestream for LiveAnalytics."""
    import moto.timestreamwrite.models as timestream
    from moto.core.exceptions import JsonRESTError
    backend = timestream.TimestreamWriteBackend
    make_database, make_table, remove_database = backend.create_database, backend.create_table, backend.delete_database

    def create_database(self, database_name, kms_key_id, tags):
        if database_name in self.databases:
            raise JsonRESTError("ConflictException", f"The database {database_name} already exists.")
        return make_database(self, database_name, kms_key_id, tags)

    def create_table(self, database_name, table_name, *more, **named):
        if table_name in self.describe_database(database_name).tables:
            raise JsonRESTError("ConflictException", f"The table {table_name} already exists.")
        return make_table(self, database_name, table_name, *more, **named)

    def delete_database(self, database_name):
        if self.describe_database(database_name).tables:
            raise JsonRESTError("ValidationException", "All tables in the database must be deleted first.")
        remove_database(self, database_name)

    backend.create_database, backend.create_table, backend.delete_database = create_database, create_table, delete_database
    from moto.timestreamwrite.responses import TimestreamWriteResponse

    def only_if_allowed(respond):
        def answer(self, *arguments, **named):
            if not TUNING["timestream"]:
                raise JsonRESTError("AccessDeniedException", "Only existing Timestream for LiveAnalytics customers can access the service. "
                                    "Reach out to AWS support for more information.")
            return respond(self, *arguments, **named)
        return answer

    list_tables = TimestreamWriteResponse.list_tables

    def list_tables_in_pages(self):
        if TUNING["empty_page"] and self._get_param("NextToken") is None:
            return json.dumps({"Tables": [], "NextToken": "0"})
        return list_tables(self)

    TimestreamWriteResponse.list_tables = list_tables_in_pages
    for name in ("describe_endpoints", "create_database", "describe_database", "list_databases", "create_table", "describe_table", "list_tables"):
        setattr(TimestreamWriteResponse, name, only_if_allowed(getattr(TimestreamWriteResponse, name)))


def correct_iam():
    """moto compares signatures over the unescaped URL, and over the query where there is no body: the proxy's judge does it right, so
    this is left out. And it does not know SimulatePrincipalPolicy, which here judges actions, resources and the conditions of what it is
    asked, for users and roles by their whole ARN. "IAM might return fewer than the MaxItems number of results, even when there are more
    results available" (BC): never more than five here."""
    import fnmatch
    from moto.core.responses import ActionResult
    from moto.iam import access_control
    from moto.iam.exceptions import NotFoundException
    from moto.iam.models import iam_backends
    from moto.iam.responses import IamResponse

    def documents(backend, arn):
        kind, name = arn.partition(":iam::")[2].partition(":")[2].partition("/")[0], arn.rpartition("/")[2]
        for one in (backend.roles if kind == "role" else backend.users).values():
            if one.arn == arn:
                return [one.policies[p] for p in one.policies] if kind == "role" else \
                    [backend.get_user_policy(name, p)["policy_document"] for p in backend.list_user_policies(name)]
        raise NotFoundException(f"The {kind or 'user'} with name {name} cannot be found.")

    def listed(value):
        return value if isinstance(value, list) else [value]

    def conditions_hold(conditions, context):
        for operator, wanted in conditions.items():
            for key, patterns in wanted.items():
                if not any(fnmatch.fnmatchcase(str(given).lower(), str(p).lower()) for given in context.get(key, []) for p in listed(patterns)):
                    return False
        return True

    def decide(policies, action, resource, context):
        decision = "implicitDeny"
        for statement in [s for p in policies for s in listed(json.loads(p)["Statement"])]:
            if any(fnmatch.fnmatchcase(action.lower(), a.lower()) for a in listed(statement["Action"])) and \
                    any(fnmatch.fnmatchcase(resource, r) for r in listed(statement["Resource"])) and conditions_hold(statement.get("Condition", {}), context):
                if statement["Effect"] == "Deny":
                    return "explicitDeny"
                decision = "allowed"
        return decision

    def simulate_principal_policy(self):
        policies = documents(iam_backends[ACCOUNT]["aws"], self._get_param("PolicySourceArn"))
        context = {e["ContextKeyName"]: e["ContextKeyValues"] for e in self._get_param("ContextEntries") or []}
        asked = [(a, r) for a in self._get_param("ActionNames") for r in self._get_param("ResourceArns") or ["*"]]
        start, size = int(self._get_param("Marker") or 0), min(5, int(self._get_param("MaxItems") or 100))
        results = [{"EvalActionName": a, "EvalResourceName": r, "EvalDecision": decide(policies, a, r, context)} for a, r in asked[start:start + size]]
        more = len(asked) > start + size
        return ActionResult({"EvaluationResults": results, "IsTruncated": more, **({"Marker": str(start + size)} if more else {})})

    begin_request = access_control.IAMRequestBase.__init__

    def begin_with_prefix(self, *arguments, **named):
        """Actions of IoT's data plane are "iot:..." (service authorization reference); moto names them by what signatures name."""
        begin_request(self, *arguments, **named)
        self._action = self._action.replace("iotdata:", "iot:")

    access_control.IAMRequestBase.__init__ = begin_with_prefix
    access_control.IAMRequestBase.check_signature = lambda self: None
    IamResponse.simulate_principal_policy = simulate_principal_policy


def correct_roles_in_stacks():
    """moto keeps a role's policies from a template as Python's words for them, and forgets them when the role is updated."""
    from moto.iam.models import Role
    put_policy = Role.put_policy

    def put_as_json(self, policy_name, policy_json):
        put_policy(self, policy_name, policy_json if isinstance(policy_json, str) else json.dumps(policy_json))

    def update_role(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
        properties, role = cloudformation_json["Properties"], original_resource
        role.assume_role_policy_document = json.dumps(properties["AssumeRolePolicyDocument"])
        role.description = properties.get("Description", "")
        role.policies = {}
        for policy in properties.get("Policies", []):
            role.put_policy(policy["PolicyName"], policy["PolicyDocument"])
        return role

    Role.put_policy, Role.update_from_cloudformation_json = put_as_json, classmethod(update_role)


def tagged(tags, properties):
    """"UPDATE_COMPLETE: Apply stack-level tags to imported resource if applicable" (CFN, resource import): what is taken over gets them."""
    return [{"Key": k, "Value": v} for k, v in {t["Key"]: t["Value"] for t in [*tags, *properties.get("Tags", [])]}.items()]


def correct_tables_in_stacks():
    """moto's stacks drop TimeToLiveSpecification and PointInTimeRecoverySpecification of a table."""
    import moto.dynamodb.models as dynamodb
    from moto.dynamodb.models.table import Table
    make = Table.create_from_cloudformation_json.__func__

    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **more):
        properties, backend = cloudformation_json["Properties"], dynamodb.dynamodb_backends[account_id][region_name]
        if take_over("AWS::DynamoDB::Table", resource_name, resource_name in backend.tables):
            table = backend.tables[resource_name]
            table.tags = tagged(table.tags, properties)
        else:
            table = make(cls, resource_name, cloudformation_json, account_id, region_name, **more)
        if "TimeToLiveSpecification" in properties:
            backend.update_time_to_live(resource_name, properties["TimeToLiveSpecification"])
        if "PointInTimeRecoverySpecification" in properties:
            backend.update_continuous_backups(resource_name, properties["PointInTimeRecoverySpecification"])
        return table

    def update_from_cloudformation_json(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
        backend = dynamodb.dynamodb_backends[account_id][region_name]
        if "TimeToLiveSpecification" in cloudformation_json["Properties"]:
            backend.update_time_to_live(original_resource.name, cloudformation_json["Properties"]["TimeToLiveSpecification"])
        return original_resource

    Table.create_from_cloudformation_json = classmethod(create_from_cloudformation_json)
    Table.update_from_cloudformation_json = classmethod(update_from_cloudformation_json)

    import moto.logs.models as logs
    make_group = logs.LogGroup.create_from_cloudformation_json.__func__

    def create_log_group(cls, resource_name, cloudformation_json, account_id, region_name, **more):
        backend = logs.logs_backends[account_id][region_name]
        if take_over("AWS::Logs::LogGroup", resource_name, resource_name in backend.groups):
            tags = {t["Key"]: t["Value"] for t in cloudformation_json["Properties"].get("Tags", [])}
            backend.tag_resource(backend.groups[resource_name].arn, tags)
            return update_log_group(cls, backend.groups[resource_name], None, cloudformation_json, account_id, region_name)
        return make_group(cls, resource_name, cloudformation_json, account_id, region_name, **more)

    def update_log_group(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
        original_resource.retention_in_days = cloudformation_json["Properties"].get("RetentionInDays")
        return original_resource

    def log_group_attribute(self, attribute_name):
        """"The ARN of the log group, such as arn:aws:logs:us-west-1:123456789012:log-group:/mystack-testgroup-12ABC1AB12A1:*" (CFN,
        AWS::Logs::LogGroup, return values)."""
        return f"{self.arn}:*"

    logs.LogGroup.get_cfn_attribute = log_group_attribute
    logs.LogGroup.create_from_cloudformation_json = classmethod(create_log_group)
    logs.LogGroup.update_from_cloudformation_json = classmethod(update_log_group)


# --- the server ---------------------------------------------------------------------------------------

SERVICES = ("iot", "cloudformation", "iam", "logs", "timestreamwrite", "dynamodb")


def account():
    import moto.backends
    found = {}
    for service in SERVICES:
        region = "aws" if service == "iam" else REGION
        found[service] = moto.backends.get_backend(service)[ACCOUNT][region].__dict__
    return found


class Control:
    """The routes of this file, before moto's."""

    def __init__(self, application):
        self.application, self.saved, self.lock = application, {}, threading.Lock()

    def __call__(self, environment, respond):
        route = environment["PATH_INFO"].removeprefix("/moto-api/")
        if environment["REQUEST_METHOD"] != "POST" or route not in ("reset", "save", "restore", "tune", "sessions"):
            with self.lock:  # moto walks through its dictionaries while other threads add to them
                return self.application(environment, respond)
        body = environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
        if route in ("reset", "tune"):  # before waiting for the stacks, because it may end what they wait for
            TUNING.update(STARTING if route == "reset" else json.loads(body))
        self.settle()
        if route == "reset":
            SESSIONS.clear()
            LOGGING.clear()
            return self.application(environment, respond)
        if route == "save":
            self.saved[body] = copy.deepcopy(account()), dict(LOGGING)
        elif route == "restore":
            now, (saved, logging) = account(), copy.deepcopy(self.saved[body])
            LOGGING.clear()
            LOGGING.update(logging)
            for service in SERVICES:
                now[service].clear()
                now[service].update(saved[service])
        answer = b""
        if route == "sessions":
            answer = json.dumps(SESSIONS).encode()
            if body:
                SESSIONS.clear()
                SESSIONS.update(json.loads(body))
        respond("200 OK", [("Content-Length", str(len(answer)))])
        return [answer]

    @staticmethod
    def settle():
        while stack_threads:
            stack_threads.pop().join()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stock", action="store_true")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "false"
    import logging
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    add_delete_connection()
    add_logging()
    if not options.stock:
        correct_iot()
        add_resources_to_cloudformation()
        correct_cloudformation()
        correct_timestream()
        correct_tables_in_stacks()
        correct_roles_in_stacks()
        correct_iam()

    class Handler(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"  # so that connections are kept, as AWS keeps them
        disable_nagle_algorithm = True
        wbufsize = -1

        def log(self, *_):
            pass

    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", options.port, application if options.stock else Control(application), threaded=True, request_handler=Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
