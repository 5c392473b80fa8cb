from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.services.s3.expectations import refused


@pytest.fixture
def place(s3: Any, bucket: str) -> dict[str, str]:
    s3.put_object(Bucket=bucket, Key="key", Body=b"body")
    return {"Bucket": bucket, "Key": "key"}


def test_reads(s3: Any, place: dict[str, str]) -> None:
    head = s3.head_object(**place)
    etag, changed = head["ETag"], head["LastModified"]
    earlier = changed - timedelta(seconds=10)
    s3.get_object(**place, IfMatch=etag)
    s3.get_object(**place, IfMatch=etag, IfUnmodifiedSince=earlier)
    s3.get_object(**place, IfNoneMatch='"other"', IfModifiedSince=changed)
    for members in ({"IfMatch": '"other"'}, {"IfUnmodifiedSince": earlier}):
        with refused("PreconditionFailed", 412):
            s3.get_object(**place, **members)
    for members in ({"IfNoneMatch": etag}, {"IfModifiedSince": changed}):
        with refused("304", 304):
            s3.get_object(**place, **members)


def test_writes_only_what_is_new(s3: Any, place: dict[str, str]) -> None:
    with refused("PreconditionFailed", 412):
        s3.put_object(**place, Body=b"x", IfNoneMatch="*")
    s3.delete_object(**place)
    s3.put_object(**place, Body=b"x", IfNoneMatch="*")


def test_writes_only_over_what_is_known(s3: Any, place: dict[str, str]) -> None:
    etag = s3.head_object(**place)["ETag"]
    s3.put_object(**place, Body=b"second", IfMatch=etag)
    with refused("PreconditionFailed", 412):
        s3.put_object(**place, Body=b"third", IfMatch=etag)
    with refused("NoSuchKey", 404):
        s3.put_object(Bucket=place["Bucket"], Key="none", Body=b"x", IfMatch=etag)
    assert s3.get_object(**place)["Body"].read() == b"second"


def test_deletes_only_what_is_known(s3: Any, place: dict[str, str]) -> None:
    with refused("PreconditionFailed", 412):
        s3.delete_object(**place, IfMatch='"other"')
    s3.delete_object(**place, IfMatch=s3.head_object(**place)["ETag"])
    with refused("404", 404):
        s3.head_object(**place)


def test_completes_only_what_is_new(s3: Any, place: dict[str, str]) -> None:
    upload_id = s3.create_multipart_upload(**place)["UploadId"]
    part = s3.upload_part(**place, UploadId=upload_id, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    with refused("PreconditionFailed", 412):
        s3.complete_multipart_upload(
            **place, UploadId=upload_id, MultipartUpload=parts, IfNoneMatch="*"
        )
    s3.complete_multipart_upload(**place, UploadId=upload_id, MultipartUpload=parts)
