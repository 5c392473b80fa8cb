"""The resource policy of a catalog: put, get, delete."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from cloche.core.arns import InvalidArn, parse_arn
from cloche.core.authorization.grammar import validate_resource_policy
from cloche.core.authorization.policy import MalformedPolicyDocument
from cloche.core.documents import Transaction
from cloche.core.operations import Call
from cloche.services.glue.arns import arn, catalog_arns
from cloche.services.glue.errors import (
    ConditionCheckFailureException,
    EntityNotFoundException,
    InvalidInputException,
)
from cloche.services.glue.refusals import not_implemented
from cloche.services.glue.resource_policy_records import (
    POLICY,
    ResourcePolicy,
    resource_policies,
)
from cloche.services.glue.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import glue as shapes


@service.operation(resource=catalog_arns)
def put_resource_policy(
    call: Call, request: shapes.PutResourcePolicyRequest
) -> shapes.PutResourcePolicyResponse:
    """Set the catalog's policy.

    Raises InvalidInputException for what is no resource policy, ConditionCheckFailureException if
    a condition on the policy before is not met, EntityNotFoundException if one must exist and
    doesn't. AWS: Glue PutResourcePolicy.
    """
    _check_arn(call, request.get("ResourceArn"))
    text = request["PolicyInJson"]
    _check_policy(text)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    def put(tx: Transaction) -> None:
        before = tx.get(resource_policies, call.account_id, call.region, POLICY)
        condition = request.get("PolicyExistsCondition", "NONE")
        if condition == "MUST_EXIST" and before is None:
            raise EntityNotFoundException("Policy not found.")
        if condition == "NOT_EXIST" and before is not None:
            raise ConditionCheckFailureException("A resource policy exists already.")
        _check_digest(before, request.get("PolicyHashCondition"))
        now = call.clock.time()
        created_at = now if before is None else before.created_at
        policy = ResourcePolicy(text, digest, created_at, now)
        tx.put(resource_policies, call.account_id, call.region, POLICY, policy)

    call.documents.transact(put)
    return {"PolicyHash": digest}


@service.operation(resource=catalog_arns)
def get_resource_policy(
    call: Call, request: shapes.GetResourcePolicyRequest
) -> shapes.GetResourcePolicyResponse:
    """The catalog's policy.

    Raises EntityNotFoundException if there is none. AWS: Glue GetResourcePolicy.
    """
    _check_arn(call, request.get("ResourceArn"))
    found = call.documents.get(resource_policies, call.account_id, call.region, POLICY)
    if found is None:
        raise EntityNotFoundException("Policy not found.")
    return _shown(found)


@service.operation(resource=catalog_arns)
def get_resource_policies(
    call: Call, request: shapes.GetResourcePoliciesRequest
) -> shapes.GetResourcePoliciesResponse:
    """All policies of the account: the catalog's, if there is one.

    AWS: Glue GetResourcePolicies.
    """
    if request.get("NextToken"):
        raise InvalidInputException("Invalid NextToken.")
    found = call.documents.get(resource_policies, call.account_id, call.region, POLICY)
    return {"GetResourcePoliciesResponseList": [] if found is None else [_shown(found)]}


@service.operation(resource=catalog_arns)
def delete_resource_policy(call: Call, request: shapes.DeleteResourcePolicyRequest) -> Empty:
    """Remove the catalog's policy.

    Raises EntityNotFoundException if there is none, ConditionCheckFailureException if it has
    another hash. AWS: Glue DeleteResourcePolicy.
    """
    _check_arn(call, request.get("ResourceArn"))

    def delete(tx: Transaction) -> None:
        before = tx.delete(resource_policies, call.account_id, call.region, POLICY)
        if before is None:
            raise EntityNotFoundException("Policy not found.")
        _check_digest(before, request.get("PolicyHashCondition"))

    call.documents.transact(delete)
    return {}


def _check_policy(text: str) -> None:
    try:
        policy = validate_resource_policy(text)
    except MalformedPolicyDocument as error:
        raise InvalidInputException(f"Invalid policy: {error.message}") from None
    for statement in policy.statements:
        for action in statement.actions:
            if not (action == "*" or action.lower().startswith("glue:")):
                raise InvalidInputException(f"The action {action} is not one of Glue's.")


def _check_arn(call: Call, text: str | None) -> None:
    """Only the account's own catalog has a policy."""
    if text is None or text == arn(call, call.account_id, "catalog"):
        return
    try:
        parse_arn(text)
    except InvalidArn:
        raise InvalidInputException(f"{text} is not an ARN.") from None
    raise not_implemented("policies of other resources than the catalog")


def _check_digest(before: ResourcePolicy | None, expected: str | None) -> None:
    if expected is not None and (before is None or before.digest != expected):
        raise ConditionCheckFailureException("The policy has another hash.")


def _shown(policy: ResourcePolicy) -> Any:
    return {
        "PolicyInJson": policy.text,
        "PolicyHash": policy.digest,
        "CreateTime": policy.created_at,
        "UpdateTime": policy.updated_at,
    }
