"""Service-linked roles, which only their service may change."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cloche.core.documents import DocumentExists, Transaction
from cloche.core.operations import Call
from cloche.services.iam import entities, identifiers, show
from cloche.services.iam.access import arn_of
from cloche.services.iam.entities import DeletionTask, Role
from cloche.services.iam.errors import InvalidInput, NoSuchEntity
from cloche.services.iam.kinds import ROLES
from cloche.services.iam.service import service

if TYPE_CHECKING:
    from aws_shapes import iam as shapes

_TASK_KEPT = timedelta(days=30)
_SWEPT_AT_ONCE = 1000

_SERVICE = re.compile(r"([a-z0-9-]+\.)?([a-z0-9-]+)\.amazonaws\.com")
_SUFFIX = re.compile(r"[\w+=,.@-]{1,64}")

# Where AWS's name of the role is not the service's own name with a capital letter.
_NAMES = {
    "application-autoscaling": "ApplicationAutoScaling",
    "autoscaling": "AutoScaling",
    "cloudtrail": "CloudTrail",
    "ecs": "ECS",
    "eks": "AmazonEKS",
    "elasticloadbalancing": "ElasticLoadBalancing",
    "elasticmapreduce": "EMRCleanup",
    "events": "CloudWatchEvents",
    "kafka": "Kafka",
    "lakeformation": "LakeFormationDataAccess",
    "opensearchservice": "AmazonOpenSearchService",
    "rds": "RDS",
    "sagemaker": "AmazonSageMakerNotebooks",
}


def _role_name(service_name: str, suffix: str | None) -> str:
    match = _SERVICE.fullmatch(service_name)
    if match is None:
        raise InvalidInput(f"Service name {service_name} is not valid.")
    scope, name = match.groups()
    base = "AWSServiceRoleFor" + _NAMES.get(name, name.replace("-", " ").title().replace(" ", ""))
    if scope:
        base += "_" + scope.removesuffix(".").capitalize()
    if suffix is None:
        return base
    if _SUFFIX.fullmatch(suffix) is None:
        raise InvalidInput(f"Custom suffix {suffix} is not valid.")
    return f"{base}_{suffix}"


def _resource(call: Call, request: Mapping[str, Any]) -> list[str]:
    service_name = request["AWSServiceName"]
    name = _role_name(service_name, request.get("CustomSuffix"))
    return [f"arn:aws:iam::{call.account_id}:role/aws-service-role/{service_name}/{name}"]


@service.operation(resource=_resource)
def create_service_linked_role(
    call: Call, request: shapes.CreateServiceLinkedRoleRequest
) -> shapes.CreateServiceLinkedRoleResponse:
    """Create the role that a service takes on in this account.

    It has no policy attached: what services do here needs none. Raises InvalidInput if there is
    one. AWS: IAM CreateServiceLinkedRole.
    """
    service_name = request["AWSServiceName"]
    name = _role_name(service_name, request.get("CustomSuffix"))
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": service_name},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = Role(
        name=name,
        path=f"/aws-service-role/{service_name}/",
        id=identifiers.unique_id(identifiers.ROLE_PREFIX),
        created_at=call.clock.now().replace(microsecond=0),
        trust_policy=json.dumps(trust),
        description=request.get("Description"),
    )
    try:
        call.documents.insert(entities.roles, call.account_id, "", name.lower(), role)
    except DocumentExists as error:
        raise InvalidInput(
            f"Service role name {name} has been taken in this account, please try a different"
            " suffix."
        ) from error
    return {"Role": show.role(call.account_id, role)}


@service.operation(resource=arn_of(ROLES, "RoleName"))
def delete_service_linked_role(
    call: Call, request: shapes.DeleteServiceLinkedRoleRequest
) -> shapes.DeleteServiceLinkedRoleResponse:
    """Delete a service-linked role, at once.

    What became of it can be asked for thirty days. Raises NoSuchEntity if there is none of the
    name. AWS: IAM DeleteServiceLinkedRole.
    """
    account_id, name = call.account_id, request["RoleName"]
    now, unique = call.clock.now().replace(microsecond=0), uuid.uuid4()

    def work(transaction: Transaction) -> str:
        role = ROLES.need(transaction, account_id, name)
        if not role.is_service_linked:
            raise ROLES.not_found(name)
        transaction.delete(entities.roles, account_id, "", name.lower())
        _sweep_tasks(transaction, account_id, now)
        task = f"task{role.path}{role.name}/{unique}"
        transaction.insert(entities.deletion_tasks, account_id, "", task, DeletionTask(now))
        return task

    return {"DeletionTaskId": call.documents.transact(work)}


def _sweep_tasks(transaction: Transaction, account_id: str, now: datetime) -> None:
    tasks = transaction.scan(entities.deletion_tasks, account_id, "", limit=_SWEPT_AT_ONCE)
    for document in tasks:
        if document.value.finished_at + _TASK_KEPT < now:
            transaction.delete(entities.deletion_tasks, account_id, "", document.name)


@service.operation
def get_service_linked_role_deletion_status(
    call: Call, request: shapes.GetServiceLinkedRoleDeletionStatusRequest
) -> shapes.GetServiceLinkedRoleDeletionStatusResponse:
    """Tell how a deletion went: it succeeded. AWS: IAM GetServiceLinkedRoleDeletionStatus."""
    name = request["DeletionTaskId"]
    task = call.documents.get(entities.deletion_tasks, call.account_id, "", name)
    if task is None or task.finished_at + _TASK_KEPT < call.clock.now():
        raise NoSuchEntity(f"The deletion task with id {name} cannot be found.")
    return {"Status": "SUCCEEDED"}
