from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from cloche.services.s3.canned_acls import ALL_USERS, AUTHENTICATED_USERS
from tests.services.s3.expectations import refused


def granted(answer: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (grant["Grantee"].get("URI") or grant["Grantee"]["ID"], grant["Permission"])
        for grant in answer["Grants"]
    }


@pytest.fixture
def create(s3: Any) -> Callable[..., str]:
    def bucket(**settings: Any) -> str:
        name = f"bucket-{uuid4()}"
        s3.create_bucket(Bucket=name, **settings)
        return name

    return bucket


def test_canned_acls_of_buckets(s3: Any, create: Callable[..., str]) -> None:
    bucket = create(ACL="public-read")
    answer = s3.get_bucket_acl(Bucket=bucket)
    me = (answer["Owner"]["ID"], "FULL_CONTROL")
    assert granted(answer) == {me, (ALL_USERS, "READ")}
    s3.put_bucket_acl(Bucket=bucket, ACL="authenticated-read")
    assert granted(s3.get_bucket_acl(Bucket=bucket)) == {me, (AUTHENTICATED_USERS, "READ")}
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    assert granted(s3.get_bucket_acl(Bucket=bucket)) == {me}


def test_acls_spelt_out(s3: Any, bucket: str) -> None:
    answer = s3.get_bucket_acl(Bucket=bucket)
    policy = {"Owner": answer["Owner"], "Grants": answer["Grants"]}
    everyone = {"Grantee": {"Type": "Group", "URI": ALL_USERS}, "Permission": "READ"}
    policy["Grants"].append(everyone)
    s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy=policy)
    assert (ALL_USERS, "READ") in granted(s3.get_bucket_acl(Bucket=bucket))
    policy["Grants"].append({**everyone, "Permission": "WRITE_ACP"})
    with refused("NotImplemented", 501):
        s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy=policy)


def test_groups_come_before_the_owner(s3: Any, create: Callable[..., str]) -> None:
    bucket = create(ACL="public-read-write")
    s3.put_object(Bucket=bucket, Key="k", ACL="authenticated-read")
    of_bucket = s3.get_bucket_acl(Bucket=bucket)["Grants"]
    of_object = s3.get_object_acl(Bucket=bucket, Key="k")["Grants"]
    assert [grant["Permission"] for grant in of_bucket] == ["READ", "WRITE", "FULL_CONTROL"]
    assert [grant["Permission"] for grant in of_object] == ["READ", "FULL_CONTROL"]
    assert of_bucket[-1]["Grantee"] == of_object[-1]["Grantee"]


@pytest.mark.parametrize(
    ("grantee", "code"),
    [
        ({"Type": "CanonicalUser", "ID": "_nobody"}, "InvalidArgument"),
        ({"Type": "CanonicalUser"}, "MalformedACLError"),
        (
            {"Type": "AmazonCustomerByEmail", "EmailAddress": "nobody@example.invalid"},
            "UnresolvableGrantByEmailAddress",
        ),
        ({"Type": "Group", "URI": "http://acs.amazonaws.com/groups/nobody"}, "InvalidArgument"),
        ({"Type": "CanonicalUser", "ID": "ab" * 32}, "NotImplemented"),
    ],
)
def test_refuses_grantees_that_do_not_exist(
    s3: Any, bucket: str, grantee: dict[str, str], code: str
) -> None:
    s3.put_object(Bucket=bucket, Key="k")
    answer = s3.get_bucket_acl(Bucket=bucket)
    grants = [*answer["Grants"], {"Grantee": grantee, "Permission": "READ"}]
    policy = {"Owner": answer["Owner"], "Grants": grants}
    status = 501 if code == "NotImplemented" else 400
    with refused(code, status):
        s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy=policy)
    with refused(code, status):
        s3.put_object_acl(Bucket=bucket, Key="k", AccessControlPolicy=policy)


def test_refuses_what_is_no_acl(s3: Any, bucket: str) -> None:
    with refused("MissingSecurityHeader", 400):
        s3.put_bucket_acl(Bucket=bucket)
    with refused("InvalidArgument", 400):
        s3.put_bucket_acl(Bucket=bucket, ACL="public-ready")
    with refused("NotImplemented", 501):
        s3.put_bucket_acl(Bucket=bucket, GrantRead="id=abc")


def test_who_may_list(s3: Any, create: Callable[..., str], stranger: Any, anonymous: Any) -> None:
    closed, known, everyone = (
        create(),
        create(ACL="authenticated-read"),
        create(ACL="public-read"),
    )
    stranger.head_bucket(Bucket=known)
    stranger.head_bucket(Bucket=everyone)
    anonymous.head_bucket(Bucket=everyone)
    for client, bucket in ((stranger, closed), (anonymous, closed), (anonymous, known)):
        with refused("403", 403):
            client.head_bucket(Bucket=bucket)
    with refused("AccessDenied", 403, "Access Denied"):
        anonymous.get_bucket_acl(Bucket=everyone)


def test_ownership_without_acls(s3: Any, create: Callable[..., str]) -> None:
    bucket = create(ObjectOwnership="BucketOwnerEnforced")
    with refused("AccessControlListNotSupported", 400):
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    with refused("AccessControlListNotSupported", 400):
        s3.put_object(Bucket=bucket, Key="k", ACL="public-read")
    s3.put_object(Bucket=bucket, Key="k", ACL="bucket-owner-full-control")
    assert len(s3.get_object_acl(Bucket=bucket, Key="k")["Grants"]) == 1
    with refused("InvalidBucketAclWithObjectOwnership", 400):
        create(ObjectOwnership="BucketOwnerEnforced", ACL="public-read")


def test_ownership_controls(s3: Any, create: Callable[..., str]) -> None:
    bucket = create(ACL="public-read")
    with refused("OwnershipControlsNotFoundError", 404):
        s3.get_bucket_ownership_controls(Bucket=bucket)
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    with refused("InvalidBucketAclWithObjectOwnership"):
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=enforced)
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=enforced)
    answer = s3.get_bucket_ownership_controls(Bucket=bucket)
    assert answer["OwnershipControls"] == enforced
    s3.delete_bucket_ownership_controls(Bucket=bucket)
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")


def test_objects_for_everyone(s3: Any, bucket: str, stranger: Any, anonymous: Any) -> None:
    s3.put_object(Bucket=bucket, Key="open", Body=b"o", ACL="public-read")
    s3.put_object(Bucket=bucket, Key="closed", Body=b"c")
    for client in (stranger, anonymous):
        assert client.get_object(Bucket=bucket, Key="open")["Body"].read() == b"o"
        for key in ("closed", "missing"):
            with refused("AccessDenied", 403):
                client.get_object(Bucket=bucket, Key=key)
    s3.put_object_acl(Bucket=bucket, Key="open", ACL="private")
    with refused("AccessDenied", 403):
        anonymous.get_object(Bucket=bucket, Key="open")


def test_missing_keys_show_in_buckets_that_all_may_list(
    create: Callable[..., str], anonymous: Any
) -> None:
    with refused("NoSuchKey", 404):
        anonymous.get_object(Bucket=create(ACL="public-read"), Key="missing")


def test_objects_of_others_are_theirs(s3: Any, create: Callable[..., str], stranger: Any) -> None:
    bucket = create(ACL="public-read-write")
    stranger.put_object(Bucket=bucket, Key="theirs", Body=b"t")
    with refused("AccessDenied", 403):
        s3.get_object(Bucket=bucket, Key="theirs")
    with refused("AccessDenied", 403):
        s3.put_object_acl(Bucket=bucket, Key="theirs", ACL="public-read")
    stranger.put_object_acl(Bucket=bucket, Key="theirs", ACL="bucket-owner-full-control")
    assert s3.get_object(Bucket=bucket, Key="theirs")["Body"].read() == b"t"
    owner = s3.get_object_acl(Bucket=bucket, Key="theirs")["Owner"]["ID"]
    assert owner == stranger.list_buckets()["Owner"]["ID"]
    s3.delete_object(Bucket=bucket, Key="theirs")


def test_strangers_delete_only_what_is_theirs(
    s3: Any, create: Callable[..., str], stranger: Any
) -> None:
    bucket = create(ACL="public-read-write")
    s3.put_object(Bucket=bucket, Key="mine")
    stranger.put_object(Bucket=bucket, Key="theirs")
    with refused("AccessDenied", 403):
        stranger.delete_object(Bucket=bucket, Key="mine")
    stranger.delete_object(Bucket=bucket, Key="theirs")
