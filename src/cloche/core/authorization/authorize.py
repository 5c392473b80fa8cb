"""The check that every call passes before its operation runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloche.core.authorization.context import RequestContext
from cloche.core.authorization.evaluate import AccessRequest, Decision, PolicySet, evaluate
from cloche.core.authorization.resources import resources_of
from cloche.core.errors import AccessDenied, AccessDeniedException, AWSError
from cloche.core.operations import Call, Operation

# Services of the query and XML protocols call the error AccessDenied, all others
# AccessDeniedException.
_SAY_ACCESS_DENIED = frozenset(
    {
        "autoscaling",
        "cloudformation",
        "cloudwatch",
        "elasticache",
        "elasticbeanstalk",
        "elb",
        "elbv2",
        "iam",
        "neptune",
        "rds",
        "redshift",
        "route53",
        "s3",
        "s3control",
        "ses",
        "sns",
        "sqs",
        "sts",
    }
)


def check(
    call: Call,
    operation: Operation,
    request: Mapping[str, Any],
    identity_policies: Sequence[str] = (),
    boundary: str | None = None,
    resource_policy: str | None = None,
    *,
    resource_account: str = "",
    keys: Mapping[str, str | Sequence[str]] | None = None,
) -> None:
    """Refuse a call that the policies don't allow on each of its resources.

    Args:
        call: the call; its principal brings its own session policies.
        operation: gives the action and the resources.
        request: the parsed input.
        identity_policies: JSON texts of the user's, its groups' or the role's policies.
        boundary: the principal's permissions boundary.
        resource_policy: of the resource.
        resource_account: owner of the resource where its ARN doesn't say so (S3).
        keys: condition keys of the service's own.

    Raises:
        AccessDenied: or AccessDeniedException, with AWS's wording.
    """
    principal = call.principal
    if principal.is_root and resource_policy is None and not resource_account:
        resources = () if operation.resource is None else resources_of(call, operation, request)
        if all(_account_of(resource) in ("", principal.account_id) for resource in resources):
            return
    context = RequestContext(call, request, keys)
    for resource in resources_of(call, operation, request):
        decision = evaluate(
            AccessRequest(principal, operation.action, resource, context),
            PolicySet(
                identity=identity_policies,
                boundary=boundary,
                sessions=principal.session_policies,
                resource=resource_policy,
                resource_account=resource_account or _account_of(resource),
            ),
        )
        if not decision.is_allowed:
            raise denial(call, operation.action, resource, decision)


def denial(call: Call, action: str, resource: str, decision: Decision) -> AWSError:
    """The error for a refused request, under the name that the service gives it."""
    error = AccessDenied if call.service in _SAY_ACCESS_DENIED else AccessDeniedException
    return error(denial_message(call.principal.arn, action, resource, decision))


def denial_message(arn: str, action: str, resource: str, decision: Decision) -> str:
    """AWS's sentence for a refused request.

    Source: IAM user guide, "Troubleshoot access denied error messages".
    """
    quoted = f'"{resource}"' if action.startswith("s3:") else resource
    where = "" if resource == "*" else f" on resource: {quoted}"
    kind = decision.kind
    if decision.verdict == "explicitDeny":
        article = "an" if kind.startswith("identity") else "a"
        why = f"with an explicit deny in {article} {kind}"
    else:
        why = f"because no {kind} allows the {action} action"
    return f"User: {arn or 'anonymous'} is not authorized to perform: {action}{where} {why}"


def _account_of(resource: str) -> str:
    """The account in an ARN; empty where it has none, and for AWS's own resources."""
    parts = resource.split(":", 5)
    account_id = parts[4] if len(parts) == 6 else ""
    return account_id if account_id.isdigit() else ""
