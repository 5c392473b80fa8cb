"""What a crawler knows of a folder: its files, in groups that one table can be over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from cloche.engines.sql.engine import Column
from cloche.engines.sql.inference.csv_format import OPEN_CSV_SERDE
from cloche.engines.sql.inference.hive_types import Type, merge_fields, parse, render
from cloche.engines.sql.inference.inferred import Inferred, open_types

SIMILARITY = 0.7
"""From which on two schemas are similar."""


class FileGroup(msgspec.Struct, frozen=True):
    """Files of one folder that one table can be over.

    Attributes:
        inferred: what they have in common; records of all.
        files: key and size of each.
    """

    inferred: Inferred
    files: tuple[tuple[str, int], ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the objects."""
        return tuple(key for key, _ in self.files)

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(size for _, size in self.files)

    def one_by_one(self) -> list[FileGroup]:
        """A group for each file, with a share of the records that is as large as the file."""
        records, whole = self.inferred.record_count, self.size_bytes or 1
        return [
            FileGroup(
                replace(self.inferred, record_count=round(records * size / whole)), ((key, size),)
            )
            for key, size in self.files
        ]


class FolderSummary(msgspec.Struct, frozen=True):
    """The files of a folder, without those of the folders in it.

    Attributes:
        path: of the folder in the bucket, ending with `/` unless it is the bucket itself.
    """

    path: str
    groups: tuple[FileGroup, ...]


def similarity(one: Sequence[Column], other: Sequence[Column]) -> float:
    """How alike two schemas are: 1 for the same, 0 for nothing in common.

    The share of columns that have a counterpart of the same name; one of another type counts half.
    """
    if not one and not other:
        return 1.0
    types = {column.name: column.type for column in one}
    shared = sum(
        1.0 if _is_compatible(types[column.name], column.type) else 0.5
        for column in other
        if column.name in types
    )
    return 2 * shared / (len(one) + len(other))


def _is_compatible(one: str, other: str) -> bool:
    return one == other or merge_types(one, other) != "string" or "string" in (one, other)


def merge_types(one: str, other: str) -> str:
    """The Hive type for values of two."""
    (merged,) = merge_fields([("", parse(one))], [("", parse(other))])
    return render(merged[1])


def can_share_table(one: Inferred, other: Inferred, *, ignores_schemas: bool) -> bool:
    """Whether one table can be over files of both."""
    if one.compatibility != other.compatibility:
        return False
    return ignores_schemas or similarity(one.columns, other.columns) >= SIMILARITY


def merged(several: Sequence[Inferred]) -> Inferred:
    """The format and schema of files that one table can be over."""
    usual = Counter(each.compatibility for each in several).most_common(1)[0][0]
    alike = [each for each in several if each.compatibility == usual]
    # OpenCSVSerDe reads what is not quoted, too; the other way round it would be wrong.
    quoted = [each for each in alike if each.serde == OPEN_CSV_SERDE]
    alike = quoted or alike
    first = alike[0]
    seen = {(each.columns, tuple(sorted(each.open_types.items()))): each for each in several}
    fields: list[tuple[str, Type]] = []
    for each in seen.values():
        fields = merge_fields(fields, _fields(each))
    gaps = {name for each in several for name in each.gaps}
    if quoted:
        fields = [(name, "string" if name in gaps else type_) for name, type_ in fields]
        gaps.clear()
    columns = tuple(Column(name, render(type_)) for name, type_ in fields)
    widest = max(alike, key=lambda each: len(each.columns))
    serde_parameters: dict[str, Any] = dict(widest.serde_parameters)
    if "paths" in serde_parameters:
        paths = {path for each in alike for path in each.serde_parameters["paths"].split(",")}
        serde_parameters["paths"] = ",".join(sorted(paths))
    return replace(
        first,
        columns=columns,
        serde_parameters=serde_parameters,
        parameters=widest.parameters,
        record_count=sum(each.record_count for each in several),
        open_types=open_types(fields, columns),
        gaps=tuple(sorted(gaps)),
    )


def _fields(inferred: Inferred) -> list[tuple[str, Type]]:
    """A file's columns; what it has no values of can become of any type."""
    types = inferred.open_types
    return [(each.name, parse(types.get(each.name, each.type))) for each in inferred.columns]


def merged_groups(groups: Sequence[FileGroup]) -> FileGroup:
    """All files of some groups as one."""
    return FileGroup(
        merged([group.inferred for group in groups]),
        tuple(file for group in groups for file in group.files),
    )


def summarize(
    path: str, files: Sequence[tuple[str, int, Inferred]], *, ignores_schemas: bool
) -> FolderSummary:
    """Group the files of a folder: all together if one table can be over them, else one by one.

    Args:
        path: of the folder.
        files: key, size and what was inferred of each.
        ignores_schemas: whether only formats have to agree.
    """
    groups = tuple(FileGroup(inferred, ((key, size),)) for key, size, inferred in files)
    if not groups:
        return FolderSummary(path, ())
    first = groups[0].inferred
    if all(
        can_share_table(first, group.inferred, ignores_schemas=ignores_schemas) for group in groups
    ):
        return FolderSummary(path, (merged_groups(groups),))
    return FolderSummary(path, groups)
