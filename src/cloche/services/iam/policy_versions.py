"""Versions of managed policies; the default one is in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from cloche.core.operations import Call
from cloche.services.iam import show
from cloche.services.iam.documents_in import check_managed_policy
from cloche.services.iam.entities import ManagedPolicy, PolicyVersion
from cloche.services.iam.errors import DeleteConflict, LimitExceeded, NoSuchEntity
from cloche.services.iam.paging import page
from cloche.services.iam.policies import POLICY_ARN, edit_policy, get_policy_of, own_policy
from cloche.services.iam.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import iam as shapes

VERSIONS_LIMIT = 5


def _show(policy: ManagedPolicy, version: PolicyVersion) -> shapes.PolicyVersion:
    return {
        "VersionId": version.id,
        "IsDefaultVersion": version.id == policy.default_version_id,
        "CreateDate": version.created_at,
    }


def _need(policy: ManagedPolicy, arn: str, version_id: str) -> PolicyVersion:
    version = policy.version(version_id)
    if version is None:
        raise NoSuchEntity(
            f"Policy {arn} version {version_id} does not exist or is not attachable."
        )
    return version


@service.operation(resource=POLICY_ARN)
def create_policy_version(
    call: Call, request: shapes.CreatePolicyVersionRequest
) -> shapes.CreatePolicyVersionResponse:
    """Add a version to a managed policy and, if asked to, put it in force.

    Raises LimitExceeded if there are five. AWS: IAM CreatePolicyVersion.
    """
    text = request["PolicyDocument"]
    own_policy(call, request["PolicyArn"])
    check_managed_policy(text)
    now = call.clock.now().replace(microsecond=0)

    def add(policy: ManagedPolicy) -> ManagedPolicy:
        if len(policy.versions) >= VERSIONS_LIMIT:
            raise LimitExceeded(
                f"A managed policy can have up to {VERSIONS_LIMIT} versions. Before you create a"
                " new version, you must delete an existing version."
            )
        number = policy.last_version + 1
        version = PolicyVersion(id=f"v{number}", text=text, created_at=now)
        return replace(
            policy,
            versions=(*policy.versions, version),
            last_version=number,
            default_version_id=(
                version.id if request.get("SetAsDefault") else policy.default_version_id
            ),
            updated_at=now,
        )

    policy = edit_policy(call, request["PolicyArn"], add)
    return {"PolicyVersion": _show(policy, policy.versions[-1])}


@service.operation(resource=POLICY_ARN)
def get_policy_version(
    call: Call, request: shapes.GetPolicyVersionRequest
) -> shapes.GetPolicyVersionResponse:
    """Describe a version with its document. AWS: IAM GetPolicyVersion."""
    policy = get_policy_of(call, request["PolicyArn"])
    version = _need(policy, request["PolicyArn"], request["VersionId"])
    return {"PolicyVersion": {**_show(policy, version), "Document": show.document(version.text)}}


@service.operation(resource=POLICY_ARN)
def list_policy_versions(
    call: Call, request: shapes.ListPolicyVersionsRequest
) -> shapes.ListPolicyVersionsResponse:
    """List a policy's versions, the newest first. AWS: IAM ListPolicyVersions."""
    policy = get_policy_of(call, request["PolicyArn"])
    found = page(
        policy.versions,
        request,
        key=lambda version: f"{10**9 - int(version.id[1:]):010d}",
        show=lambda version: _show(policy, version),
    )
    return {"Versions": found.items, **found.position}


@service.operation(resource=POLICY_ARN)
def set_default_policy_version(call: Call, request: shapes.SetDefaultPolicyVersionRequest) -> Empty:
    """Put a version in force. AWS: IAM SetDefaultPolicyVersion."""
    arn, version_id = request["PolicyArn"], request["VersionId"]
    now = call.clock.now().replace(microsecond=0)
    edit_policy(
        call,
        arn,
        lambda policy: replace(
            policy, default_version_id=_need(policy, arn, version_id).id, updated_at=now
        ),
    )
    return {}


@service.operation(resource=POLICY_ARN)
def delete_policy_version(call: Call, request: shapes.DeletePolicyVersionRequest) -> Empty:
    """Delete a version that is not in force.

    Raises DeleteConflict for the default version. AWS: IAM DeletePolicyVersion.
    """
    arn, version_id = request["PolicyArn"], request["VersionId"]

    def remove(policy: ManagedPolicy) -> ManagedPolicy:
        removed = _need(policy, arn, version_id)
        if removed.id == policy.default_version_id:
            raise DeleteConflict("Cannot delete the default version of a policy.")
        kept = tuple(version for version in policy.versions if version.id != removed.id)
        return replace(policy, versions=kept)

    edit_policy(call, arn, remove)
    return {}
