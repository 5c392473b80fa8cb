"""Whether a role's trust policy lets someone in."""

from __future__ import annotations

from cloche.core.authorization.evaluate import AccessRequest, Decision, PolicySet, evaluate
from cloche.core.authorization.patterns import Context
from cloche.core.dispatch import IdentityPolicies
from cloche.core.principals import Principal
from cloche.services.iam.entities import Role


def trust_decision(
    role: Role,
    role_arn: str,
    principal: Principal,
    context: Context,
    policies: IdentityPolicies,
    action: str = "sts:AssumeRole",
) -> Decision:
    """Decide on an action of STS on a role.

    The trust policy must name the caller; where it names only the caller's account, or is of
    another account, the caller's own policies must allow it too.
    """
    return evaluate(
        AccessRequest(principal, action, role_arn, context),
        PolicySet(
            identity=policies.policies,
            boundary=policies.boundary,
            sessions=principal.session_policies,
            resource=role.trust_policy,
            resource_account=role_arn.split(":")[4],
            needs_resource_grant=True,
        ),
    )
