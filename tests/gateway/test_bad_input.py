"""What broken and hostile clients send: AWS's error or a closed connection, and a living server."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import httpx
import pytest

from tests.gateway.hostile import Answer, Signer, exchange, read_answer
from tests.live_server import LiveServer

LOOK_UP = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"
BILLION_LAUGHS = (
    b'<!DOCTYPE lolz [<!ENTITY a "lol">'
    + b"".join(
        b'<!ENTITY %c "%s">' % (letter, (b"&%c;" % (letter - 1)) * 10)
        for letter in range(ord("b"), ord("k"))
    )
    + b"]>"
)
EXTERNAL = b'<!DOCTYPE x [<!ENTITY j SYSTEM "file:///etc/passwd">]>'
XML_BODIES = {
    "DeleteObjects": ("POST", "?delete=", b"<Delete><Object><Key>&j;</Key></Object></Delete>"),
    "CompleteMultipartUpload": (
        "POST",
        "/key?uploadId=none",
        b"<CompleteMultipartUpload><Part><ETag>&j;</ETag></Part></CompleteMultipartUpload>",
    ),
    "PutBucketTagging": (
        "PUT",
        "?tagging=",
        b"<Tagging><TagSet><Tag><Key>&j;</Key><Value/></Tag></TagSet></Tagging>",
    ),
}


@pytest.fixture
def signer(server: LiveServer) -> Signer:
    return Signer(server.endpoint_url, server.root)


@pytest.fixture
def bucket(server: LiveServer) -> str:
    name = f"bad-{uuid4().hex}"
    server.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture(autouse=True)
def still_serves(server: LiveServer) -> Iterator[None]:
    """Whatever a test did: the server answers the next client."""
    yield
    assert server.client("sts").get_caller_identity()["Account"] == server.root["AccountId"]


# Bodies


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[1, 2",
        b'{"Limit": }',
        b"\xff\xfe\x00",
        b'{"Limit": 1e999999}',
        b'{"a": "\\ud800"',
        b"nonsense",
        b'"a string"',
        b"[]",
        b'{"Trail": NaN}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
    ],
    ids=lambda body: body[:12].decode("latin-1"),
)
def test_malformed_json(server: LiveServer, signer: Signer, body: bytes) -> None:
    answer = signer.send(
        "POST",
        "/",
        body,
        service="cloudtrail",
        headers={
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": LOOK_UP,
        },
    )
    assert answer.status_code == 400, answer.text
    assert "SerializationException" in answer.json()["__type"]


@pytest.mark.parametrize("operation", XML_BODIES)
@pytest.mark.parametrize("prologue", [BILLION_LAUGHS, EXTERNAL], ids=["billion", "external"])
def test_xml_with_entities(signer: Signer, bucket: str, operation: str, prologue: bytes) -> None:
    method, path, document = XML_BODIES[operation]
    started = perf_counter()

    answer = signer.send(method, f"/{bucket}{path}", prologue + document)

    assert perf_counter() - started < 2
    assert answer.status_code == 400, answer.text
    assert "<Code>MalformedXML</Code>" in answer.text
    assert "root:" not in answer.text


@pytest.mark.parametrize("operation", XML_BODIES)
@pytest.mark.parametrize(
    "document",
    [
        b"<Delete",
        b"<a>" * 100_000,
        b"<a>" * 50_000 + b"</a>" * 50_000,
        b"\x00\x01\x02",
        b"<a xmlns:b='c'><b:d/></e></a>",
        b'{"json": true}',
    ],
    ids=["cut", "open", "deep", "binary", "crossed", "json"],
)
def test_malformed_xml(signer: Signer, bucket: str, operation: str, document: bytes) -> None:
    method, path, _ = XML_BODIES[operation]
    answer = signer.send(method, f"/{bucket}{path}", document)
    assert answer.status_code == 400, answer.text
    assert "<Code>MalformedXML</Code>" in answer.text


@pytest.mark.parametrize("coding", ["gzip", "br", "no-such-coding"])
def test_unknown_content_encoding_is_the_objects_own(
    server: LiveServer, signer: Signer, bucket: str, coding: str
) -> None:
    sent = signer.send("PUT", f"/{bucket}/coded", b"\x00raw", headers={"content-encoding": coding})
    assert sent.status_code == 200, sent.text
    answer = server.client("s3").get_object(Bucket=bucket, Key="coded")
    assert answer["ContentEncoding"] == coding
    assert answer["Body"].read() == b"\x00raw"


@pytest.mark.parametrize("coding", ["gzip", "br", "no-such-coding"])
def test_unknown_content_encoding_of_a_call(signer: Signer, coding: str) -> None:
    answer = signer.send(
        "POST",
        "/",
        b"\x1f\x8bnot really",
        service="cloudtrail",
        headers={
            "content-type": "application/x-amz-json-1.1",
            "content-encoding": coding,
            "x-amz-target": LOOK_UP,
        },
    )
    assert 400 <= answer.status_code < 500, answer.text


@pytest.mark.parametrize("coding", [b"gzip", b"gzip, chunked", b"chunked, chunked", b"x" * 1_000])
def test_unknown_transfer_encoding(server: LiveServer, coding: bytes) -> None:
    head = b"PUT /b/k HTTP/1.1\r\nhost: a\r\ntransfer-encoding: " + coding + b"\r\n\r\n"
    answer = exchange(server.port, head + b"5\r\nabcde\r\n0\r\n\r\n")
    assert answer.status in (0, 400, 501)
    assert answer.is_closed


# Lengths


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_body_shorter_than_announced(
    server: LiveServer, signer: Signer, bucket: str, method: str
) -> None:
    path = f"/{bucket}/short" + ("?tagging=" if method == "POST" else "")
    head = signer.head(method, path, b"twelve bytes", {"content-length": "1000"})
    answer = exchange(server.port, head + b"twelve bytes", finish=True)
    assert answer.status in (0, 400, 403, 405)
    assert server.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_body_longer_than_announced(server: LiveServer, signer: Signer, bucket: str) -> None:
    keep = {"content-length": "5", "connection": "keep-alive"}
    head = signer.head("PUT", f"/{bucket}/long", b"five!", keep)
    answer = exchange(server.port, head + b"five!" + b" and what is no request\r\n\r\n")
    assert answer.status == 200
    assert answer.is_closed
    assert server.client("s3").get_object(Bucket=bucket, Key="long")["Body"].read() == b"five!"


@pytest.mark.parametrize(
    "lengths",
    [
        [b"-1"],
        [b"five"],
        [b"5, 6"],
        [b"5", b"6"],
        [b"99999999999999999999999"],
        [b"0x10"],
        [b"+5"],
        [b""],
    ],
    ids=repr,
)
def test_content_length_that_is_none(server: LiveServer, lengths: list[bytes]) -> None:
    lines = b"".join(b"content-length: " + length + b"\r\n" for length in lengths)
    answer = exchange(server.port, b"PUT /b/k HTTP/1.1\r\nhost: a\r\n" + lines + b"\r\nabcdef")
    assert answer.status in (0, 400)
    assert answer.is_closed


def test_length_and_chunks_together(server: LiveServer) -> None:
    head = (
        b"PUT /b/k HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    answer = exchange(server.port, head + b"0\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n")
    assert answer.status in (0, 400)
    assert answer.is_closed


def test_trailers_are_no_part_of_a_presigned_request(
    server: LiveServer, signer: Signer, bucket: str
) -> None:
    s3 = server.client("s3")
    target = signer.presigned("POST", f"/{bucket}/traded?uploads=")
    head = f"POST {target} HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\n"
    trailers = b"x-amz-acl: public-read\r\nx-amz-meta-evil: yes\r\n"
    answer = exchange(
        server.port,
        head.encode() + b"transfer-encoding: chunked\r\n\r\n0\r\n" + trailers + b"\r\n",
    )
    assert answer.status == 200, answer
    upload = s3.list_multipart_uploads(Bucket=bucket)["Uploads"][0]["UploadId"]
    place = {"Bucket": bucket, "Key": "traded", "UploadId": upload}
    part = {"PartNumber": 1, "ETag": s3.upload_part(**place, PartNumber=1, Body=b"hi")["ETag"]}
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": [part]})
    assert s3.head_object(Bucket=bucket, Key="traded")["Metadata"] == {}
    assert len(s3.get_object_acl(Bucket=bucket, Key="traded")["Grants"]) == 1


# Heads


@pytest.mark.parametrize("is_one_header", [True, False])
def test_hundred_megabytes_of_headers(server: LiveServer, is_one_header: bool) -> None:
    piece = b"x" * 99_998 if is_one_header else b"\r\n".join([b"a: " + b"x" * 95] * 1_000)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        sent = client.send(b"GET / HTTP/1.1\r\nhost: a\r\nlong: ")
        try:
            while sent < 100_000_000:
                client.sendall(piece + (b"" if is_one_header else b"\r\n"))
                sent += len(piece)
            answer = read_answer(client)
        except OSError:
            answer = Answer(0, b"", True)
    assert sent < 20_000_000  # what the sockets' buffers take before the server's end is felt
    assert answer.status in (0, 431)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"GET / HTTP/1.1\r\nhost: a\r\n no: continuation\r\n\r\n",
        b"GET / HTTP/1.1\r\nna me: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nname: a\x00b\r\n\r\n",
        b"BREW / HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /%zz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"CONNECT a:80 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: \xff\xfe\xfd\r\nconnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nauthorization: \xff\xfe\r\nconnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(range(256)) * 10,
    ],
    ids=lambda head: repr(head[:30]),
)
def test_heads_that_are_none(server: LiveServer, head: bytes) -> None:
    answer = exchange(server.port, head)
    assert answer.is_closed
    assert answer.status < 500


# Keys


@pytest.mark.parametrize(
    "raw_key",
    [
        "../../etc/passwd",
        "..%2f..%2f..%2fescaped",
        "%2e%2e%2f%2e%2e%2fescaped",
        "%2e%2e/%2e%2e/escaped",
        "/etc/escaped",
        "%2fetc%2fescaped",
        "a/../../../escaped",
        "./.",
        "..",
        "a//b///",
        "C:%5Cescaped",
        "~root/escaped",
        "%0d%0aescaped:%20yes",
        "%F0%9F%98%80",
        "%c0%ae%c0%ae/escaped",
        "x" * 1024,
        "a%00/../escaped",
        "%00",
    ],
)
def test_keys_are_names_and_no_paths(
    server: LiveServer, signer: Signer, bucket: str, raw_key: str
) -> None:
    s3, data = server.client("s3"), server.settings.data_directory
    around = set(data.parent.iterdir())
    head = signer.head("PUT", f"/{bucket}/{raw_key}", b"content", {"content-length": "7"})

    answer = exchange(server.port, head + b"content")

    assert answer.status in (200, 400), answer
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    assert len(listed) == (answer.status == 200)
    for each in listed:
        assert each["Key"] == unquote(raw_key)
        assert s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() == b"content"
    assert {path for path in data.parent.iterdir() if path.is_dir()} <= around
    assert not [path for path in data.rglob("*") if path.name in ("escaped", "passwd")]
    assert not Path("/etc/escaped").exists()


@pytest.mark.parametrize("raw_key", ["%ff%fe", "x" * 1025])
def test_keys_that_cannot_be(server: LiveServer, signer: Signer, bucket: str, raw_key: str) -> None:
    head = signer.head("PUT", f"/{bucket}/{raw_key}", b"content", {"content-length": "7"})
    answer = exchange(server.port, head + b"content")
    assert answer.status == 400, answer
    assert server.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("path", ["/..", "/../..", "/%2e%2e/key", "/..%2f..%2fetc", "/%00/key"])
def test_buckets_that_cannot_be(server: LiveServer, signer: Signer, path: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = exchange(server.port, signer.head(method, path, b"", {"content-length": "0"}))
        assert 400 <= answer.status < 500, (method, answer)


# Slow clients and many


def test_client_of_one_byte_at_a_time_holds_nobody_up(
    server: LiveServer, signer: Signer, bucket: str
) -> None:
    request = signer.head("PUT", f"/{bucket}/slow", b"slowly", {"content-length": "6"}) + b"slowly"
    sts, slowest = server.client("sts"), 0.0
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for index in range(len(request)):
            client.sendall(request[index : index + 1])
            if index % 10 == 0:  # whatever the byte is, another client is answered meanwhile
                started = perf_counter()
                sts.get_caller_identity()
                slowest = max(slowest, perf_counter() - started)
        answer = read_answer(client)
    assert answer.status == 200
    assert slowest < 2
    assert server.client("s3").get_object(Bucket=bucket, Key="slow")["Body"].read() == b"slowly"


def test_client_that_reads_slowly_holds_nobody_up(
    server: LiveServer, signer: Signer, bucket: str
) -> None:
    size_bytes = 8 * 1024 * 1024
    server.client("s3").put_object(Bucket=bucket, Key="big", Body=bytes(size_bytes))
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(20)
        client.connect(("127.0.0.1", server.port))
        client.sendall(signer.head("GET", f"/{bucket}/big", b"", {}))
        received = 0
        for _ in range(50):
            received += len(client.recv(100))
            server.client("sts").get_caller_identity()
        assert received
        while received < size_bytes and (chunk := client.recv(1 << 20)):
            received += len(chunk)
    assert received >= size_bytes


def test_administration_bears_nonsense(server: LiveServer) -> None:
    paths = ["", "/", "/..", "/clock", "/clock/x", "/accounts", "/%00", "/%ff"]
    with httpx.Client(base_url=server.endpoint_url) as client:
        for path in [f"/_cloche{path}" for path in paths] + ["/health/x", "/metrics/x"]:
            for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
                answer = client.request(method, path, content=b"\xff{")
                assert answer.status_code < 500, (method, path, answer.text)


def test_json_answers_are_json(signer: Signer) -> None:
    answer = signer.send(
        "POST",
        "/",
        json.dumps({"MaxResults": "many"}).encode(),
        service="cloudtrail",
        headers={
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": LOOK_UP,
        },
    )
    result: dict[str, Any] = answer.json()
    assert answer.status_code == 400
    assert "SerializationException" in result["__type"]
