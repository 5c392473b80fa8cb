"""The account as a whole: its alias, its password policy and its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from msgspec.structs import replace

from cloche.core.authorization import grammar
from cloche.core.documents import Transaction
from cloche.core.operations import Call
from cloche.services.iam import entities
from cloche.services.iam.access_keys import KEYS_LIMIT
from cloche.services.iam.attachments import ATTACHED_LIMIT
from cloche.services.iam.entities import Account, AliasOwner, PasswordPolicy
from cloche.services.iam.errors import EntityAlreadyExists, NoSuchEntity
from cloche.services.iam.groups import GROUPS_PER_USER_LIMIT
from cloche.services.iam.kinds import GROUPS, INSTANCE_PROFILES, POLICIES, ROLES, USERS
from cloche.services.iam.paging import page
from cloche.services.iam.policy_versions import VERSIONS_LIMIT
from cloche.services.iam.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import iam as shapes

_PASSWORD_DEFAULTS: dict[str, int | bool] = {
    "MinimumPasswordLength": 6,
    "RequireSymbols": False,
    "RequireNumbers": False,
    "RequireUppercaseCharacters": False,
    "RequireLowercaseCharacters": False,
    "AllowUsersToChangePassword": False,
}


def _account(source: Any, call: Call) -> Account:
    account: Account | None = source.get(entities.accounts, "", "", call.account_id)
    if account is None:
        return Account(account_id=call.account_id, name="", created_at=call.clock.now())
    return account


def _edit(call: Call, change: Callable[[Transaction, Account], Account]) -> None:
    def work(transaction: Transaction) -> None:
        changed = change(transaction, _account(transaction, call))
        transaction.put(entities.accounts, "", "", call.account_id, changed)

    call.documents.transact(work)


@service.operation
def create_account_alias(call: Call, request: shapes.CreateAccountAliasRequest) -> Empty:
    """Give the account an alias, in place of the one it has.

    Raises EntityAlreadyExists if another account, or this one, has it. AWS: IAM
    CreateAccountAlias.
    """
    alias = request["AccountAlias"]

    def change(transaction: Transaction, account: Account) -> Account:
        if transaction.get(entities.account_aliases, "", "", alias) is not None:
            raise EntityAlreadyExists(f"The account alias {alias} already exists.")
        if account.alias:
            transaction.delete(entities.account_aliases, "", "", account.alias)
        transaction.put(entities.account_aliases, "", "", alias, AliasOwner(call.account_id))
        return replace(account, alias=alias)

    _edit(call, change)
    return {}


@service.operation
def delete_account_alias(call: Call, request: shapes.DeleteAccountAliasRequest) -> Empty:
    """Take the account's alias away. AWS: IAM DeleteAccountAlias."""
    alias = request["AccountAlias"]

    def change(transaction: Transaction, account: Account) -> Account:
        if account.alias != alias:
            raise NoSuchEntity(f"The account alias with name {alias} cannot be found.")
        transaction.delete(entities.account_aliases, "", "", alias)
        return replace(account, alias="")

    _edit(call, change)
    return {}


@service.operation
def list_account_aliases(
    call: Call, request: shapes.ListAccountAliasesRequest
) -> shapes.ListAccountAliasesResponse:
    """List the account's alias, if it has one. AWS: IAM ListAccountAliases."""
    alias = _account(call.documents, call).alias
    found = page([alias] if alias else [], request, key=lambda one: one, show=lambda one: one)
    return {"AccountAliases": found.items, **found.position}


@service.operation(does="stored")
def update_account_password_policy(
    call: Call, request: shapes.UpdateAccountPasswordPolicyRequest
) -> Empty:
    """Replace the password policy; what is not given gets its default.

    Nothing enforces it yet: users have no passwords here. AWS: IAM UpdateAccountPasswordPolicy.
    """
    values = {**_PASSWORD_DEFAULTS, **cast("dict[str, int | bool]", request)}
    policy = PasswordPolicy(values=values)
    _edit(call, lambda _transaction, account: replace(account, password_policy=policy))
    return {}


def _no_password_policy(call: Call) -> NoSuchEntity:
    return NoSuchEntity(f"The Password Policy with domain name {call.account_id} cannot be found.")


@service.operation
def get_account_password_policy(
    call: Call, request: Empty
) -> shapes.GetAccountPasswordPolicyResponse:
    """Give the password policy.

    Raises NoSuchEntity if there is none. AWS: IAM GetAccountPasswordPolicy.
    """
    policy = _account(call.documents, call).password_policy
    if policy is None:
        raise _no_password_policy(call)
    expires = policy.values.get("MaxPasswordAge", 0) != 0
    shown: Any = {**policy.values, "ExpirePasswords": expires}
    return {"PasswordPolicy": shown}


@service.operation
def delete_account_password_policy(call: Call, request: Empty) -> Empty:
    """Take the password policy away. AWS: IAM DeleteAccountPasswordPolicy."""

    def change(_transaction: Transaction, account: Account) -> Account:
        if account.password_policy is None:
            raise _no_password_policy(call)
        return replace(account, password_policy=None)

    _edit(call, change)
    return {}


@service.operation
def get_account_summary(call: Call, request: Empty) -> shapes.GetAccountSummaryResponse:
    """Give the numbers of entities in the account, and its quotas. AWS: IAM GetAccountSummary."""
    account_id, documents = call.account_id, call.documents
    account = _account(documents, call)
    own_policies = list(POLICIES.below(documents, account_id))
    summary: dict[str, int] = {
        "Users": sum(1 for _ in USERS.below(documents, account_id)),
        "Groups": sum(1 for _ in GROUPS.below(documents, account_id)),
        "Roles": sum(1 for _ in ROLES.below(documents, account_id)),
        "InstanceProfiles": sum(1 for _ in INSTANCE_PROFILES.below(documents, account_id)),
        "Policies": len(own_policies),
        "PolicyVersionsInUse": sum(len(policy.versions) for policy in own_policies),
        "ServerCertificates": 0,
        "Providers": 0,
        "MFADevices": 0,
        "MFADevicesInUse": 0,
        "AccountMFAEnabled": 0,
        "AccountPasswordPresent": 0,
        "AccountSigningCertificatesPresent": 0,
        "AccountAccessKeysPresent": 1 if account.access_key_ids else 0,
        **_QUOTAS,
    }
    shown: Any = summary
    return {"SummaryMap": shown}


_QUOTAS = {
    "UsersQuota": USERS.quota_number,
    "GroupsQuota": GROUPS.quota_number,
    "RolesQuota": ROLES.quota_number,
    "InstanceProfilesQuota": INSTANCE_PROFILES.quota_number,
    "PoliciesQuota": POLICIES.quota_number,
    "PolicyVersionsInUseQuota": 10000,
    "ServerCertificatesQuota": 20,
    "GroupsPerUserQuota": GROUPS_PER_USER_LIMIT,
    "AccessKeysPerUserQuota": KEYS_LIMIT,
    "SigningCertificatesPerUserQuota": 2,
    "AttachedPoliciesPerUserQuota": ATTACHED_LIMIT,
    "AttachedPoliciesPerGroupQuota": ATTACHED_LIMIT,
    "AttachedPoliciesPerRoleQuota": ATTACHED_LIMIT,
    "VersionsPerPolicyQuota": VERSIONS_LIMIT,
    "PolicySizeQuota": grammar.MANAGED_POLICY_LIMIT_CHARACTERS,
    "AssumeRolePolicySizeQuota": grammar.TRUST_POLICY_LIMIT_CHARACTERS,
    "UserPolicySizeQuota": grammar.USER_INLINE_LIMIT_CHARACTERS,
    "GroupPolicySizeQuota": grammar.GROUP_INLINE_LIMIT_CHARACTERS,
    "RolePolicySizeQuota": grammar.ROLE_INLINE_LIMIT_CHARACTERS,
    "GlobalEndpointTokenVersion": 1,
}
