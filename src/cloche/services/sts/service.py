"""The STS service, to which the modules of its operations add themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloche.core.authorization.authorize import check
from cloche.core.dispatch import IdentityPolicies
from cloche.core.errors import AccessDenied
from cloche.core.operations import Call, Operation, Service
from cloche.services.iam.identity import policies_of

# AWS lets everyone with credentials do the first two, whatever the policies say. AssumeRole is
# decided together with the role's trust policy, by the operation itself.
_NEEDS_NO_POLICY = frozenset({"GetCallerIdentity", "GetSessionToken", "AssumeRole"})


def authorize(call: Call, operation: Operation, request: Mapping[str, Any]) -> None:
    """Check a call to STS.

    Raises:
        AccessDenied: the policies don't allow it, or session credentials ask for credentials that
            only long-term ones may ask for.
    """
    principal = call.principal
    if principal.session_issued_at is not None and operation.name in (
        "GetSessionToken",
        "GetFederationToken",
    ):
        raise AccessDenied(f"Cannot call {operation.name} with session credentials")
    if operation.name in _NEEDS_NO_POLICY:
        return
    policies = IdentityPolicies()
    if not principal.is_root:
        policies = policies_of(call.documents, principal)
    check(call, operation, request, policies.policies, policies.boundary)


service = Service("sts", authorize=authorize)
