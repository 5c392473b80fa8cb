from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.services.iam.expectations import ACCOUNT, document, refused, trust

Clients = Callable[..., Any]


def test_the_alias(aws: Clients) -> None:
    iam = aws("iam")
    assert iam.list_account_aliases()["AccountAliases"] == []
    iam.create_account_alias(AccountAlias="glass")
    refused("EntityAlreadyExists", iam.create_account_alias, AccountAlias="glass")
    iam.create_account_alias(AccountAlias="bell")
    assert iam.list_account_aliases()["AccountAliases"] == ["bell"]
    refused("NoSuchEntity", iam.delete_account_alias, AccountAlias="glass")
    iam.delete_account_alias(AccountAlias="bell")
    assert iam.list_account_aliases()["AccountAliases"] == []


def test_the_password_policy(aws: Clients) -> None:
    iam = aws("iam")
    message = refused("NoSuchEntity", iam.get_account_password_policy)
    assert message == f"The Password Policy with domain name {ACCOUNT} cannot be found."
    refused("NoSuchEntity", iam.delete_account_password_policy)
    iam.update_account_password_policy(MinimumPasswordLength=12, MaxPasswordAge=90)
    policy = iam.get_account_password_policy()["PasswordPolicy"]
    assert policy["MinimumPasswordLength"] == 12
    assert policy["ExpirePasswords"] is True
    assert policy["RequireNumbers"] is False
    iam.delete_account_password_policy()
    refused("NoSuchEntity", iam.get_account_password_policy)


def test_the_summary(aws: Clients) -> None:
    iam = aws("iam")
    iam.create_user(UserName="u")
    iam.create_policy(PolicyName="p", PolicyDocument=document())
    summary = iam.get_account_summary()["SummaryMap"]
    assert (summary["Users"], summary["Policies"], summary["Roles"]) == (1, 1, 0)
    assert summary["AttachedPoliciesPerRoleQuota"] == 10


def test_everything_at_once(aws: Clients) -> None:
    iam = aws("iam")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document())["Policy"]["Arn"]
    iam.create_group(GroupName="g")
    iam.put_group_policy(GroupName="g", PolicyName="i", PolicyDocument=document())
    iam.create_user(UserName="u")
    iam.add_user_to_group(UserName="u", GroupName="g")
    iam.attach_user_policy(UserName="u", PolicyArn=arn)
    iam.create_role(RoleName="r", Description="d", AssumeRolePolicyDocument=trust())
    iam.attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    iam.create_instance_profile(InstanceProfileName="ip")
    iam.add_role_to_instance_profile(InstanceProfileName="ip", RoleName="r")

    details = iam.get_account_authorization_details()
    [user] = details["UserDetailList"]
    assert user["GroupList"] == ["g"]
    assert user["AttachedManagedPolicies"] == [{"PolicyName": "p", "PolicyArn": arn}]
    [group] = details["GroupDetailList"]
    assert group["GroupPolicyList"][0]["PolicyName"] == "i"
    [role] = details["RoleDetailList"]
    assert role["InstanceProfileList"][0]["InstanceProfileName"] == "ip"
    assert [one["PolicyName"] for one in details["Policies"]] == ["ReadOnlyAccess", "p"]
    assert details["Policies"][1]["PolicyVersionList"][0]["IsDefaultVersion"]

    only = iam.get_account_authorization_details(Filter=["Role"])
    assert (len(only["RoleDetailList"]), only["UserDetailList"]) == (1, [])
    page = iam.get_account_authorization_details(MaxItems=2)
    assert page["IsTruncated"]
    rest = iam.get_account_authorization_details(Marker=page["Marker"])
    lists = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    assert sum(len(page[name]) + len(rest[name]) for name in lists) == 5
