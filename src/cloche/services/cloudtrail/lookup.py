"""LookupEvents: the management events of 90 days.

AWS shows an event within about 15 minutes; here every call that was answered before is shown.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from cloche.core.audit import AuditLog, Found, Position
from cloche.core.audit_names import user_name
from cloche.core.audit_resources import named_resources
from cloche.core.operations import Call
from cloche.services.cloudtrail.errors import (
    InvalidLookupAttributesException,
    InvalidNextTokenException,
    InvalidTimeRangeException,
)
from cloche.services.cloudtrail.service import service

if TYPE_CHECKING:
    from aws_shapes import cloudtrail as shapes

DEFAULT_RESULTS = 50


class _Question(NamedTuple):
    """What is looked up; a token holds only for the question it was given for."""

    attribute: tuple[str, str] | None
    start: int | None
    end: int | None

    def digest(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


class _Token(msgspec.Struct, array_like=True, frozen=True):
    time: int
    number: int
    digest: str


@service.operation
def lookup_events(call: Call, request: shapes.LookupEventsRequest) -> shapes.LookupEventsResponse:
    """Management events of the account and region, newest first.

    Raises InvalidLookupAttributesException for more than one attribute, InvalidTimeRangeException
    if the end is before the start, InvalidNextTokenException for a token of another question.
    AWS: CloudTrail LookupEvents.
    """
    question = _question(request)
    before = _position(request.get("NextToken"), question)
    if request.get("EventCategory") == "insight":
        return {"Events": []}  # Insights cannot be enabled, so that there are none
    limit = request.get("MaxResults", DEFAULT_RESULTS)
    log = call.engine(AuditLog)
    log.flush()
    found = log.lookup(
        call.account_id,
        call.region,
        attribute=question.attribute,
        start=question.start,
        end=question.end,
        before=before,
        limit=limit + 1,
    )
    answer: Any = {"Events": [_shown(each) for each in found[:limit]]}
    if len(found) > limit:
        answer["NextToken"] = _next_token(found[limit - 1], question)
    return answer


def _question(request: Any) -> _Question:
    attributes = request.get("LookupAttributes") or []
    if len(attributes) > 1:
        raise InvalidLookupAttributesException("You can only specify one lookup attribute.")
    attribute: tuple[str, str] | None = None
    for each in attributes:
        attribute = (each["AttributeKey"], each["AttributeValue"])
        if attribute[0] == "ReadOnly" and attribute[1] not in ("true", "false"):
            raise InvalidLookupAttributesException(
                "The value of the lookup attribute ReadOnly must be true or false."
            )
    start, end = _second(request.get("StartTime")), _second(request.get("EndTime"))
    if start is not None and end is not None and start > end:
        raise InvalidTimeRangeException("Start time cannot be after end time.")
    return _Question(attribute, start, end)


def _second(instant: datetime | None) -> int | None:
    return None if instant is None else int(instant.timestamp())


def _position(token: str | None, question: _Question) -> Position | None:
    if token is None:
        return None
    try:
        text = base64.b64decode(token, altchars=b"-_", validate=True)
        read = msgspec.json.decode(text, type=_Token)
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError):
        raise InvalidNextTokenException("Invalid NextToken.") from None
    if read.digest != question.digest():
        raise InvalidNextTokenException("NextToken was given for a request with other parameters.")
    return read.time, read.number


def _next_token(last: Found, question: _Question) -> str:
    token = _Token(last[0], last[1], question.digest())
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode()


def _shown(found: Found) -> dict[str, Any]:
    time, _, text = found
    event: dict[str, Any] = msgspec.json.decode(text)
    identity = event["userIdentity"]
    shown: dict[str, Any] = {
        "EventId": event["eventID"],
        "EventName": event["eventName"],
        "ReadOnly": "true" if event["readOnly"] else "false",
        "EventTime": datetime.fromtimestamp(time, UTC),
        "EventSource": event["eventSource"],
        "Resources": _resources(event),
        "CloudTrailEvent": text.decode(),
    }
    if name := user_name(identity):
        shown["Username"] = name
    if identity.get("accessKeyId"):
        shown["AccessKeyId"] = identity["accessKeyId"]
    return shown


def _resources(event: dict[str, Any]) -> list[dict[str, str]]:
    named = named_resources(
        event["eventSource"],
        event["requestParameters"],
        event["responseElements"],
        event.get("resources", ()),
    )
    return [{"ResourceType": kind, "ResourceName": name} for kind, name in named]
