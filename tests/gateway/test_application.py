"""Requests through the whole gateway, by real clients and by hand."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
from contextlib import closing

import httpx
import pytest
from botocore.auth import S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from cloche.engines.audit.sqlite import SQLiteEventStore
from tests.live_server import LiveServer


def test_get_caller_identity(server: LiveServer) -> None:
    answer = server.client("sts").get_caller_identity()
    assert answer["Arn"] == f"arn:aws:iam::{answer['Account']}:root"


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("cloudwatch", "list_metrics"),
        ("kinesis", "list_streams"),
        ("lambda", "list_functions"),
        ("ec2", "describe_instances"),
        ("route53", "list_hosted_zones"),
        ("sns", "list_topics"),
    ],
)
def test_what_is_not_built_says_so(server: LiveServer, service: str, operation: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(server.client(service), operation)()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert caught.value.response["Error"]["Code"] == "NotImplementedException"
    assert service in caught.value.response["Error"]["Message"]


def test_unsigned_request_is_refused(server: LiveServer) -> None:
    answer = httpx.post(
        server.endpoint_url,
        headers={"x-amz-target": "AmazonAthena.ListWorkGroups"},
        content=b"{}",
    )
    assert answer.status_code in (400, 403)
    assert "MissingAuthenticationToken" in answer.json()["__type"]


def test_health_and_metrics_are_open(server: LiveServer) -> None:
    server.client("sts").get_caller_identity()
    assert httpx.get(f"{server.endpoint_url}/health").json()["status"] == "ok"
    metrics = httpx.get(f"{server.endpoint_url}/metrics").text
    assert 'cloche_request_seconds_count{operation="GetCallerIdentity",service="sts"}' in metrics


def test_request_ids_match_the_log(fresh_server: LiveServer) -> None:
    answer = fresh_server.client("sts").get_caller_identity()
    fresh_server.runtime.request_log.flush()
    lines = [json.loads(line) for line in fresh_server.log.getvalue().splitlines()]
    assert [line["request_id"] for line in lines] == [answer["ResponseMetadata"]["RequestId"]]
    assert lines[0]["operation"] == "GetCallerIdentity"
    assert lines[0]["principal"] == answer["Arn"]


def test_administration_needs_the_root_key(server: LiveServer) -> None:
    answer = httpx.post(f"{server.endpoint_url}/_cloche/clock", json={"advance_seconds": 1})
    assert answer.status_code in (400, 403)


def test_what_is_no_text_does_not_end_the_log(fresh_server: LiveServer) -> None:
    request = (
        b"POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: DynamoDB_20120810.\xff\xfe\r\n"
        b"Content-Length: 2\r\nConnection: close\r\n\r\n{}"
    )
    with socket.create_connection(("127.0.0.1", fresh_server.port), timeout=10) as connection:
        connection.sendall(request)
        assert b" 4" in connection.recv(4096)[:13]
    answer = fresh_server.client("sts").get_caller_identity()
    fresh_server.runtime.request_log.flush()
    lines = fresh_server.log.getvalue().splitlines()
    assert len(lines) == 2
    assert json.loads(lines[1])["request_id"] == answer["ResponseMetadata"]["RequestId"]


def test_large_bodies_of_nobody_are_refused(server: LiveServer) -> None:
    server.client("s3").create_bucket(Bucket="large-bodies")
    tags = b"<Tagging><TagSet>" + b"<Tag/>" * 100_000 + b"</TagSet></Tagging>"
    answer = httpx.put(f"{server.endpoint_url}/large-bodies?tagging", content=tags)
    assert answer.status_code == 413
    form = b"Action=GetCallerIdentity&Version=2011-06-15&x=" + b"y" * 1_000_000
    headers = {"host": "sts.us-east-1.amazonaws.com"}
    headers["content-type"] = "application/x-www-form-urlencoded"
    answer = httpx.post(server.endpoint_url, content=form, headers=headers)
    assert answer.status_code == 413


def test_headers_in_a_presigned_url_are_honoured(server: LiveServer) -> None:
    s3 = server.client("s3", signature_version="s3v4")
    s3.create_bucket(Bucket="presigned-headers")
    url = f"{server.endpoint_url}/presigned-headers/k"
    query = "?x-amz-meta-colour=red&x-amz-tagging=a%3Db&x-amz-storage-class=STANDARD_IA"
    request = AWSRequest(method="PUT", url=url + query)
    keys = Credentials(server.root["AccessKeyId"], server.root["SecretAccessKey"])
    S3SigV4QueryAuth(keys, "s3", "us-east-1", expires=60).add_auth(request)
    assert httpx.put(request.url, content=b"hello").status_code == 200
    head = s3.head_object(Bucket="presigned-headers", Key="k")
    assert head["Metadata"] == {"colour": "red"}
    assert head["StorageClass"] == "STANDARD_IA"
    tags = s3.get_object_tagging(Bucket="presigned-headers", Key="k")["TagSet"]
    assert tags == [{"Key": "a", "Value": "b"}]


def test_changes_are_in_the_audit_log_when_they_are_acknowledged(fresh_server: LiveServer) -> None:
    fresh_server.client("iam").create_user(UserName="jane")
    store = SQLiteEventStore(fresh_server.settings.data_directory / "audit.sqlite", time.time)
    try:
        events = [
            event
            for _, _, event in store.lookup(
                f"{fresh_server.settings.account_id}/us-east-1", None, 0, 2**40, None, 10
            )
        ]
    finally:
        store.close()
    assert [json.loads(event)["eventName"] for event in events] == ["CreateUser"]


def test_objects_by_html_forms_are_not_built(server: LiveServer) -> None:
    server.client("s3").create_bucket(Bucket="html-forms")
    form = {"key": "a", "policy": "e30="}
    files = {"file": ("a.txt", b"content", "text/plain")}
    in_host = {"host": "html-forms.s3.localhost"}
    for path, headers in (("/html-forms", {}), ("/html-forms/", {}), ("/", in_host)):
        url = f"{server.endpoint_url}{path}"
        answer = httpx.post(url, data=form, files=files, headers=headers)
        assert answer.status_code == 501
        assert "<Code>NotImplemented</Code>" in answer.text
        assert "Cloche does not implement PostObject of s3 yet." in answer.text
    answer = httpx.post(f"{server.endpoint_url}/", data=form, files=files)
    assert (answer.status_code, "MethodNotAllowed" in answer.text) == (405, True)
    assert httpx.post(f"{server.endpoint_url}/html-forms", content=b"x").status_code == 405


def test_a_database_that_fails_is_answered_for(fresh_server: LiveServer) -> None:
    url = fresh_server.endpoint_url
    path = fresh_server.settings.data_directory / "documents.sqlite"
    accounts = AWSRequest("GET", f"{url}/_cloche/accounts")
    keys = Credentials(fresh_server.root["AccessKeyId"], fresh_server.root["SecretAccessKey"])
    SigV4Auth(keys, "cloche", "us-east-1").add_auth(accounts)
    with closing(sqlite3.connect(path)) as database:
        database.execute("ALTER TABLE documents RENAME TO hidden")
        try:
            answer = httpx.get(f"{url}/bucket/key", headers={"origin": "https://example.com"})
            assert (answer.status_code, "InternalError" in answer.text) == (500, True)
            answer = httpx.get(f"{url}/_cloche/accounts", headers=dict(accounts.headers.items()))
            assert (answer.status_code, "InternalError" in answer.text) == (500, True)
        finally:
            database.execute("ALTER TABLE hidden RENAME TO documents")
