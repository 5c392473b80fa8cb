from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from cloche.services.s3.policy_publicity import is_public_policy
from tests.live_server import LiveServer
from tests.services.s3.expectations import refused


def policy(bucket: str, action: str | list[str], **statement: Any) -> str:
    whole = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": action,
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        **statement,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [whole]})


@pytest.fixture
def user(server: LiveServer) -> Any:
    """A user without policies: its name, its client of S3, and a way to give it a policy."""

    class User:
        name = f"user-{uuid4().hex[:12]}"
        iam = server.client("iam")

        def __init__(self) -> None:
            self.arn = self.iam.create_user(UserName=self.name)["User"]["Arn"]
            key = self.iam.create_access_key(UserName=self.name)["AccessKey"]
            self.s3 = server.client("s3", key)

        def may(self, action: str | list[str], resource: str = "*", **statement: Any) -> None:
            allowed = {"Effect": "Allow", "Action": action, "Resource": resource, **statement}
            document = {"Version": "2012-10-17", "Statement": [allowed]}
            self.iam.put_user_policy(
                UserName=self.name, PolicyName="p", PolicyDocument=json.dumps(document)
            )

    return User()


def test_puts_gets_and_deletes(s3: Any, bucket: str) -> None:
    with refused("NoSuchBucketPolicy", 404):
        s3.get_bucket_policy(Bucket=bucket)
    text = policy(bucket, "s3:ListBucket")
    answer = s3.put_bucket_policy(Bucket=bucket, Policy=text)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == text
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True
    s3.delete_bucket_policy(Bucket=bucket)
    with refused("NoSuchBucketPolicy"):
        s3.get_bucket_policy_status(Bucket=bucket)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing", "Policies must be valid JSON and the first byte must be '{'"),
        ('{"Statement": [', "This policy contains invalid Json"),
        ('{"Statement": ' + "[" * 5000 + "]" * 5000 + "}", "This policy contains invalid Json"),
        (policy("another", "s3:GetObject"), "Policy has invalid resource"),
        (policy("BUCKET", "ec2:RunInstances"), "Policy has invalid action"),
        (
            policy("BUCKET", "s3:GetObject", Resource="arn:aws:s3:::BUCKET"),
            "Action does not apply to any resource(s) in statement",
        ),
        (
            policy("BUCKET", "s3:ListBucket", Resource="arn:aws:s3:::BUCKET/x"),
            "Action does not apply to any resource(s) in statement",
        ),
        (policy("BUCKET", "s3:GetObject", Principal=None), "Missing required field Principal"),
        (
            policy("BUCKET", "s3:GetObject", Principal=None, NotPrincipal={"AWS": "1" * 12}),
            "Allow with NotPrincipal is not allowed.",
        ),
    ],
)
def test_refuses_malformed_policies(s3: Any, bucket: str, text: str, message: str) -> None:
    given = text.replace("BUCKET", bucket).replace('"Principal": null, ', "")
    with refused("MalformedPolicy", 400, message):
        s3.put_bucket_policy(Bucket=bucket, Policy=given)


def test_refuses_policies_over_20_kb(s3: Any, bucket: str) -> None:
    with refused("PolicyTooLarge"):
        s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, "s3:*", Sid="x" * 20_480))


def test_lets_strangers_and_the_anonymous_in(
    s3: Any, bucket: str, stranger: Any, anonymous: Any
) -> None:
    for client in (stranger, anonymous):
        with refused("403", 403):
            client.head_bucket(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, "s3:ListBucket"))
    for client in (stranger, anonymous):
        client.head_bucket(Bucket=bucket)
        with refused("AccessDenied", 403, "Access Denied"):
            client.get_bucket_versioning(Bucket=bucket)


def test_users_need_a_policy(s3: Any, bucket: str, user: Any) -> None:
    message = (
        f"User: {user.arn} is not authorized to perform: s3:GetBucketVersioning on resource: "
        f'"arn:aws:s3:::{bucket}" because no identity-based policy allows the '
        "s3:GetBucketVersioning action"
    )
    with refused("AccessDenied", 403, message):
        user.s3.get_bucket_versioning(Bucket=bucket)
    with refused("AccessDenied"):
        user.s3.list_buckets()
    user.may(["s3:GetBucketVersioning", "s3:ListAllMyBuckets"])
    user.s3.get_bucket_versioning(Bucket=bucket)
    user.s3.list_buckets()
    denied = policy(bucket, "s3:GetBucketVersioning", Effect="Deny")
    s3.put_bucket_policy(Bucket=bucket, Policy=denied)
    with refused("AccessDenied"):
        user.s3.get_bucket_versioning(Bucket=bucket)


def test_root_may_mend_a_policy_that_denies_everything(s3: Any, bucket: str) -> None:
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, "s3:*", Effect="Deny"))
    with refused("AccessDenied"):
        s3.get_bucket_versioning(Bucket=bucket)
    s3.get_bucket_policy(Bucket=bucket)
    s3.delete_bucket_policy(Bucket=bucket)
    s3.get_bucket_versioning(Bucket=bucket)


def test_users_confirm_that_they_lock_themselves_out(bucket: str, user: Any) -> None:
    user.may("s3:*")
    text = policy(bucket, "s3:PutBucketPolicy", Effect="Deny", Principal={"AWS": user.arn})
    with refused("AccessDenied"):
        user.s3.put_bucket_policy(Bucket=bucket, Policy=text)
    user.s3.put_bucket_policy(Bucket=bucket, Policy=text, ConfirmRemoveSelfBucketAccess=True)
    with refused("AccessDenied"):
        user.s3.put_bucket_policy(Bucket=bucket, Policy=text)


def test_creation_needs_a_policy(user: Any) -> None:
    name = f"bucket-{uuid4()}"
    with refused("AccessDenied"):
        user.s3.create_bucket(Bucket=name)
    user.may("s3:CreateBucket", f"arn:aws:s3:::{name}")
    with refused("AccessDenied"):
        user.s3.create_bucket(Bucket=name, ACL="public-read")
    user.s3.create_bucket(Bucket=name)


def test_conditions_of_listings(s3: Any, bucket: str, user: Any) -> None:
    condition = {"StringEquals": {"s3:prefix": "mine/", "s3:max-keys": "10"}}
    user.may("s3:ListBucket", Condition=condition)
    user.s3.list_objects_v2(Bucket=bucket, Prefix="mine/", MaxKeys=10)
    with refused("AccessDenied"):
        user.s3.list_objects_v2(Bucket=bucket, Prefix="yours/", MaxKeys=10)


def test_conditions_of_writes(s3: Any, bucket: str, user: Any) -> None:
    user.may(
        ["s3:PutObject", "s3:PutObjectTagging"],
        Condition={
            "StringEquals": {
                "s3:x-amz-server-side-encryption": "AES256",
                "s3:RequestObjectTag/team": "blue",
            }
        },
    )
    given = {"Bucket": bucket, "Key": "k", "ServerSideEncryption": "AES256"}
    user.s3.put_object(**given, Tagging="team=blue")
    with refused("AccessDenied"):
        user.s3.put_object(**given, Tagging="team=red")
    with refused("AccessDenied"):
        user.s3.put_object(Bucket=bucket, Key="k", Tagging="team=blue")


def test_conditions_on_existing_tags(s3: Any, bucket: str, anonymous: Any) -> None:
    condition = {"StringEquals": {"s3:ExistingObjectTag/public": "yes"}}
    text = policy(bucket, "s3:GetObject", Condition=condition)
    s3.put_bucket_policy(Bucket=bucket, Policy=text)
    s3.put_object(Bucket=bucket, Key="open", Tagging="public=yes")
    s3.put_object(Bucket=bucket, Key="closed", Tagging="public=no")
    anonymous.get_object(Bucket=bucket, Key="open")
    with refused("AccessDenied"):
        anonymous.get_object(Bucket=bucket, Key="closed")


def test_only_who_may_list_learns_that_a_key_is_missing(s3: Any, bucket: str, user: Any) -> None:
    user.may("s3:GetObject")
    with refused("AccessDenied", 403):
        user.s3.get_object(Bucket=bucket, Key="missing")
    user.may(["s3:GetObject", "s3:ListBucket"])
    with refused("NoSuchKey", 404):
        user.s3.get_object(Bucket=bucket, Key="missing")


def test_versions_and_copies_have_their_own_actions(s3: Any, bucket: str, user: Any) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version_id = s3.put_object(Bucket=bucket, Key="a", Body=b"x")["VersionId"]
    user.may("s3:GetObject")
    user.s3.get_object(Bucket=bucket, Key="a")
    with refused("AccessDenied"):
        user.s3.get_object(Bucket=bucket, Key="a", VersionId=version_id)
    source = {"Bucket": bucket, "Key": "a"}
    with refused("AccessDenied"):
        user.s3.copy_object(Bucket=bucket, Key="b", CopySource=source)
    user.may("s3:PutObject")
    with refused("AccessDenied"):
        user.s3.copy_object(Bucket=bucket, Key="b", CopySource=source)
    user.may(["s3:GetObject", "s3:PutObject"])
    user.s3.copy_object(Bucket=bucket, Key="b", CopySource=source)


def test_each_key_of_a_batch_is_asked_for(s3: Any, bucket: str, user: Any) -> None:
    s3.put_object(Bucket=bucket, Key="mine/1")
    s3.put_object(Bucket=bucket, Key="yours/1")
    user.may("s3:DeleteObject", f"arn:aws:s3:::{bucket}/mine/*")
    keys = [{"Key": "mine/1"}, {"Key": "yours/1"}]
    answer = user.s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})
    assert [one["Key"] for one in answer["Deleted"]] == ["mine/1"]
    assert [(one["Key"], one["Code"]) for one in answer["Errors"]] == [("yours/1", "AccessDenied")]


@pytest.mark.parametrize(
    ("statement", "is_public"),
    [
        ({}, True),
        ({"Effect": "Deny"}, False),
        ({"Principal": {"AWS": ["*", "111122223333"]}}, True),
        ({"Principal": {"AWS": "111122223333"}}, False),
        ({"Principal": {"Service": "cloudtrail.amazonaws.com"}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.1.0.0/16"}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}}, True),
        ({"Condition": {"NotIpAddress": {"aws:SourceIp": "10.1.0.0/16"}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}, False),
        ({"Condition": {"StringLike": {"aws:SourceVpc": "vpc-*"}}}, True),
        ({"Condition": {"StringEquals": {"s3:prefix": "a"}}}, True),
        ({"Condition": {"StringLike": {"aws:userid": "AROA1:*"}}}, False),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:*"}}}, False),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:topic"}}}, True),
    ],
)
def test_what_is_public(statement: dict[str, Any], is_public: bool) -> None:
    assert is_public_policy(policy("b", "s3:GetObject", **statement)) is is_public
