from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cloche.engines.sql.engine import Column
from cloche.engines.sql.inference.inferred import Inferred
from cloche.services.glue.crawling.grouping import FoundTable, GroupingOptions, find_tables
from cloche.services.glue.crawling.summaries import similarity, summarize

SCHEMAS = {
    "A": (Column("id", "bigint"), Column("name", "string")),
    "a": (Column("id", "bigint"), Column("name", "string"), Column("more", "string")),
    "B": (Column("when", "timestamp"), Column("what", "double"), Column("who", "string")),
}


def found(files: dict[str, str], root: str = "", **options: object) -> list[FoundTable]:
    """Tables over files of named schemas."""
    folders: dict[str, list[tuple[str, int, Inferred]]] = {}
    for key, schema in sorted(files.items()):
        folder = key[: key.rfind("/") + 1]
        inferred = Inferred("json", SCHEMAS[schema], record_count=1)
        folders.setdefault(folder, []).append((key, 10, inferred))
    ignores = bool(options.get("combines_compatible"))
    summaries = [
        summarize(path, contents, ignores_schemas=ignores) for path, contents in folders.items()
    ]
    return find_tables(root, summaries, GroupingOptions(**options))  # type: ignore[arg-type]


def test_similarity() -> None:
    assert similarity(SCHEMAS["A"], SCHEMAS["A"]) == 1
    assert similarity(SCHEMAS["A"], SCHEMAS["a"]) == 0.8
    assert similarity(SCHEMAS["A"], SCHEMAS["B"]) == 0
    assert similarity((), ()) == 1
    assert similarity((Column("x", "int"),), (Column("x", "bigint"),)) == 1
    assert similarity((Column("x", "int"),), (Column("x", "array<int>"),)) == 0.5


def test_a_single_plain_folder_is_no_partition() -> None:
    (table,) = found({"root/data/a": "A", "root/data/b": "A"}, "root/")
    assert (table.path, table.keys) == ("root/data/", ())


def test_the_first_folder_of_a_date_is_a_partition() -> None:
    (table,) = found({"t/2026/11/28/07/a": "A"}, "t/")
    assert (table.path, table.keys) == ("t/", (None, None, None, None))
    assert [each.values for each in table.partitions] == [("2026", "11", "28", "07")]


def test_a_folder_that_is_alone_is_a_partition_where_others_are_as_deep() -> None:
    files = {"t/x/a/f": "A", "t/x/b/f": "A", "t/y/a/f": "A", "t/z/a/f": "A"}
    (table,) = found(files, "t/")
    assert (table.path, table.keys) == ("t/", (None, None))
    values = [each.values for each in table.partitions]
    assert values == [("x", "a"), ("x", "b"), ("y", "a"), ("z", "a")]
    assert [each.path for each in table.partitions] == ["t/x/a/", "t/x/b/", "t/y/a/", "t/z/a/"]


def test_a_folder_that_is_alone_is_a_table_where_others_are_not_alike() -> None:
    tables = found({"t/x/a/f": "A", "t/y/a/f": "B", "t/y/b/f": "B"}, "t/")
    assert [(table.path, table.keys) for table in tables] == [("t/x/a/", ()), ("t/y/", (None,))]


def test_folders_of_different_depth_are_not_partitions_of_one() -> None:
    tables = found({"t/x=1/a": "A", "t/x=2/y=1/a": "A"}, "t/")
    assert [table.path for table in tables] == ["t/x=1/", "t/x=2/"]


def test_folders_of_different_keys_are_not_partitions_of_one() -> None:
    tables = found({"t/x=1/a": "A", "t/y=2/a": "A"}, "t/")
    assert [table.path for table in tables] == ["t/x=1/", "t/y=2/"]


def test_columns_that_came_later_are_the_tables_too() -> None:
    (table,) = found({"t/x=1/f": "A", "t/x=2/f": "a"}, "t/")
    assert [column.name for column in table.group.inferred.columns] == ["id", "name", "more"]
    assert [partition.values for partition in table.partitions] == [("1",), ("2",)]


def test_files_beside_other_tables_are_tables_of_their_own() -> None:
    tables = found({"t/a": "A", "t/b": "A", "t/sub/c": "B"}, "t/")
    assert [(table.path, table.is_file) for table in tables] == [
        ("t/a", True),
        ("t/b", True),
        ("t/sub/", False),
    ]


names = st.sampled_from(["x", "y", "k=1", "k=2", "j=1"])
keys = st.lists(names, max_size=3).flatmap(
    lambda folders: st.sampled_from("fg").map(lambda file: "/".join((*folders, file)))
)


@given(
    files=st.dictionaries(keys, st.sampled_from("AaB"), min_size=1, max_size=12),
    combines=st.booleans(),
    level=st.none() | st.integers(1, 4),
)
def test_every_file_is_in_exactly_one_table(
    files: dict[str, str], combines: bool, level: int | None
) -> None:
    tables = found(files, combines_compatible=combines, table_level=level)
    assert Counter(key for table in tables for key in table.group.keys) == Counter(list(files))
    for table in tables:
        assert all(key.startswith(table.path) for key in table.group.keys)
        assert {len(partition.values) for partition in table.partitions} <= {len(table.keys)}
        partitioned = [key for each in table.partitions for key in each.group.keys]
        assert not table.keys or Counter(partitioned) == Counter(table.group.keys)
        others = [key for other in tables if other is not table for key in other.group.keys]
        assert table.is_file or not any(key.startswith(table.path) for key in others)
    paths = [table.path for table in tables]
    assert len(set(paths)) == len(paths)
