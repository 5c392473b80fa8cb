"""Events of a bucket's objects, told to the event bus in EventBridge's shape.

Source: "EventBridge event message structure" in the S3 user guide. Topics, queues and functions
are not told directly: as in AWS, a rule of the event bus can do that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.event import Event
from cloche.core.operations import Call
from cloche.services.s3.bucket_records import Bucket, change_bucket, load_bucket
from cloche.services.s3.errors import InvalidArgument, MalformedXML
from cloche.services.s3.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import s3 as shapes

_DIRECT_DESTINATIONS = {
    "TopicConfigurations": "TopicArn",
    "QueueConfigurations": "QueueArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
}


async def notify(
    call: Call, bucket_record: Bucket, detail_type: str, detail: dict[str, Any]
) -> None:
    """Tell the event bus what happened to an object, if the bucket sends events.

    Returns when the event is durable.

    Args:
        call: the request that made it happen.
        bucket_record: the object's bucket.
        detail_type: `Object Created`, `Object Deleted`, `Object Tags Added`, …
        detail: `object`, `reason` and what else the type has; the rest is filled in.
    """
    if not bucket_record.sends_events:
        return
    await call.server.events.publish_async(
        Event(
            source="aws.s3",
            detail_type=detail_type,
            account=bucket_record.owner,
            region=bucket_record.region,
            resources=(f"arn:aws:s3:::{bucket_record.name}",),
            detail={
                "version": "0",
                "bucket": {"name": bucket_record.name},
                "request-id": call.request_id,
                "requester": call.principal.account_id or "anonymous",
                "source-ip-address": "" if call.http is None else call.http.source_ip,
                **detail,
            },
        )
    )


@service.operation
def get_bucket_notification_configuration(
    call: Call, request: shapes.GetBucketNotificationConfigurationRequest
) -> shapes.NotificationConfiguration:
    """Who is told of the objects' events. AWS: S3 GetBucketNotificationConfiguration."""
    bucket = load_bucket(call, request)
    return {"EventBridgeConfiguration": {}} if bucket.sends_events else {}


@service.operation
def put_bucket_notification_configuration(
    call: Call, request: shapes.PutBucketNotificationConfigurationRequest
) -> Empty:
    """Begin or cease to send events to the event bus.

    Raises InvalidArgument for topics, queues and functions, which can't be reached, whether or not
    their validation is to be skipped. AWS: S3 PutBucketNotificationConfiguration.
    """
    configuration: Any = request.get("NotificationConfiguration")
    if configuration is None:
        raise MalformedXML
    for member, arn_member in _DIRECT_DESTINATIONS.items():
        if configuration.get(member):
            raise InvalidArgument(
                "Unable to validate the following destination configurations",
                ArgumentName=configuration[member][0].get(arn_member, ""),
                ArgumentValue="The destination could not be validated.",
            )
    sends_events = "EventBridgeConfiguration" in configuration
    change_bucket(call, request, lambda bucket: replace(bucket, sends_events=sends_events))
    return {}
