"""Which folders are tables and which are partitions of one.

From the deepest folders upwards: the tables that the folders within a folder would be become
partitions of one table where their formats agree, their schemas are similar, and they are
partitioned alike. Where folders are named `key=value`, it is enough that most (70 %) are similar;
others become partitions with a schema of their own. A folder that is the only one in its parent is
a partition if it is named so or by a number (`2024/01/31`, of which each may be the first), or if
the folders beside its parent are partitioned as deeply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from cloche.services.glue.crawling.summaries import (
    SIMILARITY,
    FileGroup,
    FolderSummary,
    can_share_table,
    merged_groups,
)


@dataclass(frozen=True)
class GroupingOptions:
    """How a crawler's configuration groups.

    Attributes:
        combines_compatible: `CombineCompatibleSchemas`: schemas need not be similar.
        table_level: `TableLevelConfiguration`: how deep a table's folder is, the bucket being 1.
    """

    combines_compatible: bool = False
    table_level: int | None = None


@dataclass(frozen=True)
class FoundPartition:
    """A partition: its values, its folder and its files."""

    values: tuple[str, ...]
    path: str
    group: FileGroup


@dataclass(frozen=True)
class FoundTable:
    """A table.

    Attributes:
        path: of its folder, or of its only file.
        keys: names of its partition keys; None where the folders have no name for it.
        partitions: none if it has no partition keys.
        group: all its files.
    """

    path: str
    group: FileGroup
    is_file: bool = False
    keys: tuple[str | None, ...] = ()
    partitions: tuple[FoundPartition, ...] = ()

    @property
    def name(self) -> str:
        """The last part of its path; empty for the bucket itself."""
        return self.path.rstrip("/").rpartition("/")[2]


@dataclass
class _Folder:
    path: str
    summary: FolderSummary | None = None
    folders: dict[str, _Folder] = field(default_factory=dict[str, "_Folder"])

    @property
    def level(self) -> int:
        """How deep it is, the bucket being 1."""
        return self.path.count("/") + 1


def find_tables(
    root: str, summaries: Sequence[FolderSummary], options: GroupingOptions
) -> list[FoundTable]:
    """The tables in the folders of a target.

    Args:
        root: path of the target's folder, ending with `/` unless it is the bucket.
        summaries: of all folders under it that have files.
        options: see there.
    """
    return _tables(_tree(root, summaries), options)


def _tree(root: str, summaries: Sequence[FolderSummary]) -> _Folder:
    top = _Folder(root)
    for summary in summaries:
        folder = top
        for name in summary.path[len(root) :].split("/")[:-1]:
            folder = folder.folders.setdefault(name, _Folder(f"{folder.path}{name}/"))
        folder.summary = summary
    return top


def _tables(folder: _Folder, options: GroupingOptions) -> list[FoundTable]:
    groups = folder.summary.groups if folder.summary else ()
    within = [(name, _tables(each, options)) for name, each in sorted(folder.folders.items())]
    within = [(name, tables) for name, tables in within if tables]
    if not within:
        return _own_tables(folder, groups)
    if not groups and (together := _partitioned(folder, within, options)) is not None:
        return [together]
    inner = [table for _, tables in within for table in tables]
    if len(groups) == 1 and (whole := _unpartitioned(folder, groups[0], inner, options)):
        return [whole]
    return [*_file_tables(groups), *inner]


def _own_tables(folder: _Folder, groups: Sequence[FileGroup]) -> list[FoundTable]:
    if len(groups) == 1:
        return [FoundTable(folder.path, groups[0])]
    return _file_tables(groups)


def _file_tables(groups: Sequence[FileGroup]) -> list[FoundTable]:
    """A table over each file; the folder has others in it, which it must not read."""
    return [
        FoundTable(each.keys[0], each, is_file=True)
        for group in groups
        for each in group.one_by_one()
    ]


def _partitioned(
    folder: _Folder, within: Sequence[tuple[str, list[FoundTable]]], options: GroupingOptions
) -> FoundTable | None:
    """The table whose partitions the folders within a folder are; None if they are not."""
    if options.table_level is not None and folder.level < options.table_level:
        return None
    if any(len(tables) != 1 or tables[0].is_file for _, tables in within):
        return None
    names = [name for name, _ in within]
    key = _common_key(names)
    is_forced = options.table_level is not None
    if len(names) == 1 and not key and not is_forced and not names[0].isdecimal():
        return None
    tables = [_lifted(found[0], folder.folders[name].path) for name, found in within]
    if len({table.keys for table in tables}) != 1 or (key is None and _any_key(names)):
        return None
    if not _are_similar(tables, options, is_named=bool(key)):
        return None
    partitions = tuple(
        each
        for name, table in zip(names, tables, strict=True)
        for each in _below(name, bool(key), table)
    )
    group = merged_groups([table.group for table in tables])
    return FoundTable(
        folder.path, group, keys=(key or None, *tables[0].keys), partitions=partitions
    )


def _lifted(table: FoundTable, path: str) -> FoundTable:
    """A table as it is seen from a folder above it, in which there is nothing else.

    The folders in between are plain and each alone in its parent: others are partitions already.
    """
    between = tuple(table.path[len(path) :].split("/")[:-1])
    if not between:
        return table
    below = table.partitions or (FoundPartition((), table.path, table.group),)
    return FoundTable(
        path,
        table.group,
        keys=(*(None for _ in between), *table.keys),
        partitions=tuple(
            FoundPartition((*between, *each.values), each.path, each.group) for each in below
        ),
    )


def _below(name: str, is_named: bool, table: FoundTable) -> list[FoundPartition]:
    value = unquote(name.partition("=")[2]) if is_named else name
    if not table.keys:
        return [FoundPartition((value,), table.path, table.group)]
    return [
        FoundPartition((value, *each.values), each.path, each.group) for each in table.partitions
    ]


def _common_key(names: Sequence[str]) -> str | None:
    """The key in `key=value` if it is the same in all names; None if it isn't."""
    keys = {name.partition("=")[0].lower() if "=" in name[1:] else "" for name in names}
    return keys.pop() or None if len(keys) == 1 else None


def _any_key(names: Sequence[str]) -> bool:
    return any("=" in name[1:] for name in names)


def _are_similar(tables: Sequence[FoundTable], options: GroupingOptions, *, is_named: bool) -> bool:
    """Whether the tables of folders side by side can be one."""
    if any(
        table.group.inferred.classification != tables[0].group.inferred.classification
        for table in tables
    ):
        return False
    ignores_schemas = options.combines_compatible or options.table_level is not None
    most = max(
        sum(
            can_share_table(
                one.group.inferred, other.group.inferred, ignores_schemas=ignores_schemas
            )
            for other in tables
        )
        for one in tables[:10]
    )
    return most >= (SIMILARITY if is_named else 1.0) * len(tables)


def _unpartitioned(
    folder: _Folder, own: FileGroup, inner: Sequence[FoundTable], options: GroupingOptions
) -> FoundTable | None:
    """The table over a folder's files and those in the folders within, if all are alike."""
    if options.table_level is not None and folder.level < options.table_level:
        return None
    ignores_schemas = options.combines_compatible
    if all(
        can_share_table(own.inferred, table.group.inferred, ignores_schemas=ignores_schemas)
        for table in inner
    ):
        return FoundTable(folder.path, merged_groups([own, *(table.group for table in inner)]))
    return None
