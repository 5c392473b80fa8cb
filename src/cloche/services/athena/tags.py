"""Tags of workgroups and data catalogs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.arns import InvalidArn, parse_arn
from cloche.core.documents import Transaction
from cloche.core.operations import Call
from cloche.services.athena.data_catalog_records import data_catalogs
from cloche.services.athena.errors import InvalidRequestException, ResourceNotFoundException
from cloche.services.athena.paging import page_of_names
from cloche.services.athena.service import service
from cloche.services.athena.tag_rules import checked_tags
from cloche.services.athena.work_group_records import PRIMARY, find_work_group, work_groups

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import athena as shapes

_TABLES: dict[str, Any] = {"workgroup": work_groups, "datacatalog": data_catalogs}
_LONGEST_PAGE = 75


@service.operation(resource="{ResourceARN}")
def tag_resource(call: Call, request: shapes.TagResourceInput) -> Empty:
    """Set tags of a workgroup or a data catalog.

    Raises ResourceNotFoundException if there is none. AWS: Athena TagResource.
    """
    _change(call, request["ResourceARN"], lambda tags: checked_tags(tags, request["Tags"]))
    return {}


@service.operation(resource="{ResourceARN}")
def untag_resource(call: Call, request: shapes.UntagResourceInput) -> Empty:
    """Take tags away from a workgroup or a data catalog.

    Raises ResourceNotFoundException if there is none. AWS: Athena UntagResource.
    """
    gone = set(request["TagKeys"])
    _change(
        call,
        request["ResourceARN"],
        lambda tags: {key: value for key, value in tags.items() if key not in gone},
    )
    return {}


@service.operation(resource="{ResourceARN}")
def list_tags_for_resource(
    call: Call, request: shapes.ListTagsForResourceInput
) -> shapes.ListTagsForResourceOutput:
    """Tags of a workgroup or a data catalog.

    Raises ResourceNotFoundException if there is none. AWS: Athena ListTagsForResource.
    """
    arn = request["ResourceARN"]
    table, name = _resource(call, arn)
    record = call.documents.get(table, call.account_id, call.region, name)
    if record is None:
        raise _not_found(arn)
    limit = request.get("MaxResults", _LONGEST_PAGE)
    keys, following = page_of_names(sorted(record.tags), request.get("NextToken"), limit)
    answer: Any = {"Tags": [{"Key": key, "Value": record.tags[key]} for key in keys], **following}
    return answer


def _change(call: Call, arn: str, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    table, name = _resource(call, arn)

    def apply(tx: Transaction) -> None:
        record = tx.get(table, call.account_id, call.region, name)
        if record is None:
            raise _not_found(arn)
        changed = replace(record, tags=change(record.tags))
        tx.put(table, call.account_id, call.region, name, changed)

    call.documents.transact(apply)


def _resource(call: Call, text: str) -> tuple[Any, str]:
    """The table and the name of what an ARN names."""
    try:
        arn = parse_arn(text)
    except InvalidArn:
        raise InvalidRequestException(f"Invalid ARN: {text}") from None
    table = _TABLES.get(arn.resource_type)
    if arn.service != "athena" or table is None:
        raise InvalidRequestException(f"Invalid ARN: {text}")
    if (arn.account_id, arn.region) != (call.account_id, call.region):
        raise _not_found(text)
    if table is work_groups and arn.resource_id == PRIMARY:
        find_work_group(call, PRIMARY)
    return table, arn.resource_id


def _not_found(arn: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Resource {arn} was not found", ResourceName=arn)
