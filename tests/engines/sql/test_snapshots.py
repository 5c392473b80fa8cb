"""What every SQL engine does with a snapshot's files, and with statements that change rows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from cloche.engines.sql.engine import (
    Change,
    ErrorKind,
    IdentifiedColumn,
    QueryError,
    SnapshotFile,
    SnapshotTable,
)
from tests.engines.sql.running import Lake

COLUMNS = (
    IdentifiedColumn(1, "id", "bigint", aliases=("id",)),
    IdentifiedColumn(2, "name", "varchar", aliases=("label",)),
    IdentifiedColumn(3, "p", "date"),
)


def write(lake: Lake, file: str, ids: dict[str, int], **columns: Any) -> SnapshotFile:
    """A file whose columns have field ids."""
    table = pa.table(columns)
    fields = [
        field.with_metadata({"PARQUET:field_id": str(ids[field.name])})
        if ids.get(field.name)
        else field
        for field in table.schema
    ]
    path = lake.folder / file
    pq.write_table(table.cast(pa.schema(fields)), path)
    return SnapshotFile(str(path), f"s3://lake/{file}", path.stat().st_size)


def numbered(*files: SnapshotFile) -> tuple[SnapshotFile, ...]:

    return tuple(replace(file, number=number + 7) for number, file in enumerate(files))


@pytest.fixture
def lake_with_table(lake: Lake) -> Lake:
    first = write(
        lake,
        "a.parquet",
        {"old": 1, "name": 5, "text": 2},
        old=[1, 2],
        name=["-", "-"],
        text=["a", None],
    )
    second = write(
        lake,
        "b.parquet",
        {"id": 1, "p": 3},
        id=pa.array([3], pa.int32()),
        p=pa.array([18262], pa.int32()).cast(pa.date32()),
    )
    third = write(lake, "c.parquet", {}, label=["c"], id=[4])
    lake.tables["t"] = SnapshotTable(COLUMNS, numbered(first, second, third), has_places=True)
    return lake


def test_columns_are_found_by_ids_and_else_by_names(lake_with_table: Lake) -> None:
    rows = lake_with_table.rows("SELECT id, name, CAST(p AS varchar) FROM t ORDER BY id")
    assert rows == [
        (1, "a", None),
        (2, None, None),
        (3, None, "2020-01-01"),
        (4, "c", None),
    ]
    assert lake_with_table.rows("SELECT count(*) FROM t") == [(4,)]
    assert lake_with_table.rows('SELECT "$file", "$row", "$path" FROM t WHERE id = 2') == [
        (7, 1, "s3://lake/a.parquet")
    ]


def test_only_the_columns_that_are_read_are_counted(lake_with_table: Lake) -> None:
    execution = lake_with_table.execute("SELECT max(name) FROM t")
    list(execution.batches())
    name = execution.statistics.scanned_bytes
    execution.close()
    execution = lake_with_table.execute("SELECT * FROM t")
    list(execution.batches())
    assert 0 < name < execution.statistics.scanned_bytes
    execution.close()
    with pytest.raises(QueryError) as caught:
        lake_with_table.rows("SELECT * FROM t", scan_limit_bytes=name)
    assert caught.value.kind == ErrorKind.EXCEEDED_SCAN_LIMIT


def test_rows_that_are_deleted_by_position_are_left_out(lake: Lake) -> None:

    file = write(lake, "a.parquet", {"id": 1}, id=[1, 2, 3, 4])
    other = write(lake, "b.parquet", {"id": 1}, id=[5, 6])
    positions = lake.folder / "deletes.parquet"
    pq.write_table(
        pa.table({"file_path": [file.object_url, "s3://lake/z"], "pos": [2, 0]}), positions
    )
    files = numbered(replace(file, deletes=(str(positions),)), other)
    lake.tables["t"] = SnapshotTable(COLUMNS[:1], files)
    assert lake.rows("SELECT id FROM t ORDER BY id") == [(1,), (2,), (4,), (5,), (6,)]


def test_what_is_to_change_is_told_and_not_done(lake_with_table: Lake) -> None:
    def changes(sql: str, **options: Any) -> list[tuple[Any, ...]]:
        return sorted(lake_with_table.rows(sql, is_change=True, **options), key=str)

    assert [row[:3] for row in changes("DELETE FROM t WHERE id > ?", parameters=["2"])] == [
        (8, 0, Change.DELETE),
        (9, 0, Change.DELETE),
    ]
    assert changes("UPDATE t SET name = 'x' WHERE id = 2") == [(7, 1, Change.UPDATE, 2, "x", None)]
    merge = (
        "MERGE INTO t USING (VALUES 1, 9) s(x) ON t.id = s.x WHEN MATCHED THEN DELETE"
        " WHEN NOT MATCHED THEN INSERT (id) VALUES (s.x)"
    )
    assert changes(merge) == [
        (7, 0, Change.DELETE, None, None, None),
        (None, None, Change.INSERT, 9, None, None),
    ]
    assert lake_with_table.rows("SELECT count(*) FROM t") == [(4,)]
    assert [reference.is_changed for reference in lake_with_table.references][-2:] == [True, False]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("UPDATE t SET id = 'x'", ErrorKind.TYPE_MISMATCH),
        ("UPDATE t SET nothing = 1", ErrorKind.COLUMN_NOT_FOUND),
        ("UPDATE t SET id = 1, id = 2", ErrorKind.SYNTAX_ERROR),
        ("UPDATE t AS a SET id = 1", ErrorKind.SYNTAX_ERROR),
        ("DELETE FROM t USING t AS b WHERE true", ErrorKind.SYNTAX_ERROR),
        ("DELETE FROM t WHERE id", ErrorKind.TYPE_MISMATCH),
        ("SELECT 1", ErrorKind.SYNTAX_ERROR),
        ("DELETE FROM nothing", ErrorKind.TABLE_NOT_FOUND),
        (
            "MERGE INTO t USING t AS s ON t.id = s.id WHEN MATCHED AND rand() < 1 THEN DELETE",
            ErrorKind.NOT_SUPPORTED,
        ),
        (
            "MERGE INTO t USING t AS s ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (1)",
            ErrorKind.TYPE_MISMATCH,
        ),
        ("MERGE INTO t USING t AS s ON t.id WHEN MATCHED THEN DELETE", ErrorKind.TYPE_MISMATCH),
    ],
)
def test_changes_that_are_refused(lake_with_table: Lake, sql: str, kind: ErrorKind) -> None:
    with pytest.raises(QueryError) as caught:
        lake_with_table.rows(sql, is_change=True)
    assert caught.value.kind == kind
