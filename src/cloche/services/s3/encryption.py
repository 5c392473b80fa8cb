"""Server-side encryption, as it is recorded with an object and answered.

Difference from AWS: nothing is encrypted on disk.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import msgspec

from cloche.services.s3.bucket_records import Bucket
from cloche.services.s3.errors import InvalidArgument, InvalidEncryptionAlgorithmError

_DEFAULT = {"ServerSideEncryption": "AES256"}
_BY_KMS = ("aws:kms", "aws:kms:dsse")
_KMS_MEMBERS = ("SSEKMSKeyId", "SSEKMSEncryptionContext", "BucketKeyEnabled")


def encryption_of(bucket: Bucket, request: Mapping[str, Any]) -> dict[str, Any]:
    """The encryption that a request asks for, or else the bucket's, as members of an answer.

    Raises:
        InvalidEncryptionAlgorithmError: there is no such encryption.
        InvalidArgument: a KMS key or context without KMS.
    """
    algorithm = request.get("ServerSideEncryption")
    if algorithm is None:
        _refuse_kms_members(request)
        return _default_of(bucket) if bucket.encryption is not None else _DEFAULT
    if algorithm == "AES256":
        _refuse_kms_members(request)
        return _DEFAULT
    if algorithm not in _BY_KMS:
        raise InvalidEncryptionAlgorithmError(
            ArgumentName="x-amz-server-side-encryption", ArgumentValue=algorithm
        )
    _check_context(request.get("SSEKMSEncryptionContext"))
    answer: dict[str, Any] = {
        "ServerSideEncryption": algorithm,
        "SSEKMSKeyId": _key_arn(bucket, request.get("SSEKMSKeyId")),
    }
    if request.get("BucketKeyEnabled"):
        answer["BucketKeyEnabled"] = True
    return answer


def _default_of(bucket: Bucket) -> dict[str, Any]:
    rule: dict[str, Any] = (bucket.encryption or {})["Rules"][0]
    default = rule["ApplyServerSideEncryptionByDefault"]
    if default["SSEAlgorithm"] == "AES256":
        return _DEFAULT
    answer = {
        "ServerSideEncryption": default["SSEAlgorithm"],
        "SSEKMSKeyId": _key_arn(bucket, default.get("KMSMasterKeyID")),
    }
    if rule.get("BucketKeyEnabled"):
        answer["BucketKeyEnabled"] = True
    return answer


def _key_arn(bucket: Bucket, key_id: str | None) -> str:
    """A key's ARN; that of S3's own key where none is named."""
    if key_id is not None and key_id.startswith("arn:"):
        return key_id
    name = "alias/aws/s3" if key_id is None else key_id
    if not name.startswith("alias/"):
        name = f"key/{name}"
    return f"arn:aws:kms:{bucket.region}:{bucket.owner}:{name}"


def _refuse_kms_members(request: Mapping[str, Any]) -> None:
    if any(request.get(member) for member in _KMS_MEMBERS):
        raise InvalidArgument(
            "Server Side Encryption with AWS KMS managed key requires HTTP header "
            "x-amz-server-side-encryption : aws:kms",
            ArgumentName="x-amz-server-side-encryption",
        )


def _check_context(context: str | None) -> None:
    if context is None:
        return
    try:
        msgspec.json.decode(base64.b64decode(context, validate=True), type=dict[str, str])
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise InvalidArgument(
            "The header x-amz-server-side-encryption-context is invalid.",
            ArgumentName="x-amz-server-side-encryption-context",
            ArgumentValue=context,
        ) from error
