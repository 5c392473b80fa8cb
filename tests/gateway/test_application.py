"""Requests through the whole gateway, by real clients and by hand."""

from __future__ import annotations

import json

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.live_server import LiveServer


def test_get_caller_identity(server: LiveServer) -> None:
    answer = server.client("sts").get_caller_identity()
    assert answer["Arn"] == f"arn:aws:iam::{answer['Account']}:root"


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("cloudwatch", "list_metrics"),
        ("kinesis", "list_streams"),
        ("lambda", "list_functions"),
        ("ec2", "describe_instances"),
        ("route53", "list_hosted_zones"),
        ("sns", "list_topics"),
    ],
)
def test_what_is_not_built_says_so(server: LiveServer, service: str, operation: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(server.client(service), operation)()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert caught.value.response["Error"]["Code"] == "NotImplementedException"
    assert service in caught.value.response["Error"]["Message"]


def test_unsigned_request_is_refused(server: LiveServer) -> None:
    answer = httpx.post(
        server.endpoint_url,
        headers={"x-amz-target": "AmazonAthena.ListWorkGroups"},
        content=b"{}",
    )
    assert answer.status_code in (400, 403)
    assert "MissingAuthenticationToken" in answer.json()["__type"]


def test_health_and_metrics_are_open(server: LiveServer) -> None:
    server.client("sts").get_caller_identity()
    assert httpx.get(f"{server.endpoint_url}/health").json()["status"] == "ok"
    metrics = httpx.get(f"{server.endpoint_url}/metrics").text
    assert 'cloche_request_seconds_count{operation="GetCallerIdentity",service="sts"}' in metrics


def test_request_ids_match_the_log(fresh_server: LiveServer) -> None:
    answer = fresh_server.client("sts").get_caller_identity()
    fresh_server.runtime.request_log.flush()
    lines = [json.loads(line) for line in fresh_server.log.getvalue().splitlines()]
    assert [line["request_id"] for line in lines] == [answer["ResponseMetadata"]["RequestId"]]
    assert lines[0]["operation"] == "GetCallerIdentity"
    assert lines[0]["principal"] == answer["Arn"]


def test_administration_needs_the_root_key(server: LiveServer) -> None:
    answer = httpx.post(f"{server.endpoint_url}/_cloche/clock", json={"advance_seconds": 1})
    assert answer.status_code in (400, 403)
