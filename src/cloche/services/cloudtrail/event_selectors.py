"""Event selectors of trails: put, get, and what they may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.documents import Transaction
from cloche.core.errors import NotImplementedException
from cloche.core.operations import Call
from cloche.services.cloudtrail.errors import InvalidEventSelectorsException
from cloche.services.cloudtrail.selection import ALL_RESOURCES, FIELDS
from cloche.services.cloudtrail.service import service
from cloche.services.cloudtrail.trail_records import (
    Trail,
    find_trail,
    key_of,
    trail_to_change,
    trails,
)

if TYPE_CHECKING:
    from aws_shapes import cloudtrail as shapes

TRAIL = "arn:{partition}:cloudtrail:{region}:{account}:trail/{TrailName}"

_MAXIMUM_SELECTORS = 5
_MAXIMUM_DATA_RESOURCES = 250
_MAXIMUM_ADVANCED_VALUES = 500
_EXCLUDABLE_SOURCES = frozenset({"kms.amazonaws.com", "rdsdata.amazonaws.com"})
_OPERATORS = frozenset(
    {"Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith"}
)
_EQUALS_ONLY = frozenset({"eventCategory", "readOnly", "resources.type"})
_DATA_ONLY = frozenset({"resources.ARN", "resources.type"})
_BASIC_TYPES = frozenset({"AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::S3::Object"})
_DEFAULT_SELECTOR: dict[str, Any] = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}


@service.operation(resource=TRAIL)
def put_event_selectors(
    call: Call, request: shapes.PutEventSelectorsRequest
) -> shapes.PutEventSelectorsResponse:
    """Say which events a trail takes, in place of what was said before.

    Raises InvalidEventSelectorsException if AWS would; NotImplementedException for data of
    services that Cloche does not have. AWS: CloudTrail PutEventSelectors.
    """
    key = key_of(call, request["TrailName"])
    changes = _checked(request)

    def put(tx: Transaction) -> Trail:
        trail = replace(trail_to_change(tx, call, key), **changes)
        tx.put(trails, call.account_id, "", key, trail)
        return trail

    return _shown(call.documents.transact(put))


@service.operation(resource=TRAIL)
def get_event_selectors(
    call: Call, request: shapes.GetEventSelectorsRequest
) -> shapes.GetEventSelectorsResponse:
    """Which events a trail takes. AWS: CloudTrail GetEventSelectors."""
    return _shown(find_trail(call, request["TrailName"]))


def _shown(trail: Trail) -> Any:
    if trail.advanced_event_selectors is not None:
        return {
            "TrailARN": trail.arn,
            "AdvancedEventSelectors": list(trail.advanced_event_selectors),
        }
    selectors = trail.event_selectors
    return {
        "TrailARN": trail.arn,
        "EventSelectors": [_DEFAULT_SELECTOR] if selectors is None else list(selectors),
    }


def _checked(request: Mapping[str, Any]) -> dict[str, Any]:
    basic: Sequence[dict[str, Any]] = request.get("EventSelectors") or ()
    advanced: Sequence[dict[str, Any]] = request.get("AdvancedEventSelectors") or ()
    if bool(basic) == bool(advanced):
        raise InvalidEventSelectorsException(
            "Specify either EventSelectors or AdvancedEventSelectors, and only one of them."
        )
    if basic:
        return {"event_selectors": _checked_basic(basic), "advanced_event_selectors": None}
    _check_advanced(advanced)
    return {"event_selectors": None, "advanced_event_selectors": tuple(advanced)}


def _checked_basic(selectors: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    if len(selectors) > _MAXIMUM_SELECTORS:
        raise InvalidEventSelectorsException(
            f"A trail can have up to {_MAXIMUM_SELECTORS} event selectors."
        )
    complete = tuple({**_DEFAULT_SELECTOR, **selector} for selector in selectors)
    resources = [resource for each in complete for resource in each["DataResources"]]
    if sum(len(resource.get("Values", ())) for resource in resources) > _MAXIMUM_DATA_RESOURCES:
        raise InvalidEventSelectorsException(
            f"The total number of data resources cannot exceed {_MAXIMUM_DATA_RESOURCES}."
        )
    for resource in resources:
        _check_data_resource(resource)
    for selector in complete:
        for source in selector["ExcludeManagementEventSources"]:
            if source not in _EXCLUDABLE_SOURCES:
                raise InvalidEventSelectorsException(
                    f"Value {source} for ExcludeManagementEventSources is invalid."
                )
    return complete


def _check_data_resource(resource: Mapping[str, Any]) -> None:
    kind = resource.get("Type", "")
    if kind not in _BASIC_TYPES:
        raise InvalidEventSelectorsException(f"Value {kind} for DataResources.Type is invalid.")
    _check_is_built(kind)
    if not resource.get("Values"):
        raise InvalidEventSelectorsException("DataResources.Values cannot be empty.")
    for value in resource["Values"]:
        bucket, slash, _ = value.removeprefix("arn:aws:s3:::").partition("/")
        is_object_arn = value.startswith("arn:aws:s3:::") and bucket and slash
        if (value not in ALL_RESOURCES[kind] and not is_object_arn) or "*" in bucket:
            raise InvalidEventSelectorsException(
                f"Value {value} for DataResources.Values is invalid."
            )


def _check_is_built(kind: str) -> None:
    if kind not in ALL_RESOURCES:
        raise NotImplementedException(f"Cloche does not implement data events of {kind} yet.")


def _check_advanced(selectors: Sequence[Mapping[str, Any]]) -> None:
    conditions = [condition for each in selectors for condition in each["FieldSelectors"]]
    values = sum(len(condition.get(name, ())) for condition in conditions for name in _OPERATORS)
    if values > _MAXIMUM_ADVANCED_VALUES:
        raise InvalidEventSelectorsException(
            f"A trail can have up to {_MAXIMUM_ADVANCED_VALUES} values in all its conditions."
        )
    for selector in selectors:
        _check_advanced_selector(selector["FieldSelectors"])


def _check_advanced_selector(conditions: Sequence[Mapping[str, Any]]) -> None:
    by_field: dict[str, Mapping[str, Any]] = {}
    for condition in conditions:
        _check_condition(condition)
        field = condition["Field"]
        if field in by_field:
            raise InvalidEventSelectorsException(f"Field {field} is specified more than once.")
        by_field[field] = condition
    category = by_field.get("eventCategory", {}).get("Equals", [])
    if category == ["NetworkActivity"]:
        raise NotImplementedException("Cloche has no network activity events.")
    if category not in (["Management"], ["Data"]):
        raise InvalidEventSelectorsException(
            "Each advanced event selector must have eventCategory equal to Management or Data."
        )
    if category == ["Management"] and _DATA_ONLY & by_field.keys():
        raise InvalidEventSelectorsException(
            "resources.type and resources.ARN are not valid for management events."
        )
    if category == ["Data"]:
        types = by_field.get("resources.type", {}).get("Equals", [])
        if len(types) != 1:
            raise InvalidEventSelectorsException(
                "An advanced event selector of data events must have resources.type equal to one "
                "value."
            )
        _check_is_built(types[0])


def _check_condition(condition: Mapping[str, Any]) -> None:
    field = condition["Field"]
    if field not in FIELDS:
        if field == "sessionCredentialFromConsole":
            raise NotImplementedException(f"Cloche does not implement the field {field} yet.")
        raise InvalidEventSelectorsException(f"Field {field} is invalid.")
    operators = _OPERATORS & condition.keys()
    if not operators:
        raise InvalidEventSelectorsException(f"Field {field} has no operator.")
    if field in _EQUALS_ONLY and operators != {"Equals"}:
        raise InvalidEventSelectorsException(f"Equals is the only valid operator for {field}.")
    if field == "readOnly" and condition["Equals"] not in (["true"], ["false"]):
        raise InvalidEventSelectorsException("Field readOnly must equal true or false.")
