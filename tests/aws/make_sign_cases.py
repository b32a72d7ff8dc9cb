#!/usr/bin/env python3
"""Writes tests/unit/sign-cases.json: requests and how botocore's SigV4Auth signs them.

usage: tests/aws/make_sign_cases.py > tests/unit/sign-cases.json

Each case holds the request, the canonical request, the string to sign and the header Authorization, all of them
botocore's. The names of the cases say what is awkward about them.
"""
import base64
import datetime
import json
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEY_ID = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEJr//////////wEaCWV1LXdlc3QtMSJGMEQCIG/+=="
TIME = int(datetime.datetime(2026, 11, 21, 10, 12, 0, tzinfo=datetime.timezone.utc).timestamp())

JSON = [("Content-Type", "application/json")]
FORM = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]

# name, method, path, query, headers, body, and what differs from the usual scope
CASES = [
    ("nothing", "GET", "/", "", [], b"", {}),
    ("no path", "GET", "", "", [], b"", {}),
    ("body", "POST", "/things/kitchen", "", JSON, b'{"thingTypeName":"climate"}', {}),
    ("empty body of a POST", "POST", "/", "", JSON, b"", {}),
    ("body with bytes above ASCII", "POST", "/", "", JSON, '{"name":"K\u00fcche \U0001f321"}'.encode(), {}),
    ("body with a NUL", "POST", "/", "", [], b"a\0b", {}),
    ("large body", "PUT", "/", "", JSON, b"x" * 100000, {}),
    ("colon in a path", "GET", "/things/a%3Ab", "", [], b"", {}),
    ("at sign in a path", "GET", "/things/a%40b", "", [], b"", {}),
    ("percent in a path", "GET", "/things/a%25b", "", [], b"", {}),
    ("space in a path", "GET", "/things/a%20b", "", [], b"", {}),
    ("UTF-8 in a path", "GET", "/things/K%C3%BCche", "", [], b"", {}),
    ("slash in a label", "GET", "/policies/a%2Fb", "", [], b"", {}),
    ("plus, comma and the like in a path", "GET", "/a+b,c;d=e&f!g*h'i(j)k$l", "", [], b"", {}),
    ("unreserved characters in a path", "GET", "/-._~aZ09", "", [], b"", {}),
    ("characters that should have been escaped", "GET", '/a:b@c"d[e]', "", [], b"", {}),
    ("slashes in a row", "GET", "//things///kitchen", "", [], b"", {}),
    ("slash at the end", "GET", "/things/", "", [], b"", {}),
    ("dots in a path", "GET", "/a/./b/../c", "", [], b"", {}),
    ("more dots than path", "GET", "/../../a/..", "", [], b"", {}),
    ("dot at the end", "GET", "/a/.", "", [], b"", {}),
    ("names that begin with dots", "GET", "/.a/..b/...", "", [], b"", {}),
    ("principal in a path", "PUT", "/things/kitchen/principals", "", [("x-amzn-principal", "arn:aws:iot:eu-west-1:123456789012:cert/a1")], b"", {}),
    ("query", "GET", "/things", "maxResults=250&nextToken=abc", [], b"", {}),
    ("query that is not sorted", "GET", "/things", "b=2&a=1&c=3", [], b"", {}),
    ("repeated names, values not sorted", "GET", "/", "a=2&b=1&a=1&a=10", [], b"", {}),
    ("upper case before lower case", "GET", "/", "b=1&B=2&a=3&A=4", [], b"", {}),
    ("empty values", "GET", "/", "b=&a", [], b"", {}),
    ("equals signs in a value", "GET", "/", "token=abc%3D%3D&x=a=b", [], b"", {}),
    ("escaped characters in a query", "GET", "/", "q=a%20b%2Fc%3A&%C3%BC=%25", [], b"", {}),
    ("names where one begins with the other", "GET", "/", "ab=1&a=2&a-=3&a%3D=4", [], b"", {}),
    ("white space around header values", "GET", "/", "", [("X-Amz-Thing", "   a  b \t c  ")], b"", {}),
    ("white space between quotes", "GET", "/", "", [("X-Amz-Thing", '"a   b"')], b"", {}),
    ("empty header", "GET", "/", "", [("X-Amz-Thing", "")], b"", {}),
    ("header twice", "GET", "/", "", [("X-Amz-Thing", "b"), ("X-Amz-Thing", " a ")], b"", {}),
    ("headers not sorted, in any case", "POST", "/", "", [("zeta", "1"), ("X-AMZ-TARGET", "A.b"), ("Alpha", "2")] + JSON, b"{}", {}),
    ("X-Amz-Target", "POST", "/", "", [("X-Amz-Target", "DynamoDB_20120810.GetItem"), ("Content-Type", "application/x-amz-json-1.0")], b"{}",
     {"service": "dynamodb"}),
    ("query protocol", "POST", "/", "", FORM, b"Action=GetCallerIdentity&Version=2011-06-15", {"service": "sts"}),
    ("session token", "GET", "/", "", [], b"", {"token": TOKEN}),
    ("session token with body and query", "POST", "/a%3Ab", "b=1&a=2", JSON, b"{}", {"token": TOKEN}),
    ("another region", "GET", "/", "", [], b"", {"region": "us-gov-west-1"}),
    ("first second of a day", "GET", "/", "", [], b"", {"time": 1767225600}),
    ("last second of a day", "GET", "/", "", [], b"", {"time": 1767225599}),
    ("host with a port", "GET", "/", "", [], b"", {"host": "localhost:5000"}),
]


def sign(method, path, query, headers, body, differs):
    scope = {"region": "eu-west-1", "service": "iot", "time": TIME, "token": None, **differs}
    host = scope.get("host", f"{scope['service']}.{scope['region']}.amazonaws.com")
    request = AWSRequest(method=method, url=f"https://{host}{path}{'?' + query if query else ''}", data=body)
    for name, value in headers:
        request.headers.add_header(name, value)
    request.headers["Host"] = host
    request.context["timestamp"] = datetime.datetime.fromtimestamp(scope["time"], datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    signer = SigV4Auth(Credentials(KEY_ID, SECRET, scope["token"]), scope["service"], scope["region"])
    signer._modify_request_before_signing(request)
    canonical = signer.canonical_request(request)
    to_sign = signer.string_to_sign(request, canonical)
    signer._inject_signature_to_request(request, signer.signature(to_sign, request))
    given = [("Host", host), *headers]
    if scope["token"]:
        given.append(("X-Amz-Security-Token", scope["token"]))
    return {
        "method": method, "path": path, "query": query,
        "headers": [f"{name}: {value}" for name, value in given],
        "body": base64.b64encode(body).decode() if len(body) < 1000 else f"x*{len(body)}",
        "region": scope["region"], "service": scope["service"], "time": scope["time"],
        "date": request.context["timestamp"],
        "canonical": canonical, "to_sign": to_sign, "authorization": request.headers["Authorization"],
    }


def main():
    cases = [{"name": name, **sign(*rest)} for name, *rest in CASES]
    json.dump({"key_id": KEY_ID, "secret_key": SECRET, "cases": cases}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
