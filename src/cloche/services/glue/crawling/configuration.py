"""A crawler's `Configuration`, the JSON text that says what its tables are to be like."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from cloche.services.glue.crawling.grouping import GroupingOptions
from cloche.services.glue.errors import InvalidInputException
from cloche.services.glue.refusals import not_implemented


class CrawlerConfiguration(msgspec.Struct, frozen=True):
    """What a configuration says.

    Attributes:
        merges_new_columns: columns are only added to tables that are there already.
        partitions_inherit: partitions have the schema of their table.
        table_threshold: how many tables there may be at most.
        creates_index: tables with partitions get an index of them.
    """

    merges_new_columns: bool = False
    partitions_inherit: bool = False
    table_threshold: int | None = None
    creates_index: bool = False
    combines_compatible: bool = False
    table_level: int | None = None

    @property
    def grouping(self) -> GroupingOptions:
        """What it says of grouping."""
        return GroupingOptions(self.combines_compatible, self.table_level)


def read_configuration(text: str | None) -> CrawlerConfiguration:
    """What a configuration says; of none, what is usual.

    Raises:
        InvalidInputException: it is not what it must be.
        NotImplementedException: it asks for what Cloche does not do.
    """
    if not text:
        return CrawlerConfiguration()
    try:
        given: Any = json.loads(text)
    except ValueError as error:
        raise _invalid(str(error)) from error
    top = _members(given, "Version", "Grouping", "CrawlerOutput", "CreatePartitionIndex")
    if top.get("Version") != 1:
        raise _invalid("Version must be 1.0")
    grouping = _members(top.get("Grouping", {}), "TableGroupingPolicy", "TableLevelConfiguration")
    output = _members(top.get("CrawlerOutput", {}), "Tables", "Partitions")
    tables = _members(output.get("Tables", {}), "AddOrUpdateBehavior", "TableThreshold")
    partitions = _members(output.get("Partitions", {}), "AddOrUpdateBehavior")
    return CrawlerConfiguration(
        merges_new_columns=_is(tables, "AddOrUpdateBehavior", "MergeNewColumns"),
        partitions_inherit=_is(partitions, "AddOrUpdateBehavior", "InheritFromTable"),
        table_threshold=_number(tables, "TableThreshold"),
        creates_index=_flag(top, "CreatePartitionIndex"),
        combines_compatible=_is(grouping, "TableGroupingPolicy", "CombineCompatibleSchemas"),
        table_level=_number(grouping, "TableLevelConfiguration"),
    )


def _members(given: Any, *known: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise _invalid("an object is missing")
    members: dict[str, Any] = given
    for name in members:
        if name not in known:
            raise not_implemented(f"{name} in a crawler's Configuration")
    return members


def _is(members: dict[str, Any], name: str, value: str) -> bool:
    if members.get(name) not in (None, value):
        raise _invalid(f"{name} can only be {value}")
    return name in members


def _number(members: dict[str, Any], name: str) -> int | None:
    number = members.get(name)
    if number is None:
        return None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise _invalid(f"{name} must be a positive number")
    return number


def _flag(members: dict[str, Any], name: str) -> bool:
    flag = members.get(name, False)
    if not isinstance(flag, bool):
        raise _invalid(f"{name} must be true or false")
    return flag


def _invalid(reason: str) -> InvalidInputException:
    return InvalidInputException(f"Crawler configuration is not valid: {reason}.")
