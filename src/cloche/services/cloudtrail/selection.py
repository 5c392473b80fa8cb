"""Which events a trail takes: its event selectors, compiled.

Without selectors a trail takes all management events and no data events. A basic selector names
management events by reading and writing, and data events by the beginning of a resource's ARN. An
advanced one is a list of conditions on fields that must all hold; one selector that holds is
enough, of either kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from cloche.services.cloudtrail.bucket_access import SERVICE_NAME
from cloche.services.cloudtrail.trail_records import Trail

GLOBAL_EVENT_SOURCES = frozenset(
    {"cloudfront.amazonaws.com", "iam.amazonaws.com", "route53.amazonaws.com"}
)
ALL_RESOURCES = {"AWS::S3::Object": ("arn:aws:s3", "arn:aws:s3:::")}
"""By type of the resources whose data events there are: what stands for all of them."""


class Resource(msgspec.Struct):
    """A resource of an event."""

    type: str = ""
    ARN: str = ""
    ARNPrefix: str = ""


class Identity(msgspec.Struct):
    """Who called."""

    arn: str = ""
    invokedBy: str = ""


class SelectedFields(msgspec.Struct):
    """What selectors look at of an event."""

    eventSource: str
    eventName: str
    awsRegion: str
    readOnly: bool
    recipientAccountId: str
    eventCategory: str
    eventType: str
    userIdentity: Identity
    resources: list[Resource] = []


Test = Callable[[SelectedFields], bool]

decode_fields = msgspec.json.Decoder(SelectedFields).decode

FIELDS: dict[str, Callable[[SelectedFields], str]] = {
    "eventCategory": lambda event: event.eventCategory,
    "eventName": lambda event: event.eventName,
    "eventSource": lambda event: event.eventSource,
    "eventType": lambda event: event.eventType,
    "readOnly": lambda event: "true" if event.readOnly else "false",
    "resources.ARN": lambda event: _data_resource(event).ARN or _data_resource(event).ARNPrefix,
    "resources.type": lambda event: _data_resource(event).type,
    "userIdentity.arn": lambda event: event.userIdentity.arn,
}
"""Fields of advanced selectors, and what they are of an event."""

_NO_RESOURCE = Resource()
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "Equals": str.__eq__,
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
}


def compile_selection(trail: Trail) -> Test:
    """What tells whether a trail takes an event."""
    selects = _compile_selectors(trail)

    def takes(event: SelectedFields) -> bool:
        return (
            event.recipientAccountId == trail.account_id
            and (trail.is_multi_region or event.awsRegion == trail.home_region)
            and (trail.includes_global_events or event.eventSource not in GLOBAL_EVENT_SOURCES)
            and (trail.logs_own_deliveries or event.userIdentity.invokedBy != SERVICE_NAME)
            and selects(event)
        )

    return takes


def takes_data_events(trail: Trail) -> bool:
    """Whether a trail may take data events at all."""
    basic = trail.event_selectors or ()
    advanced = trail.advanced_event_selectors or ()
    return any(selector["DataResources"] for selector in basic) or any(
        _categories(selector) == ["Data"] for selector in advanced
    )


def _compile_selectors(trail: Trail) -> Test:
    if trail.event_selectors is not None:
        return _any([_basic(selector) for selector in trail.event_selectors])
    if trail.advanced_event_selectors is not None:
        return _any([_advanced(selector) for selector in trail.advanced_event_selectors])
    return lambda event: event.eventCategory == "Management"


def _any(tests: Sequence[Test]) -> Test:
    return lambda event: any(test(event) for test in tests)


def _basic(selector: Mapping[str, Any]) -> Test:
    kinds = {"ReadOnly": {True}, "WriteOnly": {False}}.get(selector["ReadWriteType"], {True, False})
    excluded = frozenset(selector["ExcludeManagementEventSources"])
    resources = [
        (resource["Type"], tuple(_arn_prefixes(resource))) for resource in selector["DataResources"]
    ]

    def selects(event: SelectedFields) -> bool:
        if event.readOnly not in kinds:
            return False
        if event.eventCategory == "Management":
            return selector["IncludeManagementEvents"] and event.eventSource not in excluded
        found = _data_resource(event)
        arn = found.ARN or found.ARNPrefix
        return any(found.type == kind and arn.startswith(values) for kind, values in resources)

    return selects


def _arn_prefixes(resource: Mapping[str, Any]) -> list[str]:
    all_resources = ALL_RESOURCES[resource["Type"]]
    return [all_resources[1] if value in all_resources else value for value in resource["Values"]]


def _advanced(selector: Mapping[str, Any]) -> Test:
    conditions = [_condition(condition) for condition in selector["FieldSelectors"]]
    return lambda event: all(condition(event) for condition in conditions)


def _condition(condition: Mapping[str, Any]) -> Test:
    """A field must fit one value of its operators, if it has any, and no value of the negated."""
    value_of = FIELDS[condition["Field"]]
    wanted = _operands(condition, "")
    unwanted = _operands(condition, "Not")

    def holds(event: SelectedFields) -> bool:
        value = value_of(event)
        if any(fits(value, operand) for fits, operand in unwanted):
            return False
        return not wanted or any(fits(value, operand) for fits, operand in wanted)

    return holds


def _operands(
    condition: Mapping[str, Any], prefix: str
) -> list[tuple[Callable[[str, str], bool], str]]:
    return [
        (fits, operand)
        for name, fits in _OPERATORS.items()
        for operand in condition.get(prefix + name, ())
    ]


def _categories(selector: Mapping[str, Any]) -> list[str]:
    for condition in selector["FieldSelectors"]:
        if condition["Field"] == "eventCategory":
            return list(condition["Equals"])
    return []


def _data_resource(event: SelectedFields) -> Resource:
    """The resource whose data it is, the first of an event."""
    return event.resources[0] if event.resources else _NO_RESOURCE
