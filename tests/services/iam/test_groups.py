from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.services.iam.expectations import ACCOUNT, document, refused

Clients = Callable[..., Any]


def names(users: list[dict[str, Any]]) -> list[str]:
    return [user["UserName"] for user in users]


def test_a_group_from_beginning_to_end(aws: Clients) -> None:
    iam = aws("iam")
    group = iam.create_group(GroupName="G", Path="/p/")["Group"]
    assert group["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/p/G"
    assert group["GroupId"].startswith("AGPA")
    refused("EntityAlreadyExists", iam.create_group, GroupName="g")
    for name in ("a", "b", "c"):
        iam.create_user(UserName=name)
        iam.add_user_to_group(GroupName="g", UserName=name)
    iam.add_user_to_group(GroupName="g", UserName="a")
    page = iam.get_group(GroupName="G", MaxItems=2)
    assert names(page["Users"]) == ["a", "b"]
    assert names(iam.get_group(GroupName="G", Marker=page["Marker"])["Users"]) == ["c"]

    iam.update_group(GroupName="G", NewGroupName="H", NewPath="/")
    assert names(iam.get_group(GroupName="H")["Users"]) == ["a", "b", "c"]
    listed = iam.list_groups_for_user(UserName="a")["Groups"]
    assert [one["GroupName"] for one in listed] == ["H"]
    message = refused("DeleteConflict", iam.delete_group, GroupName="H")
    assert message == "Cannot delete entity, must remove users from group first."
    for name in ("a", "b", "c"):
        iam.remove_user_from_group(GroupName="H", UserName=name)
    refused("NoSuchEntity", iam.remove_user_from_group, GroupName="H", UserName="a")
    iam.put_group_policy(GroupName="H", PolicyName="p", PolicyDocument=document())
    refused("DeleteConflict", iam.delete_group, GroupName="H")
    iam.delete_group_policy(GroupName="H", PolicyName="p")
    iam.delete_group(GroupName="H")
    assert iam.list_groups()["Groups"] == []
    message = refused("NoSuchEntity", iam.get_group, GroupName="H")
    assert message == "The group with name H cannot be found."


def test_a_user_is_in_ten_groups_at_most(aws: Clients) -> None:
    iam = aws("iam")
    iam.create_user(UserName="a")
    for number in range(11):
        iam.create_group(GroupName=f"g{number}")
    for number in range(10):
        iam.add_user_to_group(GroupName=f"g{number}", UserName="a")
    message = refused("LimitExceeded", iam.add_user_to_group, GroupName="g10", UserName="a")
    assert message == "Cannot exceed quota for GroupsPerUser: 10"
