"""The encryption that a bucket's new objects are said to have.

Recorded and answered as S3 would; the bytes on disk are not encrypted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.operations import Call
from cloche.services.s3.bucket_records import change_bucket, load_bucket
from cloche.services.s3.errors import InvalidArgument, MalformedXML
from cloche.services.s3.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import s3 as shapes

_ALGORITHMS = frozenset({"AES256", "aws:kms", "aws:kms:dsse"})
_BLOCKABLE = frozenset({"NONE", "SSE-C"})
_DEFAULT: dict[str, Any] = {
    "Rules": [
        {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BucketKeyEnabled": False,
        }
    ]
}


@service.operation
def get_bucket_encryption(
    call: Call, request: shapes.GetBucketEncryptionRequest
) -> shapes.GetBucketEncryptionOutput:
    """The default encryption, AES256 unless another was put. AWS: S3 GetBucketEncryption."""
    configuration: Any = load_bucket(call, request).encryption or _DEFAULT
    return {"ServerSideEncryptionConfiguration": configuration}


@service.operation(does="stored")
def put_bucket_encryption(call: Call, request: shapes.PutBucketEncryptionRequest) -> Empty:
    """Choose the default encryption, which is told of each object; bytes on disk stay plain.

    AWS: S3 PutBucketEncryption.
    """
    configuration: Any = request.get("ServerSideEncryptionConfiguration") or {}
    rules = configuration.get("Rules") or []
    if len(rules) != 1:
        raise MalformedXML
    rule = _read_rule(rules[0])
    encryption = {"Rules": [rule]}
    change_bucket(call, request, lambda bucket: replace(bucket, encryption=encryption))
    return {}


def _read_rule(given: dict[str, Any]) -> dict[str, Any]:
    default = given.get("ApplyServerSideEncryptionByDefault") or {"SSEAlgorithm": "AES256"}
    algorithm = default.get("SSEAlgorithm")
    if algorithm not in _ALGORITHMS:
        raise MalformedXML
    if algorithm == "AES256" and "KMSMasterKeyID" in default:
        raise InvalidArgument(
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or "
            "aws:kms:dsse",
            ArgumentName="ApplyServerSideEncryptionByDefault",
        )
    rule: dict[str, Any] = {
        "ApplyServerSideEncryptionByDefault": dict(default),
        "BucketKeyEnabled": bool(given.get("BucketKeyEnabled", False)),
    }
    blocked = given.get("BlockedEncryptionTypes")
    if blocked is not None:
        if not _BLOCKABLE.issuperset(blocked.get("EncryptionType") or ()):
            raise MalformedXML
        rule["BlockedEncryptionTypes"] = blocked
    return rule


@service.operation
def delete_bucket_encryption(call: Call, request: shapes.DeleteBucketEncryptionRequest) -> Empty:
    """Go back to AES256. AWS: S3 DeleteBucketEncryption."""
    change_bucket(call, request, lambda bucket: replace(bucket, encryption=None))
    return {}
