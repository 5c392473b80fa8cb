"""Managed policies by ARN, those of accounts and AWS's own alike."""

from __future__ import annotations

from cloche.core.documents import Documents, Transaction
from cloche.services.iam import entities
from cloche.services.iam.aws_managed import ACCOUNT, aws_managed_policies
from cloche.services.iam.entities import ManagedPolicy
from cloche.services.iam.errors import InvalidInput

_PREFIX = "arn:aws:iam::"


def find_policy(documents: Documents | Transaction, arn: str) -> ManagedPolicy | None:
    """A managed policy of any account."""
    account_id, path, name = parse_policy_arn(arn)
    if account_id == ACCOUNT:
        return aws_managed_policies().get(arn)
    policy = documents.get(entities.policies, account_id, "", name.lower())
    return policy if policy is not None and (policy.path, policy.name) == (path, name) else None


def policy_text(documents: Documents, arn: str) -> str | None:
    """The document in force of a managed policy, from memory where possible."""
    account_id, _, name = parse_policy_arn(arn)
    if account_id == ACCOUNT:
        policy = aws_managed_policies().get(arn)
    else:
        policy = documents.get_cached(entities.policies, account_id, "", name.lower())
    return None if policy is None else policy.text


def parse_policy_arn(arn: str) -> tuple[str, str, str]:
    """Account, path and name in a managed policy's ARN.

    Raises:
        InvalidInput: it is no such ARN.
    """
    account_id, colon, resource = arn.removeprefix(_PREFIX).partition(":")
    noun, _, rest = resource.partition("/")
    if not arn.startswith(_PREFIX) or not colon or noun != "policy" or not rest:
        raise InvalidInput(f"ARN {arn} is not valid.")
    path, _, name = rest.rpartition("/")
    return account_id, f"/{path}/" if path else "/", name
