"""boto3 with `signature_version="s3"`: Signature Version 2 in the `Authorization` header."""

from __future__ import annotations

from collections.abc import Iterator
from email.header import decode_header, make_header
from typing import Any

import boto3
import httpx
import pytest
from botocore.auth import HmacV1Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.live_server import LiveServer

KEY = "a key/é+%~ü"
METADATA = {"colour": "red, green", "spaces": "a  b", "word": "=?utf-8?b?R3LDvMOfZQ==?="}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    server = LiveServer(tmp_path_factory.mktemp("version-2")).start()
    yield server
    server.stop()


def client(live: LiveServer, style: str, keys: dict[str, str] | None = None) -> Any:
    keys = keys or live.root
    host = "s3.localhost" if style == "virtual" else "127.0.0.1"
    made = boto3.session.Session().client(
        "s3",
        endpoint_url=f"http://{host}:{live.port}",
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"),
        config=Config(
            signature_version="s3",
            s3={"addressing_style": style},
            retries={"max_attempts": 0},
        ),
    )

    def to_loopback(request: Any, **_: Any) -> None:
        """Send to the loopback address what names a bucket in the host."""
        authorization = request.headers["Authorization"]
        assert not isinstance(authorization, bytes) or authorization.startswith(b"AWS ")
        host = request.url.split("/")[2]
        request.headers["Host"] = host
        request.url = request.url.replace(host, f"127.0.0.1:{live.port}", 1)

    made.meta.events.register("before-send.s3", to_loopback)
    return made


@pytest.fixture(params=["path", "virtual"])
def s3(request: pytest.FixtureRequest, live: LiveServer) -> Any:
    return client(live, request.param)


@pytest.fixture
def bucket(request: pytest.FixtureRequest, s3: Any) -> str:
    name = "v2-" + "".join(filter(str.isalnum, request.node.name.lower()))[:50]
    s3.create_bucket(Bucket=name)
    return name


def test_put_get_copy_list_and_delete(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"body", ContentType="text/plain", Metadata=METADATA)
    answer = s3.get_object(Bucket=bucket, Key=KEY, ResponseContentType="text/css; a=b c")
    assert (answer["Body"].read(), answer["ContentType"]) == (b"body", "text/css; a=b c")
    assert answer["Metadata"] == METADATA
    s3.copy_object(
        Bucket=bucket,
        Key="copy",
        CopySource={"Bucket": bucket, "Key": KEY},
        ACL="public-read",
        MetadataDirective="REPLACE",
        Metadata={"a": "b"},
    )
    assert s3.head_object(Bucket=bucket, Key="copy")["Metadata"] == {"a": "b"}
    listing = s3.list_objects_v2(Bucket=bucket, Prefix="a key/", MaxKeys=10)
    assert [item["Key"] for item in listing["Contents"]] == [KEY]
    assert [item["Key"] for item in s3.list_objects(Bucket=bucket)["Contents"]] == [KEY, "copy"]
    assert bucket in [item["Name"] for item in s3.list_buckets()["Buckets"]]
    s3.head_bucket(Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="copy")
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": KEY}]})
    assert [item["Key"] for item in deleted["Deleted"]] == [KEY]
    s3.delete_bucket(Bucket=bucket)


def test_metadata_beyond_ascii(live: LiveServer, s3: Any, bucket: str) -> None:
    request = AWSRequest("PUT", f"{live.endpoint_url}/{bucket}/key", {"x-amz-meta-a": "Grüße"})
    keys = Credentials(live.root["AccessKeyId"], live.root["SecretAccessKey"])
    HmacV1Auth(keys).add_auth(request)
    headers = {name: value.encode() for name, value in request.headers.items()}
    answer = httpx.put(str(request.url), headers=headers, content=b"body")
    assert answer.status_code == 200
    metadata = s3.head_object(Bucket=bucket, Key="key")["Metadata"]
    assert str(make_header(decode_header(metadata["a"]))) == "Grüße"


def test_multipart(s3: Any, bucket: str) -> None:
    place = {"Bucket": bucket, "Key": KEY}
    upload = s3.create_multipart_upload(**place, Metadata=METADATA)["UploadId"]
    size = 5 * 1024 * 1024
    parts = [
        s3.upload_part(**place, UploadId=upload, PartNumber=number, Body=content)["ETag"]
        for number, content in ((1, b"a" * size), (2, b"b"))
    ]
    assert len(s3.list_parts(**place, UploadId=upload)["Parts"]) == 2
    assert [item["Key"] for item in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [KEY]
    listed = [{"ETag": etag, "PartNumber": number} for number, etag in enumerate(parts, 1)]
    s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": listed})
    assert s3.get_object(**place, Range=f"bytes={size - 1}-")["Body"].read() == b"ab"
    upload = s3.create_multipart_upload(**place)["UploadId"]
    s3.abort_multipart_upload(**place, UploadId=upload)


def test_subresources(s3: Any, bucket: str) -> None:
    place = {"Bucket": bucket, "Key": KEY}
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    first = s3.put_object(**place, Body=b"1")["VersionId"]
    s3.put_object(**place, Body=b"2", Tagging="a=b&c=d%20e")
    assert s3.get_object(**place, VersionId=first)["Body"].read() == b"1"
    assert len(s3.list_object_versions(Bucket=bucket)["Versions"]) == 2
    s3.put_object_tagging(**place, Tagging={"TagSet": [{"Key": "é", "Value": "ü"}]})
    assert s3.get_object_tagging(**place)["TagSet"] == [{"Key": "é", "Value": "ü"}]
    s3.put_object_acl(**place, ACL="private")
    assert s3.get_object_acl(**place)["Owner"]
    assert s3.get_bucket_acl(Bucket=bucket)["Owner"]
    assert "LocationConstraint" in s3.get_bucket_location(Bucket=bucket)
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule]
    policy = '{"Version":"2012-10-17","Statement":[]}'
    with pytest.raises(ClientError) as caught:
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert caught.value.response["Error"]["Code"] == "MalformedPolicy"


def refusal(call: Any, **parameters: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("x-amz-date", "Bad Date", (403, "AccessDenied")),
        ("x-amz-date", "", (403, "AccessDenied")),
        ("x-amz-date", "Tue, 07 Jul 1950 21:53:04 GMT", (403, "AccessDenied")),
        ("x-amz-date", "Tue, 07 Jul 2010 21:53:04 GMT", (403, "RequestTimeTooSkewed")),
        ("x-amz-date", "Tue, 07 Jul 2030 21:53:04 GMT", (403, "RequestTimeTooSkewed")),
        ("x-amz-date", "Tue, 07 Jul 9999 21:53:04 GMT", (403, "RequestTimeTooSkewed")),
        ("Content-MD5", "AWS HAHAHA", (400, "InvalidDigest")),
    ],
)
def test_what_a_client_may_get_wrong(
    s3: Any, bucket: str, name: str, value: str, expected: tuple[int, str]
) -> None:
    def add_header(params: dict[str, Any], **_: Any) -> None:
        params["headers"][name] = value

    s3.meta.events.register("before-call.s3.PutObject", add_header)
    s3.meta.events.register("before-call.s3.CreateBucket", add_header)
    assert refusal(s3.put_object, Bucket=bucket, Key="key", Body=b"bar") == expected
    if name == "x-amz-date":
        assert refusal(s3.create_bucket, Bucket=f"{bucket}-2") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("AWS HAHAHA", (400, "InvalidArgument")),
        ("AWS AKIAIOSFODNN7EXAMPLE:FWeDfwojDSdS2Ztmpfeubhd9isU=", (403, "InvalidAccessKeyId")),
        ("", (403, "AccessDenied")),
    ],
)
def test_authorizations_that_are_none(
    live: LiveServer, s3: Any, bucket: str, value: str, expected: tuple[int, str]
) -> None:
    def replace_header(request: Any, **_: Any) -> None:
        request.headers["Authorization"] = value

    s3.meta.events.register_last("before-send.s3.PutObject", replace_header)
    assert refusal(s3.put_object, Bucket=bucket, Key="key", Body=b"bar") == expected


def test_wrong_secrets_and_temporary_keys(live: LiveServer) -> None:
    wrong = client(live, "path", live.root | {"SecretAccessKey": "another"})
    assert refusal(wrong.list_buckets) == (403, "SignatureDoesNotMatch")
    keys = live.client("sts").get_session_token()["Credentials"]
    assert "Buckets" in client(live, "path", keys).list_buckets()
    error = refusal(client(live, "path", keys | {"SessionToken": "another"}).list_buckets)
    assert error == (400, "InvalidToken")
