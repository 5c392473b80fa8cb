from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.services.s3.expectations import refused

BODY = b"0123456789"


@pytest.fixture
def key(s3: Any, bucket: str) -> str:
    s3.put_object(Bucket=bucket, Key="key", Body=BODY, CacheControl="max-age=1")
    return "key"


@pytest.mark.parametrize(
    ("header", "body", "content_range"),
    [
        ("bytes=2-4", b"234", "bytes 2-4/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=8-100", b"89", "bytes 8-9/10"),
    ],
)
def test_ranges(
    s3: Any, bucket: str, key: str, header: str, body: bytes, content_range: str
) -> None:
    found = s3.get_object(Bucket=bucket, Key=key, Range=header)
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert (found["Body"].read(), found["ContentRange"]) == (body, content_range)
    head = s3.head_object(Bucket=bucket, Key=key, Range=header)
    assert (head["ContentLength"], head["ContentRange"]) == (len(body), content_range)


@pytest.mark.parametrize("header", ["bytes=0-1,3-4", "lines=1-2", "bytes=5-2"])
def test_ignores_what_is_no_range(s3: Any, bucket: str, key: str, header: str) -> None:
    found = s3.get_object(Bucket=bucket, Key=key, Range=header)
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert found["Body"].read() == BODY


def test_refuses_ranges_beyond_the_end(s3: Any, bucket: str, key: str) -> None:
    with refused("InvalidRange", 416):
        s3.get_object(Bucket=bucket, Key=key, Range="bytes=10-")


def test_parts_of_an_object_in_one_piece(s3: Any, bucket: str, key: str) -> None:
    assert s3.get_object(Bucket=bucket, Key=key, PartNumber=1)["Body"].read() == BODY
    with refused("InvalidPartNumber", 416):
        s3.get_object(Bucket=bucket, Key=key, PartNumber=2)
    with refused("InvalidRequest", 400):
        s3.get_object(Bucket=bucket, Key=key, PartNumber=1, Range="bytes=0-1")


def test_overrides_headers(s3: Any, bucket: str, key: str) -> None:
    found = s3.get_object(
        Bucket=bucket,
        Key=key,
        ResponseContentType="a/b",
        ResponseCacheControl="no-store",
        ResponseExpires=datetime(2026, 10, 21, 7, 28, tzinfo=UTC),
    )
    assert found["ExpiresString"] == "Wed, 21 Oct 2026 07:28:00 GMT"
    assert (found["ContentType"], found["CacheControl"]) == ("a/b", "no-store")


def test_anonymous_readers_cannot_override_headers(
    s3: Any, anonymous: Any, bucket: str, key: str
) -> None:
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    )
    s3.put_object_acl(Bucket=bucket, Key=key, ACL="public-read")
    assert anonymous.get_object(Bucket=bucket, Key=key)["Body"].read() == BODY
    with refused("InvalidRequest", 400):
        anonymous.get_object(Bucket=bucket, Key=key, ResponseContentType="a/b")


def test_archived_objects_cannot_be_read(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="cold", Body=BODY, StorageClass="GLACIER")
    assert s3.head_object(Bucket=bucket, Key="cold")["StorageClass"] == "GLACIER"
    with refused("InvalidObjectState", 403):
        s3.get_object(Bucket=bucket, Key="cold")


def test_attributes(s3: Any, bucket: str, key: str) -> None:
    found = s3.get_object_attributes(
        Bucket=bucket, Key=key, ObjectAttributes=["ETag", "ObjectSize", "StorageClass"]
    )
    assert (found["ObjectSize"], found["StorageClass"]) == (10, "STANDARD")
    assert found["ETag"] == "781e5e245d69b566979b86e28d23f2c7"
    assert "Checksum" not in found
    with refused("InvalidArgument", 400):
        s3.get_object_attributes(Bucket=bucket, Key=key, ObjectAttributes=["Colour"])
