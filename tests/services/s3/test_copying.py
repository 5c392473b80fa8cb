from __future__ import annotations

from typing import Any

import pytest

from tests.services.s3.expectations import refused


@pytest.fixture
def source(s3: Any, bucket: str) -> dict[str, str]:
    s3.put_object(
        Bucket=bucket,
        Key="so urce",
        Body=b"body",
        ContentType="a/b",
        Metadata={"m": "1"},
        Tagging="t=1",
    )
    return {"Bucket": bucket, "Key": "so urce"}


def test_copies_all(s3: Any, bucket: str, source: dict[str, str]) -> None:
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    found = s3.get_object(Bucket=bucket, Key="copy")
    assert copied["CopyObjectResult"]["ETag"] == found["ETag"]
    assert found["Body"].read() == b"body"
    assert (found["ContentType"], found["Metadata"]) == ("a/b", {"m": "1"})
    assert found["TagCount"] == 1


def test_replaces_metadata_and_tags(s3: Any, bucket: str, source: dict[str, str]) -> None:
    s3.copy_object(
        Bucket=bucket,
        Key="copy",
        CopySource=source,
        MetadataDirective="REPLACE",
        Metadata={"n": "2"},
        TaggingDirective="REPLACE",
        Tagging="u=2&v=3",
        ChecksumAlgorithm="SHA256",
    )
    found = s3.head_object(Bucket=bucket, Key="copy", ChecksumMode="ENABLED")
    assert (found["Metadata"], found["ContentType"]) == ({"n": "2"}, "binary/octet-stream")
    assert "ChecksumSHA256" in found
    tags = s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"]
    assert [tag["Key"] for tag in tags] == ["u", "v"]


def test_a_copy_onto_itself_must_change_something(
    s3: Any, bucket: str, source: dict[str, str]
) -> None:
    with refused("InvalidRequest", 400):
        s3.copy_object(**source, CopySource=source)
    s3.copy_object(**source, CopySource=source, StorageClass="STANDARD_IA")
    assert s3.head_object(**source)["StorageClass"] == "STANDARD_IA"


def test_conditions_on_the_source(s3: Any, bucket: str, source: dict[str, str]) -> None:
    etag = s3.head_object(**source)["ETag"]
    for members in ({"CopySourceIfMatch": '"other"'}, {"CopySourceIfNoneMatch": etag}):
        with refused("PreconditionFailed", 412):
            s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, **members)
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, CopySourceIfMatch=etag)


def test_refuses(s3: Any, bucket: str, source: dict[str, str]) -> None:
    with refused("NoSuchKey", 404):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "none"})
    with refused("InvalidArgument", 400):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource="nothing")
    with refused("InvalidArgument", 400):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, MetadataDirective="MERGE")


def test_versions(s3: Any, bucket: str, source: dict[str, str]) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(**source, Body=b"newer")
    copied = s3.copy_object(**source, CopySource={**source, "VersionId": "null"})
    assert copied["CopySourceVersionId"] == "null"
    assert s3.get_object(**source)["Body"].read() == b"body"
    marker = s3.delete_object(**source)["VersionId"]
    with refused("NoSuchKey", 404):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    with refused("InvalidRequest", 400):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={**source, "VersionId": marker})
