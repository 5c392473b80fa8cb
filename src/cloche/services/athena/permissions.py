"""Permissions of a caller that an operation needs beyond its own."""

from __future__ import annotations

from uuid import uuid4

from cloche.core.authorization.authorize import denial_message
from cloche.core.authorization.context import RequestContext
from cloche.core.authorization.evaluate import AccessRequest, PolicySet, evaluate
from cloche.core.operations import Call, Server
from cloche.core.principals import Principal
from cloche.services.glue.resource_policy_records import policy_for


def denial_of(
    server: Server, principal: Principal, region: str, action: str, arn: str
) -> str | None:
    """AWS's sentence for what a caller may not do; None if it may.

    Args:
        server: the server.
        principal: the caller.
        region: where.
        action: as policies name it (`glue:GetTable`).
        arn: on what.
    """
    service, _, operation = action.partition(":")
    policies = server.dispatcher.policies_of(principal)
    call = Call(server, service, operation, principal, region, str(uuid4()))
    decision = evaluate(
        AccessRequest(principal, action, arn, RequestContext(call, {})),
        PolicySet(
            identity=policies.policies,
            boundary=policies.boundary,
            sessions=principal.session_policies,
            resource=policy_for(call, {}) if service == "glue" else None,
        ),
    )
    return None if decision.is_allowed else denial_message(principal.arn, action, arn, decision)
