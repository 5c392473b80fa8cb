from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.live_server import LiveServer
from tests.services.s3.expectations import refused

RULES = [
    {
        "AllowedMethods": ["GET", "PUT"],
        "AllowedOrigins": ["https://app.example.com", "https://*.test.example.com"],
        "AllowedHeaders": ["x-amz-*", "Content-Type"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 600,
        "ID": "apps",
    },
    {"AllowedMethods": ["HEAD"], "AllowedOrigins": ["*"]},
]


@pytest.fixture
def shared(s3: Any, bucket: str) -> str:
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": RULES})
    return bucket


def preflight(server: LiveServer, bucket: str, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.options(f"{server.endpoint_url}/{bucket}/key", headers=sent)


def test_puts_gets_and_deletes(s3: Any, bucket: str) -> None:
    with refused("NoSuchCORSConfiguration", 404):
        s3.get_bucket_cors(Bucket=bucket)
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": RULES})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == RULES
    s3.delete_bucket_cors(Bucket=bucket)
    with refused("NoSuchCORSConfiguration"):
        s3.get_bucket_cors(Bucket=bucket)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            {"AllowedMethods": ["PATCH"]},
            "Found unsupported HTTP method in CORS config. Unsupported method is PATCH",
        ),
        ({"AllowedOrigins": ["*.*"]}, 'AllowedOrigin "*.*" can not have more than one wildcard.'),
        ({"AllowedHeaders": ["*a*"]}, 'AllowedHeader "*a*" can not have more than one wildcard.'),
        (
            {"ExposeHeaders": ["*"]},
            'ExposeHeader "*" contains wildcard. We currently do not support wildcard for '
            "ExposeHeader.",
        ),
    ],
)
def test_refuses_impossible_rules(s3: Any, bucket: str, rule: dict[str, Any], message: str) -> None:
    whole = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], **rule}
    with refused("InvalidRequest", 400, message):
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [whole]})


def test_allows_what_a_rule_says(server: LiveServer, shared: str) -> None:
    answer = preflight(
        server,
        shared,
        Origin="https://a.test.example.com",
        Access_Control_Request_Method="PUT",
        Access_Control_Request_Headers="X-Amz-Date, content-type",
    )
    assert answer.status_code == 200
    assert answer.content == b""
    headers = answer.headers
    assert headers["access-control-allow-origin"] == "https://a.test.example.com"
    assert headers["access-control-allow-methods"] == "GET, PUT"
    assert headers["access-control-allow-headers"] == "x-amz-date, content-type"
    assert headers["access-control-expose-headers"] == "ETag"
    assert headers["access-control-max-age"] == "600"
    assert headers["access-control-allow-credentials"] == "true"
    assert "Origin" in headers["vary"]


def test_allows_everyone_by_a_star(server: LiveServer, shared: str) -> None:
    answer = preflight(server, shared, Origin="null", Access_Control_Request_Method="HEAD")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("origin", "method", "headers"),
    [
        ("https://evil.example.com", "GET", ""),
        ("https://app.example.com", "DELETE", ""),
        ("https://app.example.com", "GET", "x-other"),
        ("https://app.example.com.evil.net", "GET", ""),
    ],
)
def test_refuses_what_no_rule_says(
    server: LiveServer, shared: str, origin: str, method: str, headers: str
) -> None:
    answer = preflight(
        server,
        shared,
        Origin=origin,
        Access_Control_Request_Method=method,
        Access_Control_Request_Headers=headers,
    )
    assert answer.status_code == 403
    assert "<Code>AccessForbidden</Code>" in answer.text
    assert "CORSResponse: This CORS request is not allowed." in answer.text


def test_refuses_preflights_that_say_too_little(server: LiveServer, shared: str) -> None:
    assert preflight(server, shared).status_code == 400
    assert preflight(server, shared, Origin="https://app.example.com").status_code == 400


def test_refuses_without_rules(server: LiveServer, bucket: str) -> None:
    answer = preflight(server, bucket, Origin="https://a.b", Access_Control_Request_Method="GET")
    assert answer.status_code == 403
    assert "CORS is not enabled for this bucket" in answer.text


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("https://evil.example.com", None),
    ],
)
def test_actual_answers_tell_the_browser(
    server: LiveServer, shared: str, origin: str, allowed: str | None
) -> None:
    answer = httpx.get(f"{server.endpoint_url}/{shared}/key", headers={"Origin": origin})
    assert answer.headers.get("access-control-allow-origin") == allowed
