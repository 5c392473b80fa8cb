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


def find_attachable(
    documents: Documents | Transaction, account_id: str, arn: str
) -> ManagedPolicy | None:
    """A managed policy that an account may use: its own or AWS's."""
    return (
        find_policy(documents, arn) if parse_policy_arn(arn)[0] in (ACCOUNT, account_id) else None
    )


def policy_text(documents: Documents, arn: str) -> str | None:
    """The document in force of a managed policy, from memory where possible."""
    account_id, path, name = parse_policy_arn(arn)
    if account_id == ACCOUNT:
        policy = aws_managed_policies().get(arn)
        return None if policy is None else policy.text
    policy = documents.get_cached(entities.policies, account_id, "", name.lower())
    if policy is None or (policy.path, policy.name) != (path, name):
        return None
    return policy.text


def parse_policy_arn(arn: str) -> tuple[str, str, str]:
    """Account, path and name in a managed policy's ARN.

    Raises:
        InvalidInput: it is no such ARN.
    """
    account_id, _, resource = arn.removeprefix(_PREFIX).partition(":")
    folder, _, name = resource.removeprefix("policy/").rpartition("/")
    path = f"/{folder}/" if folder else "/"
    # Permissions are checked on the text as it came: a second one for the same policy evades them.
    if not name or arn != f"{_PREFIX}{account_id}:policy{path}{name}":
        raise InvalidInput(f"ARN {arn} is not valid.")
    return account_id, path, name
