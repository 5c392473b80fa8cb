"""What the public is refused in a bucket, whatever ACLs and policies say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from cloche.core.operations import Call
from cloche.services.s3.bucket_records import PublicAccessBlock, change_bucket, load_bucket
from cloche.services.s3.errors import MalformedXML, NoSuchPublicAccessBlockConfiguration
from cloche.services.s3.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import s3 as shapes


@service.operation
def get_public_access_block(
    call: Call, request: shapes.GetPublicAccessBlockRequest
) -> shapes.GetPublicAccessBlockOutput:
    """What the public is refused.

    Raises NoSuchPublicAccessBlockConfiguration if nothing was said. AWS: S3 GetPublicAccessBlock.
    """
    bucket = load_bucket(call, request)
    if bucket.public_access_block is None:
        raise NoSuchPublicAccessBlockConfiguration(BucketName=bucket.name)
    configuration: Any = msgspec.structs.asdict(bucket.public_access_block)
    return {"PublicAccessBlockConfiguration": configuration}


@service.operation
def put_public_access_block(call: Call, request: shapes.PutPublicAccessBlockRequest) -> Empty:
    """Say what the public is refused; what is left out is not. AWS: S3 PutPublicAccessBlock."""
    configuration: Any = request.get("PublicAccessBlockConfiguration")
    if configuration is None:
        raise MalformedXML
    block = msgspec.convert(configuration, PublicAccessBlock)
    change_bucket(call, request, lambda bucket: replace(bucket, public_access_block=block))
    return {}


@service.operation
def delete_public_access_block(call: Call, request: shapes.DeletePublicAccessBlockRequest) -> Empty:
    """Refuse the public nothing any more. AWS: S3 DeletePublicAccessBlock."""
    change_bucket(call, request, lambda bucket: replace(bucket, public_access_block=None))
    return {}
