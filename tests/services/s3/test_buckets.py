from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.live_server import LiveServer
from tests.services.s3.expectations import refused


@pytest.fixture
def name() -> str:
    return f"bucket-{uuid4()}"


def test_creates_finds_and_deletes(s3: Any, name: str) -> None:
    assert s3.create_bucket(Bucket=name)["Location"] == f"/{name}"
    head = s3.head_bucket(Bucket=name)
    assert head["BucketRegion"] == "us-east-1"
    assert name in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    s3.delete_bucket(Bucket=name)
    with refused("404"):
        s3.head_bucket(Bucket=name)
    with refused("NoSuchBucket", 404):
        s3.delete_bucket(Bucket=name)
    assert name not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


@pytest.mark.parametrize("bad", ["ab", "Upper-case", "a..b", "192.168.0.1", "xn--abc", "a_b_c"])
def test_refuses_names_that_aws_refuses(server: LiveServer, bad: str) -> None:
    s3 = server.client("s3", parameter_validation=False)
    with refused("InvalidBucketName", 400):
        s3.create_bucket(Bucket=bad)


def test_names_are_global(server: LiveServer, s3: Any, name: str) -> None:
    s3.create_bucket(Bucket=name)
    other = server.client("s3", server.new_account(f"other-{uuid4().hex[:8]}"))
    with refused("BucketAlreadyExists", 409):
        other.create_bucket(Bucket=name)
    with refused("403"):
        other.head_bucket(Bucket=name)
    assert name not in [bucket["Name"] for bucket in other.list_buckets()["Buckets"]]


def test_creating_ones_own_bucket_again_is_no_error_in_us_east_1(s3: Any, name: str) -> None:
    s3.create_bucket(Bucket=name, ACL="public-read")
    s3.create_bucket(Bucket=name)
    assert len(s3.get_bucket_acl(Bucket=name)["Grants"]) == 1


def test_creating_ones_own_bucket_again_is_an_error_elsewhere(
    server: LiveServer, name: str
) -> None:
    west = server.client("s3", region_name="eu-west-1")
    configuration = {"LocationConstraint": "eu-west-1"}
    made = west.create_bucket(Bucket=name, CreateBucketConfiguration=configuration)
    assert made["Location"] == f"http://{name}.s3.amazonaws.com/"
    with refused("BucketAlreadyOwnedByYou", 409):
        west.create_bucket(Bucket=name, CreateBucketConfiguration=configuration)
    assert west.get_bucket_location(Bucket=name)["LocationConstraint"] == "eu-west-1"
    assert west.head_bucket(Bucket=name)["BucketRegion"] == "eu-west-1"


def test_location_rules(server: LiveServer, s3: Any, name: str) -> None:
    west = server.client("s3", region_name="eu-west-1")
    for constraint in ("us-east-1", "mars-north-1"):
        with refused("InvalidLocationConstraint"):
            s3.create_bucket(
                Bucket=name, CreateBucketConfiguration={"LocationConstraint": constraint}
            )
    with refused("IllegalLocationConstraintException"):
        west.create_bucket(Bucket=name)
    with refused("IllegalLocationConstraintException"):
        west.create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"}
        )
    s3.create_bucket(Bucket=name)
    assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] is None


def test_lists_by_pages_prefix_and_region(server: LiveServer) -> None:
    s3 = server.client("s3", server.new_account(f"lister-{uuid4().hex[:8]}"))
    stem = uuid4().hex
    for number in range(5):
        s3.create_bucket(Bucket=f"{stem}-{number}")
    s3.create_bucket(
        Bucket=f"z{stem}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    first = s3.list_buckets(MaxBuckets=2, Prefix=stem)
    assert [bucket["Name"] for bucket in first["Buckets"]] == [f"{stem}-0", f"{stem}-1"]
    assert first["Prefix"] == stem
    names: list[str] = []
    for page in s3.get_paginator("list_buckets").paginate(Prefix=stem, MaxBuckets=2):
        names += [bucket["Name"] for bucket in page["Buckets"]]
    assert names == [f"{stem}-{number}" for number in range(5)]
    regional = s3.list_buckets(BucketRegion="eu-west-1")["Buckets"]
    assert [bucket["Name"] for bucket in regional] == [f"z{stem}"]
    with refused("InvalidArgument"):
        s3.list_buckets(ContinuationToken="?")


@pytest.mark.parametrize("count", [0, 10_001])
def test_refuses_impossible_page_sizes(server: LiveServer, count: int) -> None:
    s3 = server.client("s3", parameter_validation=False)
    with refused("InvalidArgument"):
        s3.list_buckets(MaxBuckets=count)


def test_keeps_tags_given_at_creation(s3: Any, name: str) -> None:
    tags = [{"Key": "team", "Value": "blue"}]
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"Tags": tags})
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == tags


@pytest.mark.parametrize(
    "given",
    [
        {"ObjectLockEnabledForBucket": True},
        {"CreateBucketConfiguration": {"Bucket": {"Type": "Directory"}}},
        {"GrantRead": "id=abc"},
    ],
)
def test_answers_501_to_what_is_not_built(s3: Any, name: str, given: dict[str, Any]) -> None:
    with refused("NotImplemented", 501):
        s3.create_bucket(Bucket=name, **given)
    with pytest.raises(ClientError):
        s3.head_bucket(Bucket=name)


def test_expected_owner(server: LiveServer, s3: Any, name: str) -> None:
    s3.create_bucket(Bucket=name)
    s3.get_bucket_versioning(Bucket=name, ExpectedBucketOwner=server.root["AccountId"])
    with refused("AccessDenied", 403):
        s3.get_bucket_versioning(Bucket=name, ExpectedBucketOwner="999999999999")


def test_tags(s3: Any, name: str) -> None:
    s3.create_bucket(Bucket=name)
    with refused("NoSuchTagSet", 404):
        s3.get_bucket_tagging(Bucket=name)
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == tags
    with refused("InvalidTag"):
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [tags[0], tags[0]]})
    s3.delete_bucket_tagging(Bucket=name)
    with refused("NoSuchTagSet"):
        s3.get_bucket_tagging(Bucket=name)


def test_encryption(s3: Any, name: str) -> None:
    s3.create_bucket(Bucket=name)

    def rule() -> Any:
        answer = s3.get_bucket_encryption(Bucket=name)
        return answer["ServerSideEncryptionConfiguration"]["Rules"][0]

    assert rule()["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/mine"}
    put = {"Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=put)
    assert rule() == put["Rules"][0]
    default["SSEAlgorithm"] = "AES256"
    with refused("InvalidArgument"):
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=put)
    s3.delete_bucket_encryption(Bucket=name)
    assert rule()["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_request_payment(s3: Any, name: str) -> None:
    s3.create_bucket(Bucket=name)
    assert s3.get_bucket_request_payment(Bucket=name)["Payer"] == "BucketOwner"
    s3.put_bucket_request_payment(Bucket=name, RequestPaymentConfiguration={"Payer": "BucketOwner"})
    with refused("NotImplemented", 501):
        s3.put_bucket_request_payment(
            Bucket=name, RequestPaymentConfiguration={"Payer": "Requester"}
        )


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("get_bucket_website", "NoSuchWebsiteConfiguration"),
        ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
        ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
    ],
)
def test_what_no_bucket_has(s3: Any, name: str, operation: str, code: str) -> None:
    s3.create_bucket(Bucket=name)
    with refused(code, 404):
        getattr(s3, operation)(Bucket=name)


def test_empty_configurations(s3: Any, name: str) -> None:
    s3.create_bucket(Bucket=name)
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=name)
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=name)
    assert s3.list_bucket_inventory_configurations(Bucket=name)["IsTruncated"] is False
    for delete in ("delete_bucket_website", "delete_bucket_lifecycle", "delete_bucket_replication"):
        answer = getattr(s3, delete)(Bucket=name)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204


@pytest.mark.parametrize("operation", ["get_bucket_versioning", "get_bucket_acl", "list_objects"])
def test_all_operations_say_which_bucket_is_missing(s3: Any, name: str, operation: str) -> None:
    with pytest.raises(ClientError) as raised:
        getattr(s3, operation)(Bucket=name)
    response: Any = raised.value.response
    assert response["Error"]["Code"] == "NoSuchBucket"
    assert response["Error"]["BucketName"] == name


def test_only_empty_buckets_are_deleted(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k")
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="k")
    s3.create_multipart_upload(Bucket=bucket, Key="unfinished")
    s3.delete_bucket(Bucket=bucket)


def test_a_bucket_made_again_has_nothing_of_the_old_one(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.delete_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_buckets_that_come_and_go_at_once_stay_whole(s3: Any, name: str) -> None:
    def come_and_go(number: int) -> None:
        s3.create_bucket(Bucket=name)
        with suppress(ClientError):
            s3.delete_bucket(Bucket=name)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(come_and_go, range(24)))
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="k", Body=b"v")
    assert s3.get_object(Bucket=name, Key="k")["Body"].read() == b"v"


def test_refuses_a_document_of_another_kind(s3: Any, bucket: str) -> None:
    def send(root: str) -> None:
        def rename(params: dict[str, Any], **_: Any) -> None:
            body: bytes = params["body"].replace(b"<Tagging", f"<{root}".encode())
            params["body"] = body.replace(b"</Tagging", f"</{root}".encode())

        event = "before-call.s3.PutBucketTagging"
        s3.meta.events.register(event, rename, unique_id="rename")
        try:
            tags = {"TagSet": [{"Key": root, "Value": "b"}]}
            s3.put_bucket_tagging(Bucket=bucket, Tagging=tags)
        finally:
            s3.meta.events.unregister(event, unique_id="rename")

    send("Tagging")
    with refused("MalformedXML", 400):
        send("Labels")
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "Tagging", "Value": "b"}]
