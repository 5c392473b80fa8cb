"""Who pays for requests: always the bucket's owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloche.core.operations import Call
from cloche.services.s3.bucket_records import load_bucket
from cloche.services.s3.errors import MalformedXML, NotImplementedS3
from cloche.services.s3.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import s3 as shapes


@service.operation
def get_bucket_request_payment(
    call: Call, request: shapes.GetBucketRequestPaymentRequest
) -> shapes.GetBucketRequestPaymentOutput:
    """Who pays. AWS: S3 GetBucketRequestPayment."""
    load_bucket(call, request)
    return {"Payer": "BucketOwner"}


@service.operation
def put_bucket_request_payment(call: Call, request: shapes.PutBucketRequestPaymentRequest) -> Empty:
    """Let the owner pay; requester pays answers 501. AWS: S3 PutBucketRequestPayment."""
    load_bucket(call, request)
    configuration: Any = request.get("RequestPaymentConfiguration") or {}
    payer = configuration.get("Payer")
    if payer == "Requester":
        raise NotImplementedS3("Requester pays is not built.")
    if payer != "BucketOwner":
        raise MalformedXML
    return {}
