"""What partition indexes may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloche.services.glue.catalog_records import PartitionIndex
from cloche.services.glue.errors import (
    AlreadyExistsException,
    InvalidInputException,
    ResourceNumberLimitExceededException,
)

_LIMIT = 3


def checked_indexes(
    given: Sequence[Mapping[str, Any]],
    table_input: Mapping[str, Any],
    before: Sequence[PartitionIndex] = (),
) -> tuple[PartitionIndex, ...]:
    """A table's indexes with some that a request adds.

    Raises:
        AlreadyExistsException: there is an index of the name, or of the same keys.
        InvalidInputException: a key is no partition key of the table, or comes twice.
        ResourceNumberLimitExceededException: there would be more than three.
    """
    known = {str(key["Name"]).lower() for key in table_input.get("PartitionKeys") or ()}
    indexes = list(before)
    for each in given:
        keys = tuple(key.lower() for key in each["Keys"])
        if unknown := [key for key in keys if key not in known]:
            raise InvalidInputException(
                f"The index's keys {', '.join(unknown)} are not partition keys of the table."
            )
        if len(set(keys)) < len(keys):
            raise InvalidInputException("An index cannot have a key twice.")
        if any(index.name == each["IndexName"] for index in indexes):
            raise AlreadyExistsException(
                f"Index with the given indexName : {each['IndexName']} already exists"
            )
        if any(set(index.keys) == set(keys) for index in indexes):
            raise AlreadyExistsException("An index of the same keys already exists.")
        indexes.append(PartitionIndex(each["IndexName"], keys))
    if len(indexes) > _LIMIT:
        raise ResourceNumberLimitExceededException(
            f"A table can have at most {_LIMIT} partition indexes."
        )
    return tuple(indexes)
