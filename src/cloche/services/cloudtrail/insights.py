"""Insights, which no trail of Cloche has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloche.core.errors import NotImplementedException
from cloche.core.operations import Call
from cloche.services.cloudtrail.errors import (
    InsightNotEnabledException,
    InvalidParameterCombinationException,
)
from cloche.services.cloudtrail.service import service
from cloche.services.cloudtrail.trail_records import find_trail

if TYPE_CHECKING:
    from aws_shapes import cloudtrail as shapes

TRAIL = "arn:{partition}:cloudtrail:{region}:{account}:trail/{TrailName}"


@service.operation(resource=TRAIL)
def get_insight_selectors(
    call: Call, request: shapes.GetInsightSelectorsRequest
) -> shapes.GetInsightSelectorsResponse:
    """Always raise InsightNotEnabledException. AWS: CloudTrail GetInsightSelectors."""
    trail = find_trail(call, _trail_name(request.get("TrailName")))
    raise InsightNotEnabledException(f"Trail {trail.arn} does not have Insights enabled.")


@service.operation(resource=TRAIL)
def put_insight_selectors(
    call: Call, request: shapes.PutInsightSelectorsRequest
) -> shapes.PutInsightSelectorsResponse:
    """Turn Insights off, which they are.

    Raises NotImplementedException to turn them on. AWS: CloudTrail PutInsightSelectors.
    """
    trail = find_trail(call, _trail_name(request.get("TrailName")))
    if request["InsightSelectors"]:
        raise NotImplementedException("Cloche does not implement CloudTrail Insights yet.")
    return {"TrailARN": trail.arn, "InsightSelectors": []}


def _trail_name(name: str | None) -> str:
    if name is None:
        raise InvalidParameterCombinationException(
            "TrailName is required; Cloche has no event data stores."
        )
    return name
