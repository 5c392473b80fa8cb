"""A Cloche whose objects are kept by a second one, through boto3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from tests.live_server import LiveServer

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, LiveServer]]:
    """The one in front and the one behind."""
    behind = LiveServer(tmp_path_factory.mktemp("behind")).start()
    root = behind.root
    key = f"{root['AccessKeyId']}:{quote(root['SecretAccessKey'], safe='')}"
    url = f"http://{key}@127.0.0.1:{behind.port}/front-"
    front = LiveServer(tmp_path_factory.mktemp("front"), object_store_url=url).start()
    yield front, behind
    front.stop()
    behind.stop()


@pytest.fixture
def s3(servers: tuple[LiveServer, LiveServer]) -> Any:
    return servers[0].client("s3")


@pytest.fixture
def bucket(s3: Any, request: pytest.FixtureRequest) -> str:
    name = request.node.name.replace("_", "-")
    s3.create_bucket(Bucket=name)
    return name


def test_objects(servers: tuple[LiveServer, LiveServer], s3: Any, bucket: str) -> None:
    s3.put_object(
        Bucket=bucket,
        Key="a/b",
        Body=b"body",
        ContentType="text/css",
        Metadata={"a": "b"},
        Tagging="x=1",
    )
    answer = s3.get_object(Bucket=bucket, Key="a/b", Range="bytes=1-2")
    assert (answer["Body"].read(), answer["ContentType"]) == (b"od", "text/css")
    assert answer["Metadata"] == {"a": "b"}
    kept = servers[1].client("s3").get_object(Bucket=f"front-{bucket}", Key="a/b")
    assert kept["Body"].read() == b"body"
    tags = {"TagSet": [{"Key": "y", "Value": "2"}]}
    s3.put_object_tagging(Bucket=bucket, Key="a/b", Tagging=tags)
    assert s3.get_object_tagging(Bucket=bucket, Key="a/b")["TagSet"] == tags["TagSet"]
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/a/b")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=bucket, Key="copy", IfNoneMatch="*")
    page = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [entry["Key"] for entry in page["Contents"]] == ["copy"]
    assert [entry["Prefix"] for entry in page["CommonPrefixes"]] == ["a/"]
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"body"
    for key in ("a/b", "copy"):
        s3.delete_object(Bucket=bucket, Key=key)
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="copy")
    s3.delete_bucket(Bucket=bucket)


def test_versions(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"null")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="key", Body=b"1")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="key")["VersionId"]
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="key")
    for version_id, body in ((first, b"1"), ("null", b"null")):
        answer = s3.get_object(Bucket=bucket, Key="key", VersionId=version_id)
        assert answer["Body"].read() == body
    page = s3.list_object_versions(Bucket=bucket)
    assert [entry["VersionId"] for entry in page["Versions"]] == [first, "null"]
    assert [entry["VersionId"] for entry in page["DeleteMarkers"]] == [marker]
    s3.delete_object(Bucket=bucket, Key="key", VersionId=marker)
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"1"


def test_multipart(s3: Any, bucket: str) -> None:
    place = {"Bucket": bucket, "Key": "key"}
    upload_id = s3.create_multipart_upload(**place, ContentType="text/css")["UploadId"]
    uploads = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [entry["UploadId"] for entry in uploads] == [upload_id]
    bodies = [b"a" * 5 * MIB, b"b"]
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(**place, UploadId=upload_id, PartNumber=number, Body=body)[
                "ETag"
            ],
        }
        for number, body in enumerate(bodies, 1)
    ]
    assert len(s3.list_parts(**place, UploadId=upload_id)["Parts"]) == 2
    made = s3.complete_multipart_upload(
        **place, UploadId=upload_id, MultipartUpload={"Parts": parts}
    )
    answer = s3.get_object(**place)
    assert answer["Body"].read() == b"".join(bodies)
    assert (answer["ETag"], answer["ContentType"]) == (made["ETag"], "text/css")
    assert answer["ETag"].endswith('-2"')
    upload_id = s3.create_multipart_upload(**place)["UploadId"]
    s3.abort_multipart_upload(**place, UploadId=upload_id)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
