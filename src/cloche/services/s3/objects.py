"""PutObject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloche.core.operations import Call
from cloche.engines.objects.store import ObjectStore
from cloche.services.s3.bucket_records import load_bucket
from cloche.services.s3.checksums import FULL_OBJECT
from cloche.services.s3.conditions import write_condition
from cloche.services.s3.object_events import tell_created
from cloche.services.s3.object_properties import (
    checksum_of,
    encryption_answer,
    new_properties,
    remember_strangers,
)
from cloche.services.s3.receiving import receive, storing
from cloche.services.s3.service import service
from cloche.services.s3.versioning import written_version

if TYPE_CHECKING:
    from aws_shapes import s3 as shapes


@service.operation(resource="arn:{partition}:s3:::{Bucket}/{Key}")
async def put_object(call: Call, request: shapes.PutObjectRequest) -> shapes.PutObjectOutput:
    """Store an object; the answer comes when it would survive a crash. AWS: S3 PutObject."""
    bucket = load_bucket(call, request)
    properties = new_properties(call, bucket, request)
    condition = write_condition(request)
    received = await receive(call, request)
    properties["checksums"] = {
        f"Checksum{algorithm}": digest for algorithm, digest in received.digests.items()
    }
    properties["checksum_type"] = FULL_OBJECT
    await remember_strangers(call, bucket, properties)
    async with storing(call, request, received.staged):
        record = await call.engine(ObjectStore).put(
            bucket.name,
            request["Key"],
            received.staged,
            versioning=bucket.versioning,
            properties=properties,
            condition=condition,
        )
    await tell_created(call, bucket, record, "PutObject")
    answer: Any = {
        "ETag": f'"{record.etag}"',
        **checksum_of(record),
        **encryption_answer(properties),
        **written_version(bucket, record),
    }
    return answer
