#!/usr/bin/env python3
"""Writes tests/unit/profile-cases.json: ~/.aws files, and what botocore reads in them.

usage: tests/aws/make_profile_cases.py > tests/unit/profile-cases.json
"""
import json
import os
import pathlib
import sys
import tempfile

import botocore.exceptions
import botocore.session

# name, config, credentials
CASES = [
    ("nothing", "", ""),
    ("only comments", "# a\n; b\n\n", ""),
    ("default", "[default]\nregion = eu-west-1\n", ""),
    ("no newline at the end", "[default]\nregion = eu-west-1", ""),
    ("profile", "[profile home]\nregion=us-east-1\noutput = json\n", ""),
    ("credentials need no word before the name", "", "[home]\naws_access_key_id = AK\naws_secret_access_key = SK\n"),
    ("both files", "[profile home]\nregion = a-b-1\nrole_arn = x\n", "[home]\nregion = c-d-2\naws_access_key_id = AK\n"),
    ("a header with two words in credentials is one name", "", "[profile home]\nregion = a-b-1\n"),
    ("quoted name", '[profile "my home"]\nregion = a-b-1\n[profile \'x y\']\nregion = c\n', ""),
    ("escaped name", "[profile my\\ home]\nregion = a-b-1\n", ""),
    ("quote that is not closed in a name", '[profile "home]\nregion = a-b-1\n', ""),
    ("sections that are none", "[preview]\na = 1\n[profilehome]\nregion = x\n[profile]\nregion = y\n[profile a b]\nregion = z\n", ""),
    ("default twice, as section and as profile", "[default]\nregion = a\n[profile default]\nregion = b\n", ""),
    ("the other way round", "[profile default]\nregion = b\n[default]\nregion = a\n", ""),
    ("section twice", "[default]\nregion = a\n[default]\nregion = b\n", ""),
    ("key twice", "[default]\nregion = a\nregion = b\n", ""),
    ("key twice in other case", "[default]\nregion = a\nREGION = b\n", ""),
    ("keys in any case", "[default]\nRegion = a\nROLE_ARN = B\n", ""),
    ("colon for equals", "[default]\nregion: eu-west-1\nrole_arn = arn:aws:iam::1:role/a\nx:y=z\n", ""),
    ("equals in a value", "[default]\naws_session_token = abc==\n", ""),
    ("comment in a value", "[default]\nregion = a # not a comment\noutput = b ; nor this\n", ""),
    ("comment between lines", "[default]\n# one\nregion = a\n  ; two\noutput = b\n", ""),
    ("white space", "[default]\n  region   =   a b   \n\toutput\t=\tc\t\n", ""),
    ("white space in a header", "[ default ]\nregion = a\n[profile   home  ]\nregion = b\n", ""),
    ("words behind a header", "[default] # mine\nregion = a\n", ""),
    ("Windows line ends", "[default]\r\nregion = a\r\n\r\n[profile home]\r\nregion = b\r\n", ""),
    ("empty value", "[default]\nregion =\noutput = a\n", ""),
    ("block", "[default]\ns3 =\n  max_concurrent_requests = 20\n  addressing_style = path\nregion = a\n", ""),
    ("block with comments and empty lines", "[default]\ns3 =\n  # c\n  a = 1\n\n  b = 2\n\nregion = x\n", ""),
    ("block without equals", "[default]\ns3 =\n  nothing here\n", ""),
    ("block with a colon", "[default]\ns3 =\n  a: b\n", ""),
    ("block: keys keep their case", "[default]\ns3 =\n  Ab = c\n  d =\n  e = f = g\n", ""),
    ("value that goes on", "[default]\ncredential_process = a\n  b\n  c\nregion = x\n", ""),
    ("services",
     "[default]\nservices = dev\n[services dev]\niot =\n  endpoint_url = http://localhost:5000\nsts =\n  endpoint_url = http://localhost:5001\n", ""),
    ("SSO session", "[profile s]\nsso_session = x\n[sso-session x]\nsso_region = eu-west-1\n", ""),
    ("setting before a section", "region = a\n[default]\n", ""),
    ("line without equals", "[default]\nregion\n", ""),
    ("line that begins with equals", "[default]\n= a\n", ""),
    ("header that is not closed", "[default\nregion = a\n", ""),
    ("empty header", "[]\nregion = a\n", ""),
    ("brackets in a header", "[profile a]b]\nregion = c\n", ""),
    ("UTF-8", "[profile K\u00fcche]\nregion = \u00e4\n", ""),
    ("only a section", "[default]\n", "[home]\n"),
    ("DEFAULT is another name", "[default]\nregion = a\n[profile home]\noutput = b\n", ""),
    ("indented header ends a value", "[default]\nregion = a\n[profile home]\n  region = b\n  output = c\n", ""),
    ("setting indented deeper than the one before goes on with it", "[default]\nregion = a\n  output = c\n", ""),
    ("credentials with a wrong line", "[default]\nregion = a\n", "[home]\nwrong\n"),
]


def read(config, credentials):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("config", config), ("credentials", credentials)):
            pathlib.Path(folder, name).write_bytes(text.encode())
        os.environ["AWS_CONFIG_FILE"] = f"{folder}/config"
        os.environ["AWS_SHARED_CREDENTIALS_FILE"] = f"{folder}/credentials"
        try:
            found = botocore.session.Session().full_config
        except botocore.exceptions.ConfigParseError:
            return None
        return {"profile": found["profiles"], "services": found["services"], "sso-session": found["sso_sessions"]}


def main():
    cases = [{"name": name, "config": config, "credentials": credentials, "read": read(config, credentials)}
             for name, config, credentials in CASES]
    json.dump(cases, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
