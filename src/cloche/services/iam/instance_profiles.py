"""Instance profiles, each a cover for one role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from cloche.core.documents import Documents, Transaction
from cloche.core.operations import Call
from cloche.services.iam import entities, identifiers, show
from cloche.services.iam.access import arn_of, below
from cloche.services.iam.entities import InstanceProfile
from cloche.services.iam.errors import DeleteConflict
from cloche.services.iam.kinds import INSTANCE_PROFILES, ROLES, exceeded, refuse_service_linked
from cloche.services.iam.paging import page
from cloche.services.iam.pass_role import check_pass_role
from cloche.services.iam.service import service
from cloche.services.iam.tags import merge_tags, read_tags, show_tag, without_tags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_shapes import Empty
    from aws_shapes import iam as shapes

_ALL = 100_000
_PROFILE_ARN = arn_of(INSTANCE_PROFILES, "InstanceProfileName")


def profiles_of_role(
    source: Documents | Transaction, account_id: str, role_name: str
) -> Iterator[InstanceProfile]:
    """The instance profiles that a role is in."""
    for document in source.scan(entities.instance_profiles, account_id, "", limit=_ALL):
        if document.value.role == role_name:
            yield document.value


def _show(call: Call, profile: InstanceProfile) -> shapes.InstanceProfile:
    role = ROLES.find(call.documents, call.account_id, profile.role) if profile.role else None
    return show.instance_profile(call.account_id, profile, role)


@service.operation(resource=_PROFILE_ARN)
def create_instance_profile(
    call: Call, request: shapes.CreateInstanceProfileRequest
) -> shapes.CreateInstanceProfileResponse:
    """Create an instance profile.

    Raises EntityAlreadyExists if the name is taken. AWS: IAM CreateInstanceProfile.
    """
    profile = InstanceProfile(
        name=request["InstanceProfileName"],
        path=request.get("Path", "/"),
        id=identifiers.unique_id(identifiers.INSTANCE_PROFILE_PREFIX),
        created_at=call.clock.now().replace(microsecond=0),
        tags=read_tags(request.get("Tags", [])),
    )
    INSTANCE_PROFILES.create(call, profile)
    return {"InstanceProfile": _show(call, profile)}


@service.operation(resource=_PROFILE_ARN)
def get_instance_profile(
    call: Call, request: shapes.GetInstanceProfileRequest
) -> shapes.GetInstanceProfileResponse:
    """Describe an instance profile and its role. AWS: IAM GetInstanceProfile."""
    profile = INSTANCE_PROFILES.get(call, request["InstanceProfileName"])
    return {"InstanceProfile": _show(call, profile)}


@service.operation(resource=below(INSTANCE_PROFILES))
def list_instance_profiles(
    call: Call, request: shapes.ListInstanceProfilesRequest
) -> shapes.ListInstanceProfilesResponse:
    """List instance profiles below a path, by name. AWS: IAM ListInstanceProfiles."""
    found = page(
        INSTANCE_PROFILES.below(call.documents, call.account_id, request.get("PathPrefix", "/")),
        request,
        key=lambda profile: profile.name,
        show=lambda profile: _show(call, profile),
    )
    return {"InstanceProfiles": found.items, **found.position}


@service.operation(resource=arn_of(ROLES, "RoleName"))
def list_instance_profiles_for_role(
    call: Call, request: shapes.ListInstanceProfilesForRoleRequest
) -> shapes.ListInstanceProfilesForRoleResponse:
    """List the instance profiles that a role is in. AWS: IAM ListInstanceProfilesForRole."""
    role = ROLES.get(call, request["RoleName"])
    found = page(
        profiles_of_role(call.documents, call.account_id, role.name),
        request,
        key=lambda profile: profile.name,
        show=lambda profile: _show(call, profile),
    )
    return {"InstanceProfiles": found.items, **found.position}


@service.operation(resource=_PROFILE_ARN)
def delete_instance_profile(call: Call, request: shapes.DeleteInstanceProfileRequest) -> Empty:
    """Delete an instance profile that has no role.

    Raises DeleteConflict if it has one. AWS: IAM DeleteInstanceProfile.
    """
    account_id, name = call.account_id, request["InstanceProfileName"]

    def work(transaction: Transaction) -> None:
        if INSTANCE_PROFILES.need(transaction, account_id, name).role:
            raise DeleteConflict(
                "Cannot delete entity, must remove roles from instance profile first."
            )
        transaction.delete(entities.instance_profiles, account_id, "", name.lower())

    call.documents.transact(work)
    return {}


@service.operation(resource=_PROFILE_ARN)
def add_role_to_instance_profile(
    call: Call, request: shapes.AddRoleToInstanceProfileRequest
) -> Empty:
    """Put a role into an instance profile, and so pass it to EC2.

    Raises AccessDenied without iam:PassRole on the role, LimitExceeded if there is one in it.
    AWS: IAM AddRoleToInstanceProfile.
    """
    role = refuse_service_linked(ROLES.get(call, request["RoleName"]))
    check_pass_role(call, ROLES.arn(call.account_id, role), "ec2.amazonaws.com")

    def add(profile: InstanceProfile) -> InstanceProfile:
        if profile.role:
            raise exceeded("InstanceSessionsPerInstanceProfile", 1)
        return replace(profile, role=role.name)

    INSTANCE_PROFILES.edit(call, request["InstanceProfileName"], add)
    return {}


@service.operation(resource=_PROFILE_ARN)
def remove_role_from_instance_profile(
    call: Call, request: shapes.RemoveRoleFromInstanceProfileRequest
) -> Empty:
    """Take a role out of an instance profile.

    Raises NoSuchEntity if it is not in it. AWS: IAM RemoveRoleFromInstanceProfile.
    """
    name = request["RoleName"]

    def remove(profile: InstanceProfile) -> InstanceProfile:
        if profile.role.lower() != name.lower():
            raise ROLES.not_found(name)
        return replace(profile, role="")

    INSTANCE_PROFILES.edit(call, request["InstanceProfileName"], remove)
    return {}


@service.operation(resource=_PROFILE_ARN)
def tag_instance_profile(call: Call, request: shapes.TagInstanceProfileRequest) -> Empty:
    """Add tags to an instance profile. AWS: IAM TagInstanceProfile."""
    tags = read_tags(request["Tags"])
    INSTANCE_PROFILES.edit(
        call,
        request["InstanceProfileName"],
        lambda profile: replace(profile, tags=merge_tags(profile.tags, tags)),
    )
    return {}


@service.operation(resource=_PROFILE_ARN)
def untag_instance_profile(call: Call, request: shapes.UntagInstanceProfileRequest) -> Empty:
    """Remove tags from an instance profile. AWS: IAM UntagInstanceProfile."""
    keys = request["TagKeys"]
    INSTANCE_PROFILES.edit(
        call,
        request["InstanceProfileName"],
        lambda profile: replace(profile, tags=without_tags(profile.tags, keys)),
    )
    return {}


@service.operation(resource=_PROFILE_ARN)
def list_instance_profile_tags(
    call: Call, request: shapes.ListInstanceProfileTagsRequest
) -> shapes.ListInstanceProfileTagsResponse:
    """List an instance profile's tags. AWS: IAM ListInstanceProfileTags."""
    profile = INSTANCE_PROFILES.get(call, request["InstanceProfileName"])
    found = page(profile.tags, request, key=lambda pair: pair[0], show=show_tag)
    return {"Tags": found.items, **found.position}
