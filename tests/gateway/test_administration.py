"""The server's own paths, which are for the first account's root."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloche.gateway.request_log import RequestLine
from tests.live_server import LiveServer


def administer(server: LiveServer, path: str, content: bytes) -> httpx.Response:
    key = Credentials(server.root["AccessKeyId"], server.root["SecretAccessKey"])
    request = AWSRequest("POST", f"{server.endpoint_url}/_cloche/{path}", data=content)
    SigV4Auth(key, "cloche", "us-east-1").add_auth(request)
    headers = dict(request.headers.items())
    return httpx.post(str(request.url), content=content, headers=headers)


def create_account(server: LiveServer, **wanted: Any) -> httpx.Response:
    return administer(server, "accounts", json.dumps(wanted).encode())


def test_an_account_with_a_key_of_its_own(server: LiveServer) -> None:
    name, key_id = f"account-{uuid4().hex}", f"AKIA{uuid4().hex.upper()}"
    answer = create_account(server, name=name, access_key_id=key_id, secret_access_key="s")
    assert answer.status_code == 200
    made = answer.json()
    key = {"AccessKeyId": made["access_key_id"], "SecretAccessKey": made["secret_access_key"]}
    assert (made["name"], key["AccessKeyId"]) == (name, key_id)
    assert server.client("sts", key).get_caller_identity()["Account"] == made["account_id"]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"name": ""}, "An account needs a name of printable characters."),
        ({"name": "a\0"}, "An account needs a name of printable characters."),
        ({"account_id": "١٢٣٤٥٦٧٨٩٠١٢"}, "'١٢٣٤٥٦٧٨٩٠١٢' is not an account id of twelve digits."),
        ({"account_id": ""}, "'' is not an account id of twelve digits."),
        ({"access_key_id": ""}, "'' is not an access key id: 16 to 128 of A-Z and 0-9."),
        ({"access_key_id": "A" * 15}, "16 to 128 of A-Z and 0-9."),
        ({"access_key_id": "A" * 129}, "16 to 128 of A-Z and 0-9."),
        ({"access_key_id": "AKIA/AAAAAAAAAAAAAAA"}, "16 to 128 of A-Z and 0-9."),
        ({"access_key_id": "AKIA" + "١" * 16}, "16 to 128 of A-Z and 0-9."),
        ({"access_key_id": "ASIAAAAAAAAAAAAAAAAA"}, "begins with ASIA, as only those of sessions"),
        ({"secret_access_key": ""}, "A secret access key is not empty."),
    ],
)
def test_accounts_that_nobody_could_use(
    server: LiveServer, wanted: dict[str, str], message: str
) -> None:
    answer = create_account(server, **{"name": f"account-{uuid4().hex}", **wanted})
    assert answer.status_code == 400
    assert answer.json()["__type"] == "ValidationException"
    assert message in answer.json()["message"]


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"name":' + b"[" * 5000 + b"]" * 5000])
def test_bodies_that_are_none(server: LiveServer, content: bytes) -> None:
    answer = administer(server, "accounts", content)
    assert (answer.status_code, answer.json()["__type"]) == (400, "ValidationException")


def test_its_calls_are_in_the_log(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[RequestLine] = []
    monkeypatch.setattr(server.runtime.request_log, "write", lines.append)
    answer = httpx.get(f"{server.endpoint_url}/_cloche/status")
    assert answer.status_code == 400
    (line,) = lines
    assert (line.path, line.status) == ("/_cloche/status", 400)
    assert answer.headers["x-amzn-requestid"] == line.request_id
    httpx.get(f"{server.endpoint_url}/health")
    assert len(lines) == 1
