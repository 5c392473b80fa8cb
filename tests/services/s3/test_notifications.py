from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from cloche.core.event import Event
from tests.live_server import LiveServer
from tests.services.s3.expectations import refused

TO_EVENTBRIDGE: dict[str, Any] = {"EventBridgeConfiguration": {}}


@pytest.fixture
def next_event(server: LiveServer) -> Iterator[Callable[[], Event]]:
    """Waits for S3's next event on the bus."""
    heard: list[Event] = []
    arrived = threading.Semaphore(0)
    name = f"test-{uuid4()}"

    def hear(event: Event) -> None:
        heard.append(event)
        arrived.release()

    def wait() -> Event:
        assert arrived.acquire(timeout=10)
        return heard.pop(0)

    server.runtime.events.subscribe(name, "aws.s3", hear)
    yield wait
    server.runtime.events.unsubscribe(name)


def test_puts_and_gets(s3: Any, bucket: str) -> None:
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket=bucket)
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=TO_EVENTBRIDGE
    )
    answer = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert answer["EventBridgeConfiguration"] == {}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket=bucket)


@pytest.mark.parametrize(
    ("member", "destination"),
    [
        ("TopicConfigurations", {"TopicArn": "arn:aws:sns:us-east-1:000000000000:t"}),
        ("QueueConfigurations", {"QueueArn": "arn:aws:sqs:us-east-1:000000000000:q"}),
        (
            "LambdaFunctionConfigurations",
            {"LambdaFunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f"},
        ),
    ],
)
def test_refuses_destinations_that_it_cannot_reach(
    s3: Any, bucket: str, member: str, destination: dict[str, str]
) -> None:
    configuration = {**destination, "Events": ["s3:ObjectCreated:*"]}
    message = "Unable to validate the following destination configurations"
    with refused("InvalidArgument", 400, message):
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={member: [configuration]}
        )


def test_tells_of_objects(
    server: LiveServer, s3: Any, bucket: str, next_event: Callable[[], Event]
) -> None:
    s3.put_object(Bucket=bucket, Key="before", Body=b"unheard")
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=TO_EVENTBRIDGE
    )
    put = s3.put_object(Bucket=bucket, Key="a key", Body=b"four")
    event = next_event()
    account_id = server.root["AccountId"]
    assert (event.source, event.detail_type) == ("aws.s3", "Object Created")
    assert (event.account, event.region) == (account_id, "us-east-1")
    assert event.resources == (f"arn:aws:s3:::{bucket}",)
    detail = event.detail
    assert detail["bucket"] == {"name": bucket}
    assert detail["object"]["key"] == "a key"
    assert detail["object"]["size"] == 4
    assert detail["object"]["etag"] == put["ETag"].strip('"')
    assert detail["reason"] == "PutObject"
    assert detail["requester"] == account_id
    assert detail["source-ip-address"] == "127.0.0.1"
    assert detail["request-id"] == put["ResponseMetadata"]["RequestId"]
    s3.put_object_acl(Bucket=bucket, Key="a key", ACL="public-read")
    assert next_event().detail_type == "Object ACL Updated"
    s3.delete_object(Bucket=bucket, Key="a key")
    event = next_event()
    assert event.detail_type == "Object Deleted"
    assert event.detail["deletion-type"] == "Permanently Deleted"
