"""What IAM refuses in a policy beyond its JSON form, by the place where the policy shall stand."""

from __future__ import annotations

import re

from cloche.core.authorization.policy import (
    MalformedPolicyDocument,
    Policy,
    PrincipalElement,
    Statement,
    parse_policy,
)

MANAGED_POLICY_LIMIT_CHARACTERS = 6144
TRUST_POLICY_LIMIT_CHARACTERS = 2048
USER_INLINE_LIMIT_CHARACTERS = 2048
GROUP_INLINE_LIMIT_CHARACTERS = 5120
ROLE_INLINE_LIMIT_CHARACTERS = 10240
"""Quotas; white space does not count."""

_SID = re.compile(r"[0-9A-Za-z]*")
_VENDOR = re.compile(r"[a-zA-Z0-9-]+")
_ACCOUNT = re.compile(r"[0-9]{12}")
_PRINCIPAL_ARN = re.compile(
    r"arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:"
    r"(root|user/.+|role/.+|assumed-role/[^/]+/.+|federated-user/.+)"
)
_UNIQUE_ID = re.compile(r"A(IDA|ROA|CCA)[A-Z0-9]{13,}")
_SERVICE = re.compile(r"[a-z0-9][a-z0-9.-]*\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)")


def policy_size(text: str) -> int:
    """Characters that count against a quota."""
    return len("".join(text.split()))


def validate_identity_policy(text: str, *, is_managed: bool = False) -> Policy:
    """Read a policy for a user, group, role or session.

    Raises:
        MalformedPolicyDocument: IAM would refuse it.
    """
    policy = parse_policy(text)
    if is_managed and policy.version != "2012-10-17":
        raise MalformedPolicyDocument("Policy document must be version 2012-10-17 or greater.")
    _validate_statements(policy, sid=_SID)
    for statement in policy.statements:
        if statement.principal is not None:
            raise MalformedPolicyDocument("Policy document should not specify a principal.")
        _validate_actions(statement, "Policy statement must contain actions.")
        if not statement.resources:
            raise MalformedPolicyDocument("Policy statement must contain resources.")
        for resource in statement.resources:
            _validate_resource(resource)
    return policy


def validate_trust_policy(text: str) -> Policy:
    """Read a role's trust policy.

    Raises:
        MalformedPolicyDocument: IAM would refuse it.
    """
    policy = parse_policy(text)
    _validate_statements(policy, sid=_SID)
    for statement in policy.statements:
        if statement.principal is None:
            raise MalformedPolicyDocument("Missing required field Principal")
        if statement.resources or statement.is_not_resource:
            raise MalformedPolicyDocument("Has prohibited field Resource")
        _validate_actions(statement, "Missing required field Action")
        if any(not action.lower().startswith("sts:") for action in statement.actions):
            raise MalformedPolicyDocument(
                "AssumeRole policy may only specify STS AssumeRole actions."
            )
        _validate_principal(statement.principal)
    return policy


def validate_resource_policy(text: str) -> Policy:
    """Read the policy of a bucket, queue, topic, key or function.

    Raises:
        MalformedPolicyDocument: AWS would refuse it.
    """
    policy = parse_policy(text)
    _validate_statements(policy, sid=None)
    for statement in policy.statements:
        if statement.principal is None:
            raise MalformedPolicyDocument("Missing required field Principal")
        _validate_actions(statement, "Missing required field Action")
        if not statement.resources:
            raise MalformedPolicyDocument("Missing required field Resource")
        _validate_principal(statement.principal)
    return policy


def _validate_statements(policy: Policy, *, sid: re.Pattern[str] | None) -> None:
    if not policy.statements:
        raise MalformedPolicyDocument
    sids = [statement.sid for statement in policy.statements if statement.sid]
    if len(sids) != len(set(sids)):
        raise MalformedPolicyDocument("Statement IDs (SID) in a single policy must be unique.")
    if sid is not None and any(sid.fullmatch(one) is None for one in sids):
        raise MalformedPolicyDocument(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the"
            f" regular expression {sid.pattern}"
        )


def _validate_actions(statement: Statement, missing: str) -> None:
    if not statement.actions:
        raise MalformedPolicyDocument(missing)
    for action in statement.actions:
        vendor, colon, name = action.partition(":")
        if action == "*":
            continue
        if not colon or not name:
            raise MalformedPolicyDocument(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
            )
        if _VENDOR.fullmatch(vendor) is None:
            raise MalformedPolicyDocument(f"Vendor {vendor} is not valid")


def _validate_resource(resource: str) -> None:
    if resource == "*" or resource.startswith("${"):
        return
    if not resource.startswith("arn:"):
        raise MalformedPolicyDocument(f'Resource {resource} must be in ARN format or "*".')
    parts = resource.split(":", 5)
    if len(parts) < 6 and "*" not in parts[-1]:
        raise MalformedPolicyDocument("The policy failed legacy parsing")
    if parts[2:3] == ["iam"] and len(parts) > 3 and parts[3] not in ("", "*"):
        raise MalformedPolicyDocument(f"IAM resource {resource} cannot contain region information.")


def _validate_principal(principal: PrincipalElement) -> None:
    for name in principal.aws:
        if not any(form.fullmatch(name) for form in (_ACCOUNT, _PRINCIPAL_ARN, _UNIQUE_ID)):
            raise MalformedPolicyDocument(f'Invalid principal in policy: "AWS":"{name}"')
    for name in principal.services:
        if _SERVICE.fullmatch(name) is None:
            raise MalformedPolicyDocument(f'Invalid principal in policy: "SERVICE":"{name}"')
