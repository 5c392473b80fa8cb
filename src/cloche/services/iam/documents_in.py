"""Policy documents on their way in: read, measured, and refused with IAM's errors."""

from __future__ import annotations

from cloche.core.authorization.grammar import (
    MANAGED_POLICY_LIMIT_CHARACTERS,
    TRUST_POLICY_LIMIT_CHARACTERS,
    policy_size,
    validate_identity_policy,
    validate_trust_policy,
)
from cloche.core.authorization.policy import MalformedPolicyDocument
from cloche.core.documents import Documents
from cloche.services.iam import entities
from cloche.services.iam.errors import LimitExceeded
from cloche.services.iam.kinds import ROLES, USERS


def check_managed_policy(text: str) -> None:
    """Read the document of a managed policy.

    Raises:
        LimitExceeded: it is longer than 6,144 characters without white space.
        MalformedPolicyDocument: IAM would refuse it.
    """
    if policy_size(text) > MANAGED_POLICY_LIMIT_CHARACTERS:
        raise LimitExceeded(
            f"Cannot exceed quota for PolicySize: {MANAGED_POLICY_LIMIT_CHARACTERS}"
        )
    validate_identity_policy(text, is_managed=True)


def check_trust_policy(documents: Documents, text: str) -> None:
    """Read a trust policy; users and roles of this server's accounts must exist, as on AWS.

    Raises:
        LimitExceeded: it is longer than 2,048 characters without white space.
        MalformedPolicyDocument: IAM would refuse it.
    """
    if policy_size(text) > TRUST_POLICY_LIMIT_CHARACTERS:
        raise LimitExceeded(
            f"Cannot exceed quota for ACLSizePerRole: {TRUST_POLICY_LIMIT_CHARACTERS}"
        )
    for statement in validate_trust_policy(text).statements:
        for name in statement.principal.aws if statement.principal else ():
            if not _exists(documents, name):
                raise MalformedPolicyDocument(f'Invalid principal in policy: "AWS":"{name}"')


def _exists(documents: Documents, name: str) -> bool:
    parts = name.split(":", 5)
    if len(parts) < 6 or documents.get(entities.accounts, "", "", parts[4]) is None:
        return True
    noun, _, rest = parts[5].partition("/")
    kind = {"user": USERS, "role": ROLES}.get(noun)
    if kind is None:
        return True
    entity = kind.find(documents, parts[4], rest.rpartition("/")[2])
    return entity is not None and kind.arn(parts[4], entity) == name
