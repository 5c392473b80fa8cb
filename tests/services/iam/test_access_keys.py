from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.services.iam.expectations import ACCOUNT, document, refused

Clients = Callable[..., Any]


def test_keys_of_a_user(aws: Clients) -> None:
    iam = aws("iam")
    iam.create_user(UserName="jane")
    key = iam.create_access_key(UserName="jane")["AccessKey"]
    assert key["AccessKeyId"].startswith("AKIA")
    assert (len(key["AccessKeyId"]), len(key["SecretAccessKey"])) == (20, 40)
    iam.create_access_key(UserName="jane")
    message = refused("LimitExceeded", iam.create_access_key, UserName="jane")
    assert message == "Cannot exceed quota for AccessKeysPerUser: 2"
    listed = iam.list_access_keys(UserName="jane")["AccessKeyMetadata"]
    assert [one["Status"] for one in listed] == ["Active", "Active"]
    assert "SecretAccessKey" not in listed[0]

    sts = aws("sts", key)
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/jane"
    iam.update_user(UserName="jane", NewUserName="joan")
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/joan"
    iam.update_access_key(UserName="joan", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    refused("InvalidClientTokenId", sts.get_caller_identity)
    iam.update_access_key(UserName="joan", AccessKeyId=key["AccessKeyId"], Status="Active")
    assert sts.get_caller_identity()
    iam.delete_access_key(UserName="joan", AccessKeyId=key["AccessKeyId"])
    refused("InvalidClientTokenId", sts.get_caller_identity)
    message = refused(
        "NoSuchEntity", iam.delete_access_key, UserName="joan", AccessKeyId=key["AccessKeyId"]
    )
    assert message == f"The Access Key with id {key['AccessKeyId']} cannot be found."


def test_a_key_belongs_to_its_user(aws: Clients) -> None:
    iam = aws("iam")
    iam.create_user(UserName="jane")
    iam.create_user(UserName="john")
    key = iam.create_access_key(UserName="jane")["AccessKey"]["AccessKeyId"]
    refused("NoSuchEntity", iam.delete_access_key, UserName="john", AccessKeyId=key)
    refused(
        "NoSuchEntity", iam.update_access_key, UserName="john", AccessKeyId=key, Status="Inactive"
    )


def test_a_user_turns_its_own_keys(aws: Clients) -> None:
    iam = aws("iam")
    iam.create_user(UserName="jane")
    iam.put_user_policy(
        UserName="jane",
        PolicyName="p",
        PolicyDocument=document("iam:*AccessKey*", "arn:aws:iam::*:user/${aws:username}"),
    )
    mine = aws("iam", iam.create_access_key(UserName="jane")["AccessKey"])
    second = mine.create_access_key()["AccessKey"]
    assert second["UserName"] == "jane"
    assert len(mine.list_access_keys()["AccessKeyMetadata"]) == 2


def test_keys_of_root(aws: Clients) -> None:
    iam = aws("iam")
    key = iam.create_access_key()["AccessKey"]
    assert aws("sts", key).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert len(iam.list_access_keys()["AccessKeyMetadata"]) == 2
    iam.delete_access_key(AccessKeyId=key["AccessKeyId"])
    refused("InvalidClientTokenId", aws("sts", key).get_caller_identity)


def test_a_key_that_was_never_used(aws: Clients) -> None:
    iam = aws("iam")
    iam.create_user(UserName="jane")
    key = iam.create_access_key(UserName="jane")["AccessKey"]["AccessKeyId"]
    used = iam.get_access_key_last_used(AccessKeyId=key)
    assert used["UserName"] == "jane"
    assert used["AccessKeyLastUsed"] == {"ServiceName": "N/A", "Region": "N/A"}
    refused("NoSuchEntity", iam.get_access_key_last_used, AccessKeyId="AKIA0000000000000000")
