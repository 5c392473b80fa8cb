"""Errors as each protocol shapes them, read by AWS's client."""

from __future__ import annotations

from typing import Any

import botocore.parsers
import pytest
from botocore.awsrequest import HeadersDict

from cloche.core.errors import AccessDenied, AWSError, InternalFailure
from cloche.gateway.http.messages import Response
from cloche.gateway.protocols import serialize_error
from cloche.gateway.service_models import service_model
from tests.gateway.protocols.wire import REQUEST_ID


class NoSuchKey(AWSError):
    status = 404


class QueueDoesNotExist(AWSError):
    query_code = "AWS.SimpleQueueService.NonExistentQueue"


class DashboardNotFoundError(AWSError):
    pass


class ResourceNotFoundException(AWSError):
    pass


class ConditionalCheckFailedException(AWSError):
    pass


def client_error(response: Response, protocol: str) -> dict[str, Any]:
    assert isinstance(response.body, bytes)
    answer = {
        "status_code": response.status,
        "headers": HeadersDict(response.headers),
        "body": response.body,
    }
    return botocore.parsers.create_parser(protocol).parse(answer, None)["Error"]


@pytest.mark.parametrize(
    ("service", "protocol"),
    [
        ("iam", "query"),
        ("ec2", "ec2"),
        ("kinesis", "json"),
        ("lambda", "rest-json"),
        ("cloudfront", "rest-xml"),
        ("s3", "rest-xml"),
        ("cloudwatch", "smithy-rpc-v2-cbor"),
        ("cloudwatch", "query"),
    ],
)
def test_errors_that_no_model_has(service: str, protocol: Any) -> None:
    error = AccessDenied('You <may> & "not"\u00e4')
    response = serialize_error(service_model(service), protocol, error, REQUEST_ID)
    assert response.status == 403
    found = client_error(response, protocol)
    assert (found["Code"], found["Message"]) == ("AccessDenied", error.message)


def test_s3() -> None:
    error = NoSuchKey("The specified key does not exist.", Key="a<b", headers={"X-Amz-A": "b\r\nc"})
    response = serialize_error(service_model("s3"), "rest-xml", error, REQUEST_ID)
    assert response == Response(
        404,
        [("content-type", "application/xml"), ("x-amz-a", "b  c")],
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>"
        b"<Key>a&lt;b</Key><RequestId>6f1a2b3c-0000-4000-8000-000000000000</RequestId>"
        b"<HostId>6f1a2b3c-0000-4000-8000-000000000000</HostId></Error>",
    )
    head = serialize_error(service_model("s3"), "rest-xml", error, REQUEST_ID, is_head=True)
    assert (head.status, head.body) == (404, b"")


@pytest.mark.parametrize("protocol", ["json", "smithy-rpc-v2-cbor"])
def test_query_compatible_codes(protocol: Any) -> None:
    model = service_model("cloudwatch")
    error = DashboardNotFoundError("Dashboard a does not exist")
    response = serialize_error(model, protocol, error, REQUEST_ID, query_mode=True)
    assert response.status == 404
    assert dict(response.headers)["x-amzn-query-error"] == "ResourceNotFound;Sender"
    found = client_error(response, protocol)
    assert (found["Code"], found["QueryErrorCode"]) == ("ResourceNotFound", error.code)
    without = serialize_error(model, protocol, error, REQUEST_ID)
    assert "x-amzn-query-error" not in dict(without.headers)
    assert client_error(without, protocol)["Code"] == "DashboardNotFoundError"


def test_query_codes_that_the_model_lacks() -> None:
    error = QueueDoesNotExist("The specified queue does not exist.")
    response = serialize_error(service_model("sqs"), "json", error, REQUEST_ID, query_mode=True)
    headers = dict(response.headers)
    assert headers["x-amzn-query-error"] == "AWS.SimpleQueueService.NonExistentQueue;Sender"
    assert response.body == (
        b'{"__type":"QueueDoesNotExist","message":"The specified queue does not exist."}'
    )


def test_members_and_status_come_from_the_model() -> None:
    error = ConditionalCheckFailedException("no", Item={"a": {"B": b"x"}})
    response = serialize_error(service_model("dynamodb"), "json", error, REQUEST_ID)
    assert response.body == (
        b'{"__type":"ConditionalCheckFailedException","Item":{"a":{"B":"eA=="}},"message":"no"}'
    )
    error = ResourceNotFoundException("gone", ResourceType="Dashboard")
    response = serialize_error(service_model("cloudwatch"), "query", error, REQUEST_ID)
    assert response.status == 404
    assert b"<Type>Sender</Type>" in response.body  # type: ignore[operator]
    missing = ResourceNotFoundException("gone", Type="User")
    response = serialize_error(service_model("lambda"), "rest-json", missing, REQUEST_ID)
    assert response.status == 404
    assert dict(response.headers)["x-amzn-errortype"] == "ResourceNotFoundException"


def test_our_own_faults_are_the_receivers() -> None:
    response = serialize_error(service_model("sts"), "query", InternalFailure(), REQUEST_ID)
    assert response.status == 500
    assert client_error(response, "query")["Type"] == "Receiver"
