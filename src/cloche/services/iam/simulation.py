"""The policy simulator: what policies would say to a request that nobody makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloche.core.authorization.evaluate import (
    AccessRequest,
    Decision,
    PolicySet,
    evaluate,
)
from cloche.core.authorization.patterns import variables_in
from cloche.core.authorization.policy import MalformedPolicyDocument, parse_policy
from cloche.core.errors import NotImplementedException
from cloche.core.operations import Call
from cloche.core.principals import Principal
from cloche.services.iam.entities import Group
from cloche.services.iam.errors import InvalidInput
from cloche.services.iam.identity import policies_of
from cloche.services.iam.kinds import GROUPS, ROLES, USERS
from cloche.services.iam.managed import policy_text
from cloche.services.iam.paging import page
from cloche.services.iam.service import service

if TYPE_CHECKING:
    from aws_shapes import iam as shapes

_SOURCE_ARN = "{PolicySourceArn}"
_KINDS = {
    "identity-based policy": "PolicyInputList",
    "resource-based policy": "ResourcePolicy",
    "permissions boundary": "PermissionsBoundaryPolicyInputList",
    "session policy": "PolicyInputList",
}


@dataclass(frozen=True, slots=True)
class _Simulation:
    principal: Principal
    policies: PolicySet
    context: dict[str, tuple[str, ...]]


@service.operation
def simulate_custom_policy(
    call: Call, request: shapes.SimulateCustomPolicyRequest
) -> shapes.SimulatePolicyResponse:
    """Decide on actions and resources by the policies that the request brings.

    Organizations' policies and EC2's resource scenarios answer 501. AWS: IAM
    SimulateCustomPolicy.
    """
    principal = _principal(call, request.get("CallerArn"))
    return _simulate(call, request, principal, request["PolicyInputList"], None)


@service.operation(resource=_SOURCE_ARN)
def simulate_principal_policy(
    call: Call, request: shapes.SimulatePrincipalPolicyRequest
) -> shapes.SimulatePolicyResponse:
    """Decide by the policies of a user, group or role, and those that the request adds.

    AWS: IAM SimulatePrincipalPolicy.
    """
    if request.get("PolicyExclusionList"):
        raise NotImplementedException("Cloche does not leave policies out of a simulation yet.")
    source_arn = request["PolicySourceArn"]
    texts, boundary = _policies_of_source(call, source_arn)
    caller = _principal(call, request.get("CallerArn", source_arn))
    return _simulate(call, request, caller, [*texts, *request.get("PolicyInputList", [])], boundary)


def _policies_of_source(call: Call, arn: str) -> tuple[Sequence[str], str | None]:
    parts = arn.split(":", 5)
    noun = parts[-1].partition("/")[0]
    if len(parts) != 6 or parts[4] != call.account_id or noun not in ("user", "group", "role"):
        raise InvalidInput(
            f"Invalid Entity Arn: {arn} does not clearly define entity type and name."
        )
    if noun == "group":
        return _group_texts(call, GROUPS.get_by_arn(call, arn)), None
    policies = policies_of(call.documents, _principal(call, arn))
    return policies.policies, policies.boundary


def _group_texts(call: Call, group: Group) -> list[str]:
    managed = (policy_text(call.documents, arn) for arn in group.attached)
    return [*group.policies.values(), *(text for text in managed if text is not None)]


def _principal(call: Call, arn: str | None) -> Principal:
    """A principal of the account as its ARN describes it; the account's root for None.

    Raises:
        NoSuchEntity: there is no such user or role.
    """
    account_id = call.account_id
    noun = (arn or "").split(":", 5)[-1].partition("/")[0]
    if arn is not None and noun == "user":
        user = USERS.get_by_arn(call, arn)
        return Principal("IAMUser", account_id, arn, user.id, user.name, tags=user.tags)
    if arn is not None and noun == "role":
        role = ROLES.get_by_arn(call, arn)
        session = f"arn:aws:sts::{account_id}:assumed-role/{role.name}/simulation"
        return Principal(
            "AssumedRole",
            account_id,
            session,
            f"{role.id}:simulation",
            "simulation",
            role_arn=arn,
            tags=role.tags,
        )
    # Without root's exemption: a simulation is about the policies it is given.
    return Principal("IAMUser", account_id, arn or f"arn:aws:iam::{account_id}:root", account_id)


def _simulate(
    call: Call,
    request: Mapping[str, Any],
    principal: Principal,
    identity: Sequence[str],
    boundary: str | None,
) -> shapes.SimulatePolicyResponse:
    for member in ("OrderedOrganizationPolicyInputList", "ResourceHandlingOption"):
        if request.get(member):
            raise NotImplementedException(f"Cloche does not simulate {member} yet.")
    boundaries = request.get("PermissionsBoundaryPolicyInputList") or []
    policies = PolicySet(
        identity=identity,
        boundary=boundaries[0] if boundaries else boundary,
        resource=request.get("ResourcePolicy"),
        resource_account=request.get("ResourceOwner", "").rpartition("::")[2].split(":")[0],
    )
    given = [*identity, *boundaries, *([policies.resource] if policies.resource else [])]
    wanted = set(_context_keys(given))
    simulation = _Simulation(principal, policies, _context(call, principal, request))
    missing = sorted(key for key in wanted if simulation.context.get(key.lower()) is None)
    found = page(
        (
            (action, resource)
            for action in request["ActionNames"]
            for resource in request.get("ResourceArns") or ["*"]
        ),
        request,
        key=lambda one: "\n".join(one),
        show=lambda one: _result(simulation, *one, missing),
    )
    return {"EvaluationResults": found.items, **found.position}


def _result(
    simulation: _Simulation, action: str, resource: str, missing: list[str]
) -> shapes.EvaluationResult:
    request = AccessRequest(simulation.principal, action, resource, simulation.context)
    decision = evaluate(request, simulation.policies)
    result: shapes.EvaluationResult = {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": decision.verdict,
        "MatchedStatements": _matched(decision),
        "MissingContextValues": missing,
    }
    if decision.boundary_allows is not None:
        result["PermissionsBoundaryDecisionDetail"] = {
            "AllowedByPermissionsBoundary": decision.boundary_allows
        }
    return result


def _matched(decision: Decision) -> list[shapes.Statement]:
    return [
        {
            "SourcePolicyId": f"{_KINDS[match.kind]}.{match.index + 1}",
            "SourcePolicyType": "IAM Policy",
        }
        for match in decision.matches
    ]


def _context(
    call: Call, principal: Principal, request: Mapping[str, Any]
) -> dict[str, tuple[str, ...]]:
    context: dict[str, tuple[str, ...]] = {
        "aws:currenttime": (call.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),),
        "aws:epochtime": (str(int(call.clock.time())),),
        "aws:principalarn": (principal.role_arn or principal.arn,),
        "aws:principalaccount": (principal.account_id,),
        "aws:userid": (principal.user_id,),
    }
    if principal.kind == "IAMUser" and principal.name:
        context["aws:username"] = (principal.name,)
    for key, value in principal.tags:
        context[f"aws:principaltag/{key.lower()}"] = (value,)
    for entry in request.get("ContextEntries") or []:
        context[entry.get("ContextKeyName", "").lower()] = tuple(entry.get("ContextKeyValues", []))
    return context


def _context_keys(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        try:
            policy = parse_policy(text)
        except MalformedPolicyDocument as error:
            raise InvalidInput(f"Invalid Policy Input: {error.message}") from error
        for statement in policy.statements:
            for condition in statement.conditions:
                yield condition.written_key
            if policy.has_variables:
                for written in (*statement.resources, *_values(statement.conditions)):
                    yield from variables_in(written)


def _values(conditions: Iterable[Any]) -> Iterator[str]:
    for condition in conditions:
        yield from condition.values


@service.operation
def get_context_keys_for_custom_policy(
    call: Call, request: shapes.GetContextKeysForCustomPolicyRequest
) -> shapes.GetContextKeysForPolicyResponse:
    """List the condition keys that policies ask for. AWS: IAM GetContextKeysForCustomPolicy."""
    return {"ContextKeyNames": sorted(set(_context_keys(request["PolicyInputList"])))}


@service.operation(resource=_SOURCE_ARN)
def get_context_keys_for_principal_policy(
    call: Call, request: shapes.GetContextKeysForPrincipalPolicyRequest
) -> shapes.GetContextKeysForPolicyResponse:
    """List the condition keys that a principal's policies ask for, and further policies'.

    AWS: IAM GetContextKeysForPrincipalPolicy.
    """
    texts, boundary = _policies_of_source(call, request["PolicySourceArn"])
    given = [*texts, *request.get("PolicyInputList", []), *([boundary] if boundary else [])]
    return {"ContextKeyNames": sorted(set(_context_keys(given)))}
