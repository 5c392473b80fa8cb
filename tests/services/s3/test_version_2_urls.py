"""boto3's presigned URLs as it makes them unless told otherwise: Signature Version 2."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import Clients
from tests.live_server import LiveServer


def url(s3: Any, operation: str, expires_seconds: int = 60, **parameters: str) -> str:
    made = s3.generate_presigned_url(
        f"{operation}_object", Params=parameters, ExpiresIn=expires_seconds
    )
    assert "Signature=" in made and "X-Amz-Signature" not in made
    return made


@pytest.fixture
def place(bucket: str) -> dict[str, str]:
    return {"Bucket": bucket, "Key": "a key/é+%"}


def test_put_get_head_and_delete(s3: Any, place: dict[str, str]) -> None:
    link = url(s3, "put", **place, ContentType="text/plain", ACL="public-read")
    assert httpx.put(link, content=b"body").status_code == 200
    answer = httpx.get(url(s3, "get", **place, ResponseContentType="text/css; a=b c"))
    assert (answer.content, answer.headers["content-type"]) == (b"body", "text/css; a=b c")
    answer = httpx.head(url(s3, "head", **place))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain")
    grants = s3.get_object_acl(**place)["Grants"]
    assert any(grant["Permission"] == "READ" for grant in grants)
    assert httpx.delete(url(s3, "delete", **place)).status_code == 204
    assert httpx.get(url(s3, "get", **place)).status_code == 404


def test_a_bucket_in_the_host(server: LiveServer, s3: Any, place: dict[str, str]) -> None:
    s3.put_object(**place, Body=b"body")
    other = place["Bucket"] + "-other"
    s3.create_bucket(Bucket=other)
    s3.put_object(Bucket=other, Key=place["Key"], Body=b"secret")
    virtual = server.client("s3", s3={"addressing_style": "virtual"})
    path_style = urlsplit(url(s3, "get", **place))
    key_path = path_style.path.removeprefix(f"/{place['Bucket']}")
    target = f"{server.endpoint_url}{key_path}?{path_style.query}"

    def get(host: str) -> httpx.Response:
        return httpx.get(target, headers={"host": host})

    assert get(f"{place['Bucket']}.s3.localhost").content == b"body"
    assert get(f"{place['Bucket']}.s3.amazonaws.com").content == b"body"
    refusal = get(f"{other}.s3.localhost")
    assert (refusal.status_code, b"SignatureDoesNotMatch" in refusal.content) == (403, True)
    assert get("s3.localhost").status_code == 403
    made = virtual.generate_presigned_url("get_object", Params=place)
    signature = urlsplit(made)
    assert (
        httpx.get(
            f"{server.endpoint_url}{signature.path}?{signature.query}",
            headers={"host": signature.netloc},
        ).content
        == b"body"
    )


def test_tampering_is_refused(s3: Any, place: dict[str, str]) -> None:
    s3.put_object(**place, Body=b"body")
    link = url(s3, "get", **place)
    assert httpx.get(link).status_code == 200
    for changed in (
        f"{link}&acl",
        link.replace("/a%20key", "/b"),
        link.replace("Expires=", "Expires=1"),
    ):
        refusal = httpx.get(changed)
        assert (refusal.status_code, b"SignatureDoesNotMatch" in refusal.content) == (403, True)
    assert httpx.put(link, content=b"x").status_code == 403
    assert httpx.get(link, headers={"x-amz-meta-a": "b"}).status_code == 403


def test_an_unknown_key_is_refused(server: LiveServer, place: dict[str, str]) -> None:
    unknown = server.client("s3", {"AccessKeyId": "AKIAUNKNOWN", "SecretAccessKey": "x"})
    assert b"<Code>InvalidAccessKeyId</Code>" in httpx.get(url(unknown, "get", **place)).content


def test_a_role_signs_with_its_token(
    server: LiveServer, aws: Clients, place: dict[str, str]
) -> None:
    aws("s3").put_object(**place, Body=b"body")
    account = aws("sts").get_caller_identity()["Account"]
    name = f"role-{place['Bucket'][-8:]}"
    role = aws("iam").create_role(
        RoleName=name,
        AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",'
        f' "Principal": {{"AWS": "arn:aws:iam::{account}:root"}}, "Action": "sts:AssumeRole"}}]}}',
    )["Role"]
    aws("iam").put_role_policy(
        RoleName=name,
        PolicyName="read",
        PolicyDocument='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",'
        ' "Action": "s3:GetObject", "Resource": "*"}]}',
    )
    user = f"user-{name}"
    aws("iam").create_user(UserName=user)
    aws("iam").put_user_policy(
        UserName=user,
        PolicyName="assume",
        PolicyDocument='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",'
        ' "Action": "sts:AssumeRole", "Resource": "*"}]}',
    )
    key = aws("iam").create_access_key(UserName=user)["AccessKey"]
    session = aws("sts", key).assume_role(RoleArn=role["Arn"], RoleSessionName="session")[
        "Credentials"
    ]
    link = url(server.client("s3", session), "get", **place)
    assert "x-amz-security-token=" in link
    assert httpx.get(link).content == b"body"


def test_a_policy_sees_the_version(s3: Any, place: dict[str, str]) -> None:
    s3.put_object(**place, Body=b"body")
    s3.put_bucket_policy(
        Bucket=place["Bucket"],
        Policy='{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*",'
        f' "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{place["Bucket"]}/*",'
        ' "Condition": {"StringEquals": {"s3:signatureversion": "AWS"}}}]}',
    )
    assert httpx.get(url(s3, "get", **place)).status_code == 403
    assert s3.get_object(**place)["Body"].read() == b"body"


def test_a_url_expires(fresh_server: LiveServer) -> None:
    s3 = fresh_server.client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="key", Body=b"body")
    fresh_server.advance(86_400)
    link = url(s3, "get", Bucket="bucket", Key="key")
    assert httpx.get(link).content == b"body"
    fresh_server.advance(61)
    refusal = httpx.get(link)
    assert (refusal.status_code, b"Request has expired" in refusal.content) == (403, True)
    anew = url(s3, "get", expires_seconds=90, Bucket="bucket", Key="key")
    assert httpx.get(anew).content == b"body"
    past = url(s3, "get", expires_seconds=-10, Bucket="bucket", Key="key")
    assert b"Request has expired" in httpx.get(past).content
