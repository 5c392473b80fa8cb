"""boto3 at work: threads, transfers, presigned URLs, paginators, waiters, resources, roles."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from tests.live_server import CONFIG, LiveServer

MIB = 1024 * 1024


@pytest.fixture
def s3(server: LiveServer) -> Any:
    return server.client("s3", max_pool_connections=32)


def test_sixteen_threads_share_a_client(s3: Any, bucket: str) -> None:
    def work(thread: int) -> None:
        for number in range(10):
            key = f"{thread:02}/{number}"
            body = os.urandom(1_000 * number + thread)
            etag = s3.put_object(Bucket=bucket, Key=key, Body=body)["ETag"]
            answer = s3.get_object(Bucket=bucket, Key=key)
            assert answer["Body"].read() == body
            assert answer["ETag"] == etag
            listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{thread:02}/")
            assert listed["KeyCount"] == number + 1

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))

    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 160


def test_file_goes_up_and_down_in_parts(s3: Any, bucket: str, tables: Path, tmp_path: Path) -> None:
    source = tables / "flights.csv"
    assert source.stat().st_size > 20 * MIB
    config = TransferConfig(
        multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=8
    )
    seen: list[int] = []

    s3.upload_file(str(source), bucket, "flights.csv", Config=config, Callback=seen.append)
    s3.download_file(bucket, "flights.csv", str(tmp_path / "flights.csv"), Config=config)

    parts = -(-source.stat().st_size // (5 * MIB))
    assert sum(seen) == source.stat().st_size
    assert s3.head_object(Bucket=bucket, Key="flights.csv")["ETag"].endswith(f'-{parts}"')
    assert digest(tmp_path / "flights.csv") == digest(source)


def test_file_object_without_a_length(s3: Any, bucket: str, tables: Path) -> None:
    content = (tables / "planes.csv").read_bytes()
    into = BytesIO()

    s3.upload_fileobj(BytesIO(content), bucket, "planes.csv")
    s3.download_fileobj(bucket, "planes.csv", into)

    assert into.getvalue() == content


def test_presigned_urls(server: LiveServer, bucket: str) -> None:
    s3 = server.client("s3", signature_version="s3v4")
    place = {"Bucket": bucket, "Key": "a folder/ünï+code & more.txt"}
    put = s3.generate_presigned_url("put_object", Params={**place, "ContentType": "text/plain"})
    get = s3.generate_presigned_url(
        "get_object", Params={**place, "ResponseContentDisposition": "attachment"}
    )

    sent = httpx.put(put, content=b"through a link", headers={"content-type": "text/plain"})
    assert sent.status_code == 200, sent.text
    answer = httpx.get(get)

    assert answer.content == b"through a link"
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["content-disposition"] == "attachment"
    assert httpx.get(get.replace("attachment", "inline")).status_code == 403
    assert httpx.get(get, headers={"range": "bytes=8-"}).text == "a link"


def test_expired_link_is_refused(fresh_server: LiveServer) -> None:
    s3 = fresh_server.client("s3", signature_version="s3v4")
    s3.create_bucket(Bucket="links")
    s3.put_object(Bucket="links", Key="a", Body=b"a")
    place = {"Bucket": "links", "Key": "a"}
    link = s3.generate_presigned_url("get_object", Params=place, ExpiresIn=60)
    assert httpx.get(link).status_code == 200

    fresh_server.advance(61)

    refused = httpx.get(link)
    assert refused.status_code == 403
    assert "Request has expired" in refused.text


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
def test_paginators(s3: Any, bucket: str, operation: str) -> None:
    keys = [f"{letter}/{number:02}" for letter in "abc" for number in range(7)]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    paginator = s3.get_paginator(operation)

    pages = list(paginator.paginate(Bucket=bucket, PaginationConfig={"PageSize": 4}))
    folders = paginator.paginate(
        Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1}
    ).search("CommonPrefixes[].Prefix")

    assert [len(page["Contents"]) for page in pages] == [4, 4, 4, 4, 4, 1]
    assert [each["Key"] for page in pages for each in page["Contents"]] == keys
    assert [folder for folder in folders if folder] == ["a/", "b/", "c/"]


def test_waiters(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="there", Body=b"1")
    s3.get_waiter("bucket_exists").wait(Bucket=bucket)
    s3.get_waiter("object_exists").wait(Bucket=bucket, Key="there")
    s3.delete_object(Bucket=bucket, Key="there")
    s3.get_waiter("object_not_exists").wait(Bucket=bucket, Key="there")
    s3.delete_bucket(Bucket=bucket)
    s3.get_waiter("bucket_not_exists").wait(Bucket=bucket)


def test_resources(server: LiveServer, bucket: str, tables: Path) -> None:
    resource = boto3.session.Session().resource(
        "s3",
        endpoint_url=server.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=server.root["AccessKeyId"],
        aws_secret_access_key=server.root["SecretAccessKey"],
        config=CONFIG,
    )
    place = resource.Bucket(bucket)
    for table in ("airlines", "airports"):
        place.Object(f"tables/{table}.csv").upload_file(str(tables / f"{table}.csv"))
    place.put_object(Key="other", Body=b"", Metadata={"made-by": "a test"})

    assert bucket in {each.name for each in resource.buckets.all()}
    assert place.Object("other").metadata == {"made-by": "a test"}
    summaries = list(place.objects.filter(Prefix="tables/"))
    assert [each.key for each in summaries] == ["tables/airlines.csv", "tables/airports.csv"]
    assert summaries[0].size == (tables / "airlines.csv").stat().st_size
    copy = place.Object("copy")
    copy.copy({"Bucket": bucket, "Key": "tables/airlines.csv"})
    assert copy.get()["Body"].read() == (tables / "airlines.csv").read_bytes()
    place.objects.all().delete()
    assert list(place.objects.all()) == []


def test_assumed_role_reaches_what_its_policy_allows(server: LiveServer, bucket: str) -> None:
    iam, name = server.client("iam"), f"reader-{bucket[-12:]}"
    trust = statement("sts:AssumeRole", Principal={"AWS": server.root["AccountId"]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]
    reading = statement(["s3:GetObject"], Resource=f"arn:aws:s3:::{bucket}/open/*")
    iam.put_role_policy(RoleName=name, PolicyName="reading", PolicyDocument=reading)
    # Root may not assume roles; a user of its may.
    iam.create_user(UserName=name)
    assuming = statement("sts:AssumeRole", Resource=role["Arn"])
    iam.put_user_policy(UserName=name, PolicyName="assuming", PolicyDocument=assuming)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    s3 = server.client("s3")
    for path in ("open/a", "closed/a"):
        s3.put_object(Bucket=bucket, Key=path, Body=path.encode())

    sts = server.client("sts", key)
    temporary = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="reads")["Credentials"]
    as_role = server.client("s3", temporary)

    identity = server.client("sts", temporary).get_caller_identity()
    assert identity["Arn"].endswith(f":assumed-role/{name}/reads")
    assert as_role.get_object(Bucket=bucket, Key="open/a")["Body"].read() == b"open/a"
    for attempt in (
        lambda: as_role.get_object(Bucket=bucket, Key="closed/a"),
        lambda: as_role.put_object(Bucket=bucket, Key="open/b", Body=b""),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            attempt()


def test_body_is_read_in_chunks(s3: Any, bucket: str) -> None:
    content = os.urandom(3 * MIB + 17)
    s3.put_object(Bucket=bucket, Key="streamed", Body=content)

    body = s3.get_object(Bucket=bucket, Key="streamed")["Body"]
    chunks = list(body.iter_chunks(100_000))

    assert b"".join(chunks) == content
    assert {len(chunk) for chunk in chunks[:-1]} == {100_000}
    lines = s3.get_object(Bucket=bucket, Key="streamed", Range="bytes=5-104")["Body"]
    assert lines.read() == content[5:105]


def test_left_body_does_not_harm_the_pool(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="big", Body=bytes(8 * MIB))
    for _ in range(5):
        body = s3.get_object(Bucket=bucket, Key="big")["Body"]
        assert len(body.read(10)) == 10
        body.close()
    assert s3.head_object(Bucket=bucket, Key="big")["ContentLength"] == 8 * MIB


def test_bodies_are_announced(server: LiveServer, bucket: str) -> None:
    s3 = server.client("s3", tcp_keepalive=True)
    sent: list[Any] = []
    s3.meta.events.register(
        "before-send.s3.PutObject", lambda request, **_: sent.append(request.headers["Expect"])
    )

    s3.put_object(Bucket=bucket, Key="expected", Body=b"said to be coming")

    assert sent in ([b"100-continue"], ["100-continue"])
    assert s3.get_object(Bucket=bucket, Key="expected")["Body"].read() == b"said to be coming"


def test_server_says_continue_before_the_body_comes(server: LiveServer, bucket: str) -> None:
    s3 = server.client("s3", signature_version="s3v4")
    url = urlsplit(
        s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "asked"})
    )
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.putrequest("PUT", f"{url.path}?{url.query}", skip_host=True)
    connection.putheader("Host", url.netloc)
    connection.putheader("Content-Length", "5")
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    assert connection.sock.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    connection.send(b"asked")
    assert connection.getresponse().status == 200
    connection.close()
    assert s3.get_object(Bucket=bucket, Key="asked")["Body"].read() == b"asked"


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def statement(action: str | list[str], **more: Any) -> str:
    one = {"Effect": "Allow", "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [one]})
