"""Tags of trails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from cloche.core.documents import Transaction
from cloche.core.operations import Call
from cloche.services.cloudtrail.errors import (
    CloudTrailARNInvalidException,
    ResourceNotFoundException,
    TrailNotFoundException,
)
from cloche.services.cloudtrail.service import service
from cloche.services.cloudtrail.tag_rules import checked_tags
from cloche.services.cloudtrail.trail_records import (
    Trail,
    find_trail,
    key_of,
    trail_to_change,
    trails,
)

if TYPE_CHECKING:
    from aws_shapes import cloudtrail as shapes


@service.operation(resource="{ResourceId}")
def add_tags(call: Call, request: shapes.AddTagsRequest) -> shapes.AddTagsResponse:
    """Set tags of a trail.

    Raises TagsLimitExceededException if it would have more than 50. AWS: CloudTrail AddTags.
    """
    key = _key_of(call, request["ResourceId"])

    def add(tx: Transaction) -> None:
        trail = trail_to_change(tx, call, key)
        tags = checked_tags(trail.tags, request["TagsList"])
        tx.put(trails, call.account_id, "", key, replace(trail, tags=tags))

    call.documents.transact(add)
    return {}


@service.operation(resource="{ResourceId}")
def remove_tags(call: Call, request: shapes.RemoveTagsRequest) -> shapes.RemoveTagsResponse:
    """Take tags of a trail away; a tag with a value only if it has that value.

    AWS: CloudTrail RemoveTags.
    """
    key = _key_of(call, request["ResourceId"])

    def remove(tx: Transaction) -> None:
        trail = trail_to_change(tx, call, key)
        tags = dict(trail.tags)
        for tag in request["TagsList"]:
            if tag.get("Value") in (None, "", tags.get(tag["Key"])):
                tags.pop(tag["Key"], None)
        tx.put(trails, call.account_id, "", key, replace(trail, tags=tags))

    call.documents.transact(remove)
    return {}


@service.operation(resource="{ResourceIdList}")
def list_tags(call: Call, request: shapes.ListTagsRequest) -> shapes.ListTagsResponse:
    """Tags of trails, each named by its ARN. AWS: CloudTrail ListTags."""
    return {
        "ResourceTagList": [
            {
                "ResourceId": arn,
                "TagsList": [
                    {"Key": key, "Value": value} for key, value in _find(call, arn).tags.items()
                ],
            }
            for arn in request["ResourceIdList"]
        ]
    }


def _key_of(call: Call, arn: str) -> str:
    if not arn.startswith("arn:"):
        raise CloudTrailARNInvalidException(f"{arn} is not an ARN.")
    return key_of(call, arn)


def _find(call: Call, arn: str) -> Trail:
    _key_of(call, arn)
    try:
        return find_trail(call, arn)
    except TrailNotFoundException as error:
        raise ResourceNotFoundException(error.message) from error
