"""Which files of an Iceberg table a query reads, and files that others wrote."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriterV2,
)
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _FastAppendFiles
from pyiceberg.typedef import Record
from pyiceberg.types import StringType

from tests.services.athena.conftest import Lake


def scanned(lake: Lake, sql: str) -> int:
    return lake.run(sql)["Statistics"]["DataScannedInBytes"]


def test_partitions_by_transforms_are_written_and_left_out(
    lake: Lake, catalog: GlueCatalog
) -> None:
    lake.run(
        "CREATE TABLE t (id bigint, at timestamp, name string, day date)"
        " PARTITIONED BY (year(day), month(at), bucket(4, id), truncate(2, name))"
        f" LOCATION 's3://{lake.name}/t/' TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    lake.run(
        "INSERT INTO t SELECT x, date_add('day', x, TIMESTAMP '2020-01-01 12:00:00'),"
        " 'name' || CAST(x AS varchar), CAST(date_add('day', x * 10, DATE '2019-01-01') AS date)"
        " FROM unnest(sequence(1, 100)) a(x)"
    )
    loaded = catalog.load_table(f"{lake.name}.t")
    names = [(field.name, str(field.transform)) for field in loaded.spec().fields]
    assert names == [
        ("day_year", "year"),
        ("at_month", "month"),
        ("id_bucket", "bucket[4]"),
        ("name_trunc", "truncate[2]"),
    ]
    assert loaded.scan().to_arrow().num_rows == 100
    for condition, rows in {
        "at >= TIMESTAMP '2020-04-01 00:00:00'": "10",
        "at < TIMESTAMP '2020-01-05 00:00:00'": "3",
        "at = TIMESTAMP '2020-01-11 12:00:00'": "1",
        "day BETWEEN DATE '2020-01-01' AND DATE '2020-12-31'": "37",
        "id = 17": "1",
        "id IN (17, 18)": "2",
        "name = 'name5' AND id > 3": "1",
    }.items():
        sql = f"SELECT count(*), max(name) FROM t WHERE {condition}"
        assert lake.rows(sql)[0][0] == rows, condition
        whole = scanned(lake, "SELECT count(*), max(name), max(id), max(at), max(day) FROM t")
        assert 0 < scanned(lake, sql) < whole * 0.7, condition
    assert lake.rows("SELECT count(*), max(name) FROM t WHERE name = 'x'") == [["0", None]]
    assert scanned(lake, "SELECT max(name) FROM t WHERE name = 'x'") == 0
    before = {task.file.file_path for task in loaded.scan().plan_files()}
    lake.run("UPDATE t SET id = id + 1000, at = TIMESTAMP '2031-05-05 00:00:00' WHERE id = 17")
    loaded.refresh()
    after = {task.file.file_path for task in loaded.scan().plan_files()}
    assert len(before - after) == 1
    moved = [task.file.partition for task in loaded.scan(row_filter="id = 1017").plan_files()]
    assert moved[0][1] == (2031 - 1970) * 12 + 4
    assert lake.rows("SELECT id FROM t WHERE at > TIMESTAMP '2030-01-01 00:00:00'") == [["1017"]]


@pytest.mark.parametrize("transform", ["day", "hour"])
def test_partitions_by_day_and_hour(lake: Lake, catalog: GlueCatalog, transform: str) -> None:
    options = f"table_type = 'ICEBERG', is_external = false, location = 's3://{lake.name}/t/'"
    lake.run(
        f"CREATE TABLE t WITH ({options}, partitioning = ARRAY['{transform}(at)']) AS"
        " SELECT x, CAST(date_add('hour', x * 12, TIMESTAMP '2020-01-01 00:00:00')"
        " AS timestamp(6)) AS at FROM unnest(sequence(0, 9)) a(x)"
    )
    loaded = catalog.load_table(f"{lake.name}.t")
    files = 5 if transform == "day" else 10
    assert len(list(loaded.scan().plan_files())) == files
    sql = "SELECT max(x) FROM t WHERE at < TIMESTAMP '2020-01-02 00:00:00'"
    assert lake.rows(sql) == [["1"]]
    assert scanned(lake, sql) < scanned(lake, "SELECT max(x), max(at) FROM t") / 3


def test_only_columns_and_files_that_are_asked_for_are_counted(lake: Lake) -> None:
    options = f"table_type = 'ICEBERG', is_external = false, location = 's3://{lake.name}/t/'"
    lake.run(
        f"CREATE TABLE t WITH ({options}) AS SELECT x, to_hex(sha256(to_utf8("
        "CAST(x AS varchar)))) AS long FROM unnest(sequence(1, 5000)) a(x)"
    )
    lake.run("INSERT INTO t SELECT x + 100000, 'more' FROM unnest(sequence(1, 10)) a(x)")
    one, both = scanned(lake, "SELECT sum(x) FROM t"), scanned(lake, "SELECT * FROM t")
    assert 0 < one < both / 3
    assert scanned(lake, "SELECT long FROM t WHERE x > 100000") < both / 100
    assert scanned(lake, "SELECT count(*) FROM t") == 0
    group = lake.athena
    group.create_work_group(
        Name=lake.name, Configuration={"BytesScannedCutoffPerQuery": 10_000_000}
    )
    assert lake.run("SELECT * FROM t", WorkGroup=lake.name)
    lake.run(
        "INSERT INTO t SELECT x, to_hex(sha512(to_utf8(CAST(x AS varchar))))"
        " FROM unnest(sequence(1, 200000)) a(x)"
    )
    ended = lake.end("SELECT * FROM t", WorkGroup=lake.name)["Status"]
    assert (ended["State"], "Bytes scanned limit" in ended["StateChangeReason"]) == (
        "CANCELLED",
        True,
    )


class _DeletesWriter(ManifestWriterV2):
    def content(self) -> ManifestContent:
        return ManifestContent.DELETES


class _Deleting(_FastAppendFiles):
    """A snapshot that adds a file of positions, as other writers make them."""

    deletes: DataFile

    def _process_manifests(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
        output = self.new_manifest_output()
        schema, spec = self.schema(), self._transaction.table_metadata.spec()
        with _DeletesWriter(spec, schema, output, self._snapshot_id, "deflate") as writer:
            writer.add(
                ManifestEntry.from_args(
                    status=ManifestEntryStatus.ADDED,
                    snapshot_id=self._snapshot_id,
                    sequence_number=None,
                    file_sequence_number=None,
                    data_file=self.deletes,
                )
            )
        return [*manifests, writer.to_manifest_file()]


def delete_positions(table: Any, path: str, positions: list[int], content: DataFileContent) -> None:
    """Commit deletes of some rows of a file, as Spark and Trino do with merge-on-read."""
    rows = pa.table({"file_path": [path] * len(positions), "pos": pa.array(positions, pa.int64())})
    place = f"{table.location()}/data/deletes-{uuid4()}.parquet"
    output = table.io.new_output(place)
    with output.create() as stream:
        pq.write_table(rows, stream)
    transaction = table.transaction()
    producer = _Deleting(operation=Operation.OVERWRITE, transaction=transaction, io=table.io)
    producer.deletes = DataFile.from_args(
        content=content,
        file_path=place,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=len(positions),
        file_size_in_bytes=len(output),
        spec_id=0,
        equality_ids=[1] if content is DataFileContent.EQUALITY_DELETES else None,
    )
    producer.commit()
    transaction.commit_transaction()
    table.refresh()


@pytest.fixture
def table(lake: Lake, catalog: GlueCatalog) -> Any:
    made = catalog.create_table(
        f"{lake.name}.t",
        schema=pa.schema({"id": pa.int64(), "at": pa.timestamp("us")}),
        location=f"s3://{lake.name}/t",
    )
    for first in (0, 10):
        moments = [datetime(2020, 1, 1 + number) for number in range(10)]
        made.append(pa.table({"id": pa.array(range(first, first + 10), pa.int64()), "at": moments}))
    return made


def test_rows_that_others_deleted_by_position_are_gone(lake: Lake, table: Any) -> None:
    first = min(
        table.scan().plan_files(), key=lambda task: task.file.lower_bounds[1]
    ).file.file_path
    delete_positions(table, first, [0, 3, 9], DataFileContent.POSITION_DELETES)
    left = [str(number) for number in range(20) if number not in (0, 3, 9)]
    assert [row[0] for row in lake.rows("SELECT id FROM t ORDER BY id")] == left
    assert lake.rows("SELECT count(*) FROM t") == [["17"]]
    assert lake.rows("SELECT count(*) FROM t WHERE id <= 3") == [["2"]]
    lake.run("DELETE FROM t WHERE id = 4")
    left.remove("4")
    assert [row[0] for row in lake.rows("SELECT id FROM t ORDER BY id")] == left
    assert table.refresh().scan().to_arrow().num_rows == 16
    shown = lake.run("DELETE FROM t WHERE id < 10")
    answer = lake.athena.get_query_results(QueryExecutionId=shown["QueryExecutionId"])
    assert answer["UpdateCount"] == 6
    assert lake.rows("SELECT min(id), count(*) FROM t") == [["10", "10"]]


def test_optimize_applies_deletes(lake: Lake, table: Any) -> None:
    for task in table.scan().plan_files():
        delete_positions(table, task.file.file_path, [1], DataFileContent.POSITION_DELETES)
    lake.run("OPTIMIZE t REWRITE DATA USING BIN_PACK")
    table.refresh()
    tasks = list(table.scan().plan_files())
    assert [(task.file.record_count, len(task.delete_files)) for task in tasks] == [(18, 0)]
    assert lake.rows("SELECT count(*), sum(id) FROM t") == [["18", str(sum(range(20)) - 12)]]


def test_equality_deletes_are_refused_and_not_left_out(lake: Lake, table: Any) -> None:
    delete_positions(table, "", [3], DataFileContent.EQUALITY_DELETES)
    assert "equality deletes" in lake.fail("SELECT * FROM t")
    assert lake.fail("DELETE FROM t WHERE id = 1").startswith("NOT_SUPPORTED: ")


def test_what_pyiceberg_makes_and_changes_is_changed_here(lake: Lake, table: Any) -> None:
    with table.update_schema() as update:
        update.rename_column("id", "number")
    with table.update_schema() as update:
        update.add_column("id", StringType())
    with table.update_spec() as update:
        update.add_identity("id")
    lake.run("UPDATE t SET id = 'x' WHERE number IN (3, 13)")
    lake.run(
        "MERGE INTO t USING (VALUES (3, 'y'), (99, 'z')) s(number, id) ON t.number = s.number"
        " WHEN MATCHED THEN UPDATE SET id = s.id"
        " WHEN NOT MATCHED THEN INSERT (number, id) VALUES (s.number, s.id)"
    )
    rows = table.refresh().scan(row_filter="id IS NOT NULL").to_arrow().sort_by("number")
    assert rows.select(["number", "id"]).to_pylist() == [
        {"number": 3, "id": "y"},
        {"number": 13, "id": "x"},
        {"number": 99, "id": "z"},
    ]
    assert lake.rows("SELECT count(*), count(id), count(at) FROM t") == [["21", "3", "20"]]
    table.append(pa.table({"number": pa.array([7], pa.int64()), "id": ["q"]}))
    assert lake.rows("SELECT number FROM t WHERE id = 'q'") == [["7"]]
    table.delete("number = 99")
    assert lake.rows("SELECT count(*) FROM t") == [["21"]]


def test_files_without_field_ids_are_read_by_their_names(
    lake: Lake, catalog: GlueCatalog, table: Any
) -> None:
    rows = pa.table({"at": pa.array([None], pa.timestamp("us")), "id": pa.array([77], pa.int64())})
    with table.io.new_output(f"s3://{lake.name}/elsewhere/x.parquet").create() as stream:
        pq.write_table(rows, stream)
    table.add_files([f"s3://{lake.name}/elsewhere/x.parquet"])
    assert lake.rows("SELECT id, at FROM t WHERE id > 50") == [["77", None]]
    lake.run("UPDATE t SET at = TIMESTAMP '2020-01-01 00:00:00.000001' WHERE id = 77")
    found = table.refresh().scan(row_filter="id = 77").to_arrow().to_pylist()
    assert found == [{"id": 77, "at": datetime(2020, 1, 1, 0, 0, 0, 1)}]
