"""Which files of a bucketed table a statement's conditions leave.

A file tells its bucket by its name, as those that Athena, Hive and awswrangler write do: a query
with an equality on the bucketed column reads one bucket. Source: Athena's user guide, "Bucketing".
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from cloche.engines.sql.engine import DataFile, Filter
from cloche.engines.sql.formats.buckets import HASHED_TYPES, bucket_number

_NUMBERED = re.compile(r".*bucket-(\d{5})(?:\D.*)?|(\d{6})_\d+.*")
_MOST_COMBINATIONS = 1000


def files_of_buckets(
    table: Mapping[str, Any], files: Sequence[DataFile], filters: Sequence[Filter]
) -> tuple[DataFile, ...]:
    """The files of the buckets that may have rows; all where that cannot be told.

    Args:
        table: as in the catalog.
        files: of the table.
        filters: conditions that every row must meet.
    """
    descriptor = table.get("StorageDescriptor") or {}
    names = [name.lower() for name in descriptor.get("BucketColumns") or ()]
    count = descriptor.get("NumberOfBuckets") or 0
    types = {
        each["Name"].lower(): (each.get("Type") or "").lower()
        for each in descriptor.get("Columns") or ()
    }
    wanted = _wanted(names, types, count, filters) if names and count > 0 else None
    numbers = [_number_of(file) for file in files]
    if wanted is None or None in numbers:
        return tuple(files)
    return tuple(file for file, number in zip(files, numbers, strict=True) if number in wanted)


def _wanted(
    names: Sequence[str], types: Mapping[str, str], count: int, filters: Sequence[Filter]
) -> set[int] | None:
    values: list[list[Any]] = []
    for name in names:
        given = next((f.values for f in filters if f.column == name and f.operator in _EQUAL), None)
        if given is None or types.get(name) not in HASHED_TYPES:
            return None
        typed = [_typed(text, types[name]) for text in given]
        if None in typed:
            return None
        values.append(typed)
    combinations = list(itertools.islice(itertools.product(*values), _MOST_COMBINATIONS + 1))
    if len(combinations) > _MOST_COMBINATIONS:
        return None
    hashed = [types[name] for name in names]
    return {bucket_number(each, hashed, count) for each in combinations}


_EQUAL = ("=", "in")


def _typed(text: str, hive_type: str) -> Any:
    """A constant as its column's type; None where it is no value of it."""
    if hive_type == "string":
        return text
    if hive_type == "boolean":
        return {"true": True, "false": False}.get(text.lower())
    try:
        return date.fromisoformat(text) if hive_type == "date" else int(text)
    except ValueError:
        return None


def _number_of(file: DataFile) -> int | None:
    found = _NUMBERED.fullmatch(file.object_url.rpartition("/")[2])
    return None if found is None else int(found[1] or found[2])
