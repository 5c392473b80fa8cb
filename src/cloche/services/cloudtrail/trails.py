"""Trails: create, get, describe, list, update, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.documents import Transaction
from cloche.core.errors import NotImplementedException
from cloche.core.operations import Call
from cloche.services.cloudtrail import delivery
from cloche.services.cloudtrail.bucket_access import check_destination
from cloche.services.cloudtrail.errors import (
    InvalidParameterCombinationException,
    MaximumNumberOfTrailsExceededException,
    OrganizationsNotInUseException,
    TrailAlreadyExistsException,
    TrailNotFoundException,
)
from cloche.services.cloudtrail.service import service
from cloche.services.cloudtrail.tag_rules import checked_tags
from cloche.services.cloudtrail.trail_records import (
    MAXIMUM_TRAILS_IN_REGION,
    Trail,
    check_trail_name,
    find_trail,
    key_of,
    trail_to_change,
    trails,
    trails_of_account,
)

if TYPE_CHECKING:
    from aws_shapes import cloudtrail as shapes

TRAIL = "arn:{partition}:cloudtrail:{region}:{account}:trail/{Name}"

_MEMBERS = {
    "S3BucketName": "bucket",
    "S3KeyPrefix": "prefix",
    "IncludeGlobalServiceEvents": "includes_global_events",
    "IsMultiRegionTrail": "is_multi_region",
    "RecursiveLogging": "logs_own_deliveries",
}
_NOT_HONOURED = (
    "SnsTopicName",
    "EnableLogFileValidation",
    "CloudWatchLogsLogGroupArn",
    "CloudWatchLogsRoleArn",
    "KmsKeyId",
)


@service.operation(resource=TRAIL)
def create_trail(call: Call, request: shapes.CreateTrailRequest) -> shapes.CreateTrailResponse:
    """Make a trail, which does not log until StartLogging.

    Raises TrailAlreadyExistsException if the name is taken, S3BucketDoesNotExistException or
    InsufficientS3BucketPolicyException if it could not deliver. AWS: CloudTrail CreateTrail.
    """
    check_trail_name(request["Name"])
    trail = Trail(
        name=request["Name"],
        account_id=call.account_id,
        home_region=call.region,
        tags=checked_tags({}, request.get("TagsList", [])),
        **_settings(request),
    )
    _check(call, trail)

    def insert(tx: Transaction) -> None:
        in_region = list(tx.scan(trails, call.account_id, "", f"{call.region}/"))
        if any(document.value.name == trail.name for document in in_region):
            raise TrailAlreadyExistsException(
                f"Trail {trail.name} already exists for customer: {call.account_id}"
            )
        if len(in_region) >= MAXIMUM_TRAILS_IN_REGION:
            raise MaximumNumberOfTrailsExceededException(
                f"User: {call.account_id} already has {len(in_region)} trails in {call.region}."
            )
        tx.insert(trails, call.account_id, "", trail.key, trail)
        delivery.ensure_job(call.server, tx)

    call.documents.transact(insert)
    return _settings_shown(trail)


@service.operation(resource=TRAIL)
def get_trail(call: Call, request: shapes.GetTrailRequest) -> shapes.GetTrailResponse:
    """Settings of a trail.

    Raises TrailNotFoundException if there is none. AWS: CloudTrail GetTrail.
    """
    return {"Trail": _described(find_trail(call, request["Name"]))}


@service.operation
def describe_trails(
    call: Call, request: shapes.DescribeTrailsRequest
) -> shapes.DescribeTrailsResponse:
    """Settings of trails, without an error for those that do not exist.

    Trails of other regions that log this one too are told unless includeShadowTrails is false.
    AWS: CloudTrail DescribeTrails.
    """
    named: list[Any] = request.get("trailNameList", [])
    found = [_found(call, name) for name in named] if named else _seen_in_region(call)
    shows_shadows = request.get("includeShadowTrails", True)
    return {
        "trailList": [
            _described(trail)
            for trail in found
            if trail is not None and (shows_shadows or trail.home_region == call.region)
        ]
    }


@service.operation
def list_trails(call: Call, request: shapes.ListTrailsRequest) -> shapes.ListTrailsResponse:
    """Names of the account's trails in all regions, on one page. AWS: CloudTrail ListTrails."""
    found = trails_of_account(call.documents, call.account_id)
    return {
        "Trails": [
            {"TrailARN": trail.arn, "Name": trail.name, "HomeRegion": trail.home_region}
            for trail in found
        ]
    }


@service.operation(resource=TRAIL)
def update_trail(call: Call, request: shapes.UpdateTrailRequest) -> shapes.UpdateTrailResponse:
    """Change settings of a trail; those that are not given stay.

    Raises InvalidHomeRegionException in another region than the trail's own. AWS: CloudTrail
    UpdateTrail.
    """
    key = key_of(call, request["Name"])
    changes = _settings(request)
    _check(call, replace(find_trail(call, request["Name"]), **changes))

    def update(tx: Transaction) -> Trail:
        trail = replace(trail_to_change(tx, call, key), **changes)
        tx.put(trails, call.account_id, "", key, trail)
        return trail

    return _settings_shown(call.documents.transact(update))


@service.operation(resource=TRAIL)
def delete_trail(call: Call, request: shapes.DeleteTrailRequest) -> shapes.DeleteTrailResponse:
    """Forget a trail; what it delivered stays, what it had not yet delivered is not.

    Raises TrailNotFoundException if there is none. AWS: CloudTrail DeleteTrail.
    """
    key = key_of(call, request["Name"])

    def delete(tx: Transaction) -> None:
        trail_to_change(tx, call, key)
        tx.delete(trails, call.account_id, "", key)
        delivery.forget(tx, call.account_id, key)

    call.documents.transact(delete)
    return {}


def _settings(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a request says of a trail's settings.

    Raises:
        NotImplementedException: it asks for what Cloche does not do.
        OrganizationsNotInUseException: it asks for an organization's trail.
    """
    for member in _NOT_HONOURED:
        if request.get(member):
            raise NotImplementedException(
                f"Cloche does not implement {member} of CloudTrail's trails yet."
            )
    if request.get("IsOrganizationTrail"):
        raise OrganizationsNotInUseException(
            "Your account is not a member of an organization; Cloche has no organizations."
        )
    return {name: request[member] for member, name in _MEMBERS.items() if member in request}


def _check(call: Call, trail: Trail) -> None:
    if trail.is_multi_region and not trail.includes_global_events:
        raise InvalidParameterCombinationException(
            "Multi-Region trail must include global service events."
        )
    check_destination(call, trail)


def _found(call: Call, name_or_arn: str) -> Trail | None:
    try:
        return find_trail(call, name_or_arn)
    except TrailNotFoundException:
        return _shadow(call, name_or_arn)


def _shadow(call: Call, name: str) -> Trail | None:
    """The trail of another region that logs this one too, by its name."""
    found = (trail for trail in _seen_in_region(call) if trail.name == name)
    return next(found, None)


def _seen_in_region(call: Call) -> list[Trail]:
    return [
        trail
        for trail in trails_of_account(call.documents, call.account_id)
        if trail.is_multi_region or trail.home_region == call.region
    ]


def _settings_shown(trail: Trail) -> Any:
    shown: dict[str, Any] = {
        "Name": trail.name,
        "S3BucketName": trail.bucket,
        "IncludeGlobalServiceEvents": trail.includes_global_events,
        "IsMultiRegionTrail": trail.is_multi_region,
        "TrailARN": trail.arn,
        "LogFileValidationEnabled": False,
        "IsOrganizationTrail": False,
        "RecursiveLogging": trail.logs_own_deliveries,
    }
    if trail.prefix:
        shown["S3KeyPrefix"] = trail.prefix
    return shown


def _described(trail: Trail) -> Any:
    selectors = (trail.event_selectors, trail.advanced_event_selectors)
    return {
        **_settings_shown(trail),
        "HomeRegion": trail.home_region,
        "HasCustomEventSelectors": selectors != (None, None),
        "HasInsightSelectors": False,
    }
