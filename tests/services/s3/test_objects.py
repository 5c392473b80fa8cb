from __future__ import annotations

from typing import Any

import pytest

from tests.services.s3.expectations import refused


def test_keeps_what_was_put(s3: Any, bucket: str) -> None:
    s3.put_object(
        Bucket=bucket,
        Key="a/b c+d%ü",
        Body=b"hello",
        ContentType="text/plain",
        CacheControl="no-cache",
        ContentDisposition="attachment",
        ContentEncoding="gzip",
        ContentLanguage="en",
        Expires="Wed, 21 Oct 2026 07:28:00 GMT",
        Metadata={"Mixed": "1"},
        Tagging="a=b&c=d",
        StorageClass="STANDARD_IA",
        WebsiteRedirectLocation="/elsewhere",
    )
    found = s3.get_object(Bucket=bucket, Key="a/b c+d%ü")
    assert found["Body"].read() == b"hello"
    assert found["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    assert found["ContentType"] == "text/plain"
    assert found["CacheControl"] == "no-cache"
    assert found["ContentDisposition"] == "attachment"
    assert found["ContentEncoding"] == "gzip"
    assert found["ContentLanguage"] == "en"
    assert found["ExpiresString"] == "Wed, 21 Oct 2026 07:28:00 GMT"
    assert found["Metadata"] == {"mixed": "1"}
    assert found["TagCount"] == 2
    assert found["StorageClass"] == "STANDARD_IA"
    assert found["WebsiteRedirectLocation"] == "/elsewhere"
    assert found["ServerSideEncryption"] == "AES256"


@pytest.mark.parametrize("size_bytes", [0, 1, 32 * 1024 + 1, 300 * 1024, 3 * 1024 * 1024])
def test_keeps_bodies_of_all_sizes(s3: Any, bucket: str, size_bytes: int) -> None:
    body = bytes(range(256)) * (size_bytes // 256 + 1)
    s3.put_object(Bucket=bucket, Key="body", Body=body[:size_bytes])
    assert s3.get_object(Bucket=bucket, Key="body")["Body"].read() == body[:size_bytes]


@pytest.mark.parametrize(
    ("members", "code", "status"),
    [
        ({"StorageClass": "ATTIC"}, "InvalidStorageClass", 400),
        ({"Metadata": {"a": "x" * 2048}}, "MetadataTooLarge", 400),
        ({"Tagging": "&".join(f"k{n}=v" for n in range(11))}, "BadRequest", 400),
        ({"ObjectLockLegalHoldStatus": "ON"}, "NotImplemented", 501),
        ({"WriteOffsetBytes": 0}, "NotImplemented", 501),
        ({"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}, "NotImplemented", 501),
        ({"GrantRead": "id=1"}, "NotImplemented", 501),
        ({"ContentMD5": "nonsense"}, "InvalidDigest", 400),
        ({"ContentMD5": "XUFAKrxLKna5cZ2REBfFkg=="}, "BadDigest", 400),
        ({"SSEKMSKeyId": "1"}, "InvalidArgument", 400),
        ({"Key": "k" * 1025}, "KeyTooLongError", 400),
    ],
)
def test_refuses(s3: Any, bucket: str, members: dict[str, Any], code: str, status: int) -> None:
    with refused(code, status):
        s3.put_object(**{"Bucket": bucket, "Key": "key", "Body": b"x", **members})
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_versions_and_delete_markers(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"null")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="key", Body=b"first")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="key")
    assert marker["DeleteMarker"]
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=bucket, Key="key")
    with refused("MethodNotAllowed", 405):
        s3.get_object(Bucket=bucket, Key="key", VersionId=marker["VersionId"])
    for version_id, body in ((first, b"first"), ("null", b"null")):
        found = s3.get_object(Bucket=bucket, Key="key", VersionId=version_id)
        assert (found["Body"].read(), found["VersionId"]) == (body, version_id)
    removed = s3.delete_object(Bucket=bucket, Key="key", VersionId=marker["VersionId"])
    assert (removed["DeleteMarker"], removed["VersionId"]) == (True, marker["VersionId"])
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"first"
    with refused("InvalidArgument", 400, "Invalid version id specified"):
        s3.get_object(Bucket=bucket, Key="key", VersionId="wrong")
    with refused("NoSuchVersion", 404):
        s3.get_object(Bucket=bucket, Key="key", VersionId="A" * 32)


def test_writes_tell_no_version_while_versioning_is_suspended(s3: Any, bucket: str) -> None:
    place = {"Bucket": bucket, "Key": "key"}
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    written = [s3.put_object(**place, Body=b"x")]
    written.append(s3.copy_object(**place, CopySource=place, MetadataDirective="REPLACE"))
    upload = {**place, "UploadId": s3.create_multipart_upload(**place)["UploadId"]}
    etag = s3.upload_part(**upload, PartNumber=1, Body=b"x")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    written.append(s3.complete_multipart_upload(**upload, MultipartUpload=parts))
    assert not any("VersionId" in answer for answer in written)
    assert s3.head_object(**place)["VersionId"] == "null"
    assert [each["VersionId"] for each in s3.list_object_versions(Bucket=bucket)["Versions"]] == [
        "null"
    ]


def test_deletes_many(s3: Any, bucket: str) -> None:
    for key in ("a", "b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    objects = [{"Key": "a"}, {"Key": "none"}, {"Key": "b", "ETag": "other"}]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert [each["Key"] for each in answer["Deleted"]] == ["a", "none"]
    assert [(each["Key"], each["Code"]) for each in answer["Errors"]] == [
        ("b", "PreconditionFailed")
    ]
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b"}], "Quiet": True})
    assert "Deleted" not in quiet
    with refused("MalformedXML", 400):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}] * 1001})


def test_tags(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", Tagging="a=1")
    s3.put_object_tagging(
        Bucket=bucket, Key="key", Tagging={"TagSet": [{"Key": "b", "Value": "2"}]}
    )
    tags = s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"]
    assert tags == [{"Key": "b", "Value": "2"}]
    with refused("InvalidTag", 400):
        s3.put_object_tagging(
            Bucket=bucket, Key="key", Tagging={"TagSet": [{"Key": "k" * 129, "Value": ""}]}
        )
    s3.delete_object_tagging(Bucket=bucket, Key="key")
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == []
    with refused("NoSuchKey", 404):
        s3.get_object_tagging(Bucket=bucket, Key="none")


def test_tags_come_sorted(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", Tagging="b=2&a")
    tags = s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"]
    assert tags == [{"Key": "a", "Value": ""}, {"Key": "b", "Value": "2"}]


def test_tells_that_nothing_is_locked(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    for ask in (s3.get_object_retention, s3.get_object_legal_hold):
        with refused("InvalidRequest", 400):
            ask(Bucket=bucket, Key="key")
    with refused("NotImplemented", 501):
        s3.put_object_legal_hold(Bucket=bucket, Key="key", LegalHold={"Status": "ON"})
