"""S3's condition keys of a request.

Source: "Condition keys for Amazon S3" in the service authorization reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from cloche.core.operations import Call
from cloche.engines.objects.store import ObjectRecord
from cloche.services.s3.bucket_records import Bucket

Keys = dict[str, str | list[str]]

_OF_MEMBERS = {
    "Prefix": "s3:prefix",
    "Delimiter": "s3:delimiter",
    "MaxKeys": "s3:max-keys",
    "VersionId": "s3:versionid",
    "ACL": "s3:x-amz-acl",
    "CopySource": "s3:x-amz-copy-source",
    "MetadataDirective": "s3:x-amz-metadata-directive",
    "ServerSideEncryption": "s3:x-amz-server-side-encryption",
    "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "SSECustomerAlgorithm": "s3:x-amz-server-side-encryption-customer-algorithm",
    "StorageClass": "s3:x-amz-storage-class",
    "WebsiteRedirectLocation": "s3:x-amz-website-redirect-location",
    "ObjectOwnership": "s3:x-amz-object-ownership",
    "IfMatch": "s3:if-match",
    "IfNoneMatch": "s3:if-none-match",
}
_MILLISECONDS = 1000


def condition_keys(
    call: Call, request: Mapping[str, Any], bucket: Bucket | None, record: ObjectRecord | None
) -> Keys:
    """The keys `s3:…` of a request, and whose the resource is.

    Args:
        call: the call.
        request: its parsed input.
        bucket: the bucket, if it exists.
        record: the object's current version or the one named, where it is known.
    """
    keys: Keys = {
        key: str(request[member]) for member, key in _OF_MEMBERS.items() if member in request
    }
    if bucket is not None:
        keys["s3:resourceaccount"] = keys["aws:resourceaccount"] = bucket.owner
    location = (request.get("CreateBucketConfiguration") or {}).get("LocationConstraint")
    if location:
        keys["s3:locationconstraint"] = location
    _add_tags(keys, request, record)
    _add_signature(keys, call)
    return keys


def _add_tags(keys: Keys, request: Mapping[str, Any], record: ObjectRecord | None) -> None:
    tagging = request.get("Tagging")
    if tagging is not None:
        tags = _requested_tags(tagging)
        for key, value in tags.items():
            keys[f"s3:requestobjecttag/{key.lower()}"] = value
        keys["s3:requestobjecttagkeys"] = list(tags)
    if record is not None:
        for key, value in record.properties.get("tags", {}).items():
            keys[f"s3:existingobjecttag/{key.lower()}"] = value


def _requested_tags(tagging: Any) -> dict[str, str]:
    if isinstance(tagging, str):
        return dict(parse_qsl(tagging, keep_blank_values=True))
    return {tag.get("Key", ""): tag.get("Value", "") for tag in tagging.get("TagSet", [])}


def _add_signature(keys: Keys, call: Call) -> None:
    if call.http is None or call.principal.kind == "Anonymous":
        return
    keys["s3:signatureversion"] = "AWS4-HMAC-SHA256"
    digest = call.http.headers.get("x-amz-content-sha256")
    if digest is not None:
        keys["s3:x-amz-content-sha256"] = digest
    authorization = call.http.headers.get("authorization")
    if authorization is not None:
        keys["s3:authtype"] = "REST-HEADER"
        if authorization.startswith("AWS "):
            keys["s3:signatureversion"] = "AWS"
        return
    keys["s3:authtype"] = "REST-QUERY-STRING"
    signed_at = parse_qs(call.http.query_string).get("X-Amz-Date")
    if signed_at:
        age_seconds = call.clock.time() - call.clock.from_wall(_seconds(signed_at[0]))
        keys["s3:signatureage"] = str(int(age_seconds * _MILLISECONDS))
    else:  # Version 2, which does not tell its age
        keys["s3:signatureversion"] = "AWS"


def _seconds(amz_date: str) -> float:
    return datetime.strptime(f"{amz_date}+0000", "%Y%m%dT%H%M%SZ%z").timestamp()
