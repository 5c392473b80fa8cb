"""Tags of databases, connections and other resources of Glue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloche.core.arns import InvalidArn, parse_arn
from cloche.core.documents import Reader, Transaction
from cloche.core.operations import Call
from cloche.services.glue.errors import EntityNotFoundException, InvalidInputException
from cloche.services.glue.refusals import not_implemented
from cloche.services.glue.service import service
from cloche.services.glue.tag_records import checked, taggable, tags

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import glue as shapes


@service.operation(resource="{ResourceArn}")
def tag_resource(call: Call, request: shapes.TagResourceRequest) -> Empty:
    """Set tags of a resource.

    Raises EntityNotFoundException if there is no such resource, InvalidInputException if it would
    have more than 50. AWS: Glue TagResource.
    """
    arn = request["ResourceArn"]

    def add(tx: Transaction) -> None:
        _check(tx, call, arn)
        before = tx.get(tags, call.account_id, call.region, arn) or {}
        given = checked({**before, **request["TagsToAdd"]})
        tx.put(tags, call.account_id, call.region, arn, given)

    call.documents.transact(add)
    return {}


@service.operation(resource="{ResourceArn}")
def untag_resource(call: Call, request: shapes.UntagResourceRequest) -> Empty:
    """Take tags of a resource away.

    Raises EntityNotFoundException if there is no such resource. AWS: Glue UntagResource.
    """
    arn = request["ResourceArn"]

    def remove(tx: Transaction) -> None:
        _check(tx, call, arn)
        kept = dict(tx.get(tags, call.account_id, call.region, arn) or {})
        for key in request["TagsToRemove"]:
            kept.pop(key, None)
        tx.put(tags, call.account_id, call.region, arn, kept)

    call.documents.transact(remove)
    return {}


@service.operation(resource="{ResourceArn}")
def get_tags(call: Call, request: shapes.GetTagsRequest) -> shapes.GetTagsResponse:
    """Tags of a resource.

    Raises EntityNotFoundException if there is no such resource. AWS: Glue GetTags.
    """
    _check(call.documents, call, request["ResourceArn"])
    found = call.documents.get(tags, call.account_id, call.region, request["ResourceArn"])
    return {"Tags": found or {}}


def _check(reader: Reader, call: Call, text: str) -> None:
    try:
        arn = parse_arn(text)
    except InvalidArn:
        raise InvalidInputException(f"{text} is not an ARN.") from None
    if arn.account_id != call.account_id or arn.region != call.region:
        raise EntityNotFoundException(f"Entity not found: {text}")
    exists = taggable.get(arn.resource_type)
    if exists is None:
        raise not_implemented(f"tags on {arn.resource_type or arn.resource}")
    if not exists(reader, arn.account_id, arn.region, arn.resource_id):
        raise EntityNotFoundException(f"Entity not found: {text}")
