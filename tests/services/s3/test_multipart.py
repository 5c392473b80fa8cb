from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.live_server import LiveServer
from tests.services.s3.expectations import refused

FIVE_MEBIBYTES = 5 * 1024 * 1024
BODIES = {1: b"a" * FIVE_MEBIBYTES, 3: b"b" * 10}


def begin(s3: Any, bucket: str, **members: Any) -> dict[str, Any]:
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="key", **members)["UploadId"]
    return {"Bucket": bucket, "Key": "key", "UploadId": upload_id}


def send(s3: Any, upload: dict[str, Any], number: int, body: bytes) -> dict[str, Any]:
    part = s3.upload_part(**upload, PartNumber=number, Body=body)
    return {"PartNumber": number, "ETag": part["ETag"]}


def finish(s3: Any, upload: dict[str, Any], parts: list[dict[str, Any]], **members: Any) -> Any:
    return s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **members)


def test_makes_an_object_of_parts(s3: Any, bucket: str) -> None:
    upload = begin(s3, bucket, Metadata={"a": "b"}, ContentType="x/y", Tagging="t=1")
    parts = [send(s3, upload, number, body) for number, body in BODIES.items()]
    listed = s3.list_parts(**upload, MaxParts=1)
    assert (listed["IsTruncated"], listed["NextPartNumberMarker"]) == (True, 1)
    rest = s3.list_parts(**upload, PartNumberMarker=1)
    assert [part["PartNumber"] for part in rest["Parts"]] == [3]
    uploads = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [each["UploadId"] for each in uploads] == [upload["UploadId"]]
    made = finish(s3, upload, parts, MpuObjectSize=FIVE_MEBIBYTES + 10)
    assert made["ETag"].endswith('-2"')
    assert finish(s3, upload, parts)["ETag"] == made["ETag"]
    found = s3.get_object(Bucket=bucket, Key="key")
    assert found["Body"].read() == b"".join(BODIES.values())
    assert (found["Metadata"], found["ContentType"], found["TagCount"]) == ({"a": "b"}, "x/y", 1)
    part = s3.get_object(Bucket=bucket, Key="key", PartNumber=2)
    assert (part["Body"].read(), part["PartsCount"]) == (BODIES[3], 2)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_refuses_parts_that_do_not_fit(s3: Any, bucket: str) -> None:
    upload = begin(s3, bucket)
    small = [send(s3, upload, number, b"x") for number in (1, 2)]
    with refused("EntityTooSmall", 400):
        finish(s3, upload, small)
    with refused("InvalidPartOrder", 400):
        finish(s3, upload, small[::-1])
    with refused("InvalidPart", 400):
        finish(s3, upload, [{"PartNumber": 9, "ETag": small[0]["ETag"]}])
    with refused("InvalidPart", 400):
        finish(s3, upload, [{"PartNumber": 1, "ETag": "other"}])
    with refused("MalformedXML", 400):
        finish(s3, upload, [])
    with refused("InvalidRequest", 400):
        finish(s3, upload, small[:1], MpuObjectSize=2)
    for number in (0, 10_001):
        with refused("InvalidArgument", 400):
            send(s3, upload, number, b"x")
    finish(s3, upload, small[:1])


def test_aborts(s3: Any, bucket: str) -> None:
    upload = begin(s3, bucket)
    part = send(s3, upload, 1, b"x")
    s3.abort_multipart_upload(**upload)
    with refused("NoSuchUpload", 404):
        s3.abort_multipart_upload(**upload)
    with refused("NoSuchUpload", 404):
        send(s3, upload, 1, b"x")
    with refused("NoSuchUpload", 404):
        finish(s3, upload, [part])


def test_says_who_begins(s3: Any, bucket: str, stranger: Any, server: LiveServer) -> None:
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    iam = server.client("iam")
    name = f"user-{uuid4().hex[:12]}"
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    key = iam.create_access_key(UserName=name)["AccessKey"]
    for client in (s3, stranger, server.client("s3", key)):
        begin(client, bucket)
    me, other = (client.list_buckets()["Owner"] for client in (s3, stranger))
    said = [
        (upload["Initiator"], upload["Owner"])
        for upload in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    ]
    assert said == [(me, me), (other, other), ({"ID": arn, "DisplayName": name}, me)]


def test_copies_parts(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    upload = begin(s3, bucket)
    source = {"Bucket": bucket, "Key": "source"}
    copied = s3.upload_part_copy(
        **upload, PartNumber=1, CopySource=source, CopySourceRange="bytes=2-5"
    )
    with refused("InvalidArgument", 400):
        s3.upload_part_copy(**upload, PartNumber=2, CopySource=source, CopySourceRange="bytes=2-50")
    finish(s3, upload, [{"PartNumber": 1, "ETag": copied["CopyPartResult"]["ETag"]}])
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"2345"


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [
        ("CRC32", "FULL_OBJECT"),
        ("CRC32", "COMPOSITE"),
        ("CRC32C", "FULL_OBJECT"),
        ("CRC64NVME", "FULL_OBJECT"),
        ("SHA256", "COMPOSITE"),
    ],
)
def test_checksums_of_the_whole(s3: Any, bucket: str, algorithm: str, kind: str) -> None:
    member = f"Checksum{algorithm}"
    upload = begin(s3, bucket, ChecksumAlgorithm=algorithm, ChecksumType=kind)
    parts: list[dict[str, Any]] = []
    for number, body in BODIES.items():
        sent = s3.upload_part(**upload, PartNumber=number, Body=body, ChecksumAlgorithm=algorithm)
        parts.append({"PartNumber": number, "ETag": sent["ETag"], member: sent[member]})
    made = finish(s3, upload, parts)
    assert made["ChecksumType"] == kind
    if kind == "COMPOSITE":
        assert made[member].endswith("-2")
        return
    whole = s3.put_object(
        Bucket=bucket, Key="whole", Body=b"".join(BODIES.values()), ChecksumAlgorithm=algorithm
    )
    assert made[member] == whole[member]


def test_refuses_checksums_that_do_not_fit(s3: Any, bucket: str) -> None:
    with refused("InvalidRequest", 400):
        begin(s3, bucket, ChecksumAlgorithm="SHA256", ChecksumType="FULL_OBJECT")
    upload = begin(s3, bucket, ChecksumAlgorithm="SHA256")
    with refused("InvalidRequest", 400):
        s3.upload_part(**upload, PartNumber=1, Body=b"x", ChecksumAlgorithm="SHA1")
