"""iam:PassRole: who may hand a role to a service."""

from __future__ import annotations

from cloche.core.authorization.authorize import denial
from cloche.core.authorization.context import RequestContext
from cloche.core.authorization.evaluate import AccessRequest, PolicySet, evaluate
from cloche.core.operations import Call
from cloche.services.iam.identity import policies_of


def check_pass_role(call: Call, role_arn: str, service_principal: str) -> None:
    """Refuse a call that hands a role to a service without being allowed to.

    For operations with a RoleArn, such as CreateTrainingJob. Whether the role's trust policy lets
    the service in is seen when the service takes it on.

    Raises:
        AccessDenied: or AccessDeniedException, with AWS's wording.
    """
    if call.principal.is_root and role_arn.split(":", 5)[4:5] == [call.account_id]:
        return
    policies = policies_of(call.documents, call.principal)
    context = RequestContext(call, {}, {"iam:PassedToService": service_principal})
    decision = evaluate(
        AccessRequest(call.principal, "iam:PassRole", role_arn, context),
        PolicySet(
            identity=policies.policies,
            boundary=policies.boundary,
            sessions=call.principal.session_policies,
            resource_account=(role_arn.split(":", 5) + [""] * 5)[4],
        ),
    )
    if not decision.is_allowed:
        raise denial(call, "iam:PassRole", role_arn, decision)
