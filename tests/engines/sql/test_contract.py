"""What every SQL engine does, whatever it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cloche.engines.sql.engine import (
    ArrowTable,
    Column,
    DataFile,
    ErrorKind,
    QueryCancelled,
    QueryError,
    View,
)
from tests.engines.sql.running import PARQUET, Lake


def parquet(lake: Lake, name: str, table: pa.Table, **partition: str | None) -> DataFile:
    path = lake.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return DataFile(str(path), f"s3://lake/{name}", path.stat().st_size, partition)


def error_of(lake: Lake, sql: str, **options: object) -> QueryError:
    with pytest.raises(QueryError) as caught:
        lake.rows(sql, **options)
    return caught.value


def test_a_query_without_tables(lake: Lake) -> None:
    execution = lake.execute("SELECT 1 AS a, 'x' AS b")
    assert [column.name for column in execution.columns] == ["a", "b"]
    assert [batch.to_pylist() for batch in execution.batches()] == [[{"a": 1, "b": "x"}]]
    assert execution.statistics.row_count == 1
    execution.close()


def test_files_of_different_schemas_are_one_table(lake: Lake) -> None:
    first = parquet(lake, "1.parquet", pa.table({"A": pa.array([1], pa.int32()), "b": ["x"]}))
    second = parquet(lake, "2.parquet", pa.table({"a": pa.array([2**40], pa.int64())}))
    lake.table("t", PARQUET, "a bigint; b string; c date", first, second)
    assert lake.rows("SELECT a, b, c FROM t ORDER BY a") == [(1, "x", None), (2**40, None, None)]


def test_partition_columns_are_typed_and_null(lake: Lake) -> None:
    rows = pa.table({"a": [1]})
    files = [parquet(lake, f"p/{day}", rows, day=day) for day in ("7", "8", None)]
    lake.table("t", PARQUET, "a bigint", *files, partitions="day int")
    assert lake.rows("SELECT day + 1 FROM t WHERE day > 7") == [(9,)]
    assert lake.rows("SELECT count(*) FROM t WHERE day IS NULL") == [(1,)]


def test_many_partitions_and_the_path_of_each_row(lake: Lake) -> None:
    files = [parquet(lake, f"p/{n}", pa.table({"a": [n]}), day=str(n)) for n in range(120)]
    lake.table("t", PARQUET, "a bigint", *files, partitions="day int")
    assert lake.rows("SELECT count(*) FROM t WHERE a = day") == [(120,)]
    assert lake.rows('SELECT "$path", day FROM t WHERE a = 70') == [("s3://lake/p/70", 70)]


def test_a_table_is_read_as_often_as_it_is_named(lake: Lake) -> None:
    batches = pa.table({"k": [1, 2], "v": ["a", "b"]})
    lake.tables["t"] = ArrowTable(
        (Column("k", "bigint"), Column("v", "varchar")), lambda: batches.to_reader()
    )
    assert lake.rows("SELECT x.v, y.v FROM t x JOIN t y ON x.k = y.k ORDER BY 1") == [
        ("a", "a"),
        ("b", "b"),
    ]


def test_views_look_names_up_in_their_own_schema(lake: Lake) -> None:
    file = parquet(lake, "1.parquet", pa.table({"a": [1, 2]}))
    lake.table("t", PARQUET, "a bigint", file)
    lake.tables["v"] = View("SELECT a * 10 AS b FROM t", "awsdatacatalog", "other")
    assert lake.rows("SELECT b FROM v WHERE b > 10") == [(20,)]
    assert [(r.schema, r.name) for r in lake.references] == [("default", "v"), ("other", "t")]


def test_a_table_without_files_is_empty(lake: Lake) -> None:
    lake.table("t", PARQUET, "a bigint; b string")
    assert lake.rows("SELECT a, b FROM t") == []
    assert lake.rows("SELECT count(*) FROM t") == [(0,)]


def test_an_unknown_table(lake: Lake) -> None:
    assert error_of(lake, "SELECT * FROM nowhere").kind == ErrorKind.TABLE_NOT_FOUND


def test_a_missing_file_is_named_as_the_user_knows_it(lake: Lake) -> None:
    lake.table("t", PARQUET, "a bigint", lake.file("gone.parquet"))
    error = error_of(lake, "SELECT a FROM t")
    assert error.kind == ErrorKind.HIVE_CANNOT_OPEN_SPLIT
    assert "s3://lake/gone.parquet" in error.message
    assert str(lake.folder) not in error.message


@pytest.mark.parametrize("damage", ["head", "middle", "cut"])
def test_a_corrupt_file_is_named(lake: Lake, damage: str) -> None:
    file = parquet(
        lake, "bad.parquet", pa.table({"a": [f"text {n * 7919}" for n in range(50_000)]})
    )
    path = Path(file.location)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "head":
        content = bytearray(b"a,b\n1,2\n")
    else:
        content[1000:9000] = b"\xff" * 8000
    path.write_bytes(content)
    lake.table("t", PARQUET, "a string", file)
    error = error_of(lake, "SELECT max(a) FROM t")
    assert error.kind == ErrorKind.HIVE_BAD_DATA
    assert "s3://lake/bad.parquet" in error.message
    assert str(lake.folder) not in error.message
    assert lake.rows("SELECT 1") == [(1,)]


def test_scanned_bytes_are_those_of_the_columns_read(lake: Lake) -> None:
    table = pa.table({"a": list(range(10_000)), "b": [f"{n * 31:>200}" for n in range(10_000)]})
    file = parquet(lake, "1.parquet", table)
    lake.table("t", PARQUET, "a bigint; b string", file)
    group = pq.read_metadata(file.location).row_group(0)
    execution = lake.execute("SELECT sum(a) FROM t")
    list(execution.batches())
    execution.close()
    sizes = [group.column(n).total_compressed_size for n in range(2)]
    assert execution.statistics.scanned_bytes in (sizes[0], sum(sizes))


def test_the_scan_limit_ends_the_query(lake: Lake) -> None:
    file = parquet(lake, "1.parquet", pa.table({"a": list(range(100_000))}))
    lake.table("t", PARQUET, "a bigint", file)
    error = error_of(lake, "SELECT sum(a) FROM t", scan_limit_bytes=1000)
    assert error.kind == ErrorKind.EXCEEDED_SCAN_LIMIT
    assert lake.rows("SELECT count(a) FROM t", scan_limit_bytes=10**9) == [(100_000,)]


_ENDLESS = "SELECT count(*) FROM t a CROSS JOIN t b CROSS JOIN t c WHERE a.n * b.n * c.n = -1"


@pytest.mark.parametrize("sql", [_ENDLESS, _ENDLESS.replace("count(*)", "a.n")])
def test_cancel_stops_the_work_soon(lake: Lake, sql: str) -> None:
    lake.table("t", PARQUET, "n bigint", parquet(lake, "1", pa.table({"n": list(range(100_000))})))
    ended: list[float] = []
    running = threading.Event()

    def run() -> None:
        lake_query = lake.query(sql)
        original = lake_query.resolve

        def resolve(reference: object) -> object:
            running.set()
            return original(reference)  # type: ignore[arg-type]

        with pytest.raises(QueryCancelled):
            execution = lake.engine.execute(
                type(lake_query)(
                    lake_query.sql,
                    "trino",
                    "awsdatacatalog",
                    "default",
                    resolve,  # type: ignore[arg-type]
                )
            )
            list(execution.batches())
        ended.append(time.perf_counter())

    thread = threading.Thread(target=run)
    thread.start()
    running.wait(10)
    threading.Event().wait(0.5)
    cancelled = time.perf_counter()
    lake.engine.close()
    thread.join(10)
    assert ended
    assert ended[0] - cancelled < 0.5


def test_queries_run_at_once(lake: Lake) -> None:
    lake.table("t", PARQUET, "n bigint", parquet(lake, "1", pa.table({"n": list(range(1000))})))
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda k: lake.rows(f"SELECT sum(n) + {k} FROM t"), range(40)))
    assert answers == [[(499_500 + k,)] for k in range(40)]


def test_more_than_the_memory_is_spilled(lake: Lake) -> None:
    text = [f"{n * 7919 % 1_000_003:>300}" for n in range(200_000)]
    files = [parquet(lake, f"{k}", pa.table({"s": text})) for k in range(8)]
    lake.table("t", PARQUET, "s string", *files)
    sql = "SELECT count(*) FROM (SELECT s, row_number() OVER (ORDER BY s) AS n FROM t) WHERE n > 0"
    assert lake.rows(sql, memory_limit_bytes=200 * 2**20) == [(1_600_000,)]


def test_results_are_streamed(lake: Lake) -> None:
    lake.table("t", PARQUET, "n bigint", parquet(lake, "1", pa.table({"n": list(range(10_000))})))
    execution = lake.execute("SELECT a.n, b.n FROM t a CROSS JOIN t b")
    batches = execution.batches()
    assert sum(next(batches).num_rows for _ in range(3)) > 0
    started = time.perf_counter()
    execution.close()
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        'SELECT * FROM "/etc/passwd"',
        "SELECT * FROM TABLE(read_csv('/etc/passwd'))",
        "SELECT * FROM glob('/etc/*')",
        "SELECT getenv('HOME')",
        "SELECT current_setting('temp_directory')",
        "SELECT * FROM duckdb_settings()",
        "COPY (SELECT 1) TO '/tmp/stolen'",
        "ATTACH '/tmp/stolen.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA database_list",
        "SET memory_limit = '1TB'",
        "SELECT 1; SELECT 2",
    ],
)
def test_nothing_of_the_server_can_be_read(lake: Lake, sql: str) -> None:
    error_of(lake, sql)
    assert not Path("/tmp/stolen").exists()


def test_explain_gives_the_plan(lake: Lake) -> None:
    lake.table("t", PARQUET, "n bigint", parquet(lake, "1", pa.table({"n": [1]})))
    plan = lake.engine.explain(lake.query("SELECT sum(n) FROM t")).text
    assert "AGGREGATE" in plan.upper()
    assert "rows:" not in plan
    ran = lake.engine.explain(lake.query("SELECT sum(n) FROM t"), analyze=True)
    assert "[output rows: 1, time: " in ran.text
    assert ran.statistics.scanned_bytes > 0


def test_all_columns_and_a_hidden_one(lake: Lake) -> None:
    lake.table("t", PARQUET, "n bigint", parquet(lake, "1", pa.table({"n": [1]})))
    assert lake.rows('SELECT *, "$path" FROM t') == [(1, "s3://lake/1")]
    assert lake.rows('SELECT *, "$file_size" > 0 FROM t') == [(1, True)]
    assert lake.rows("SELECT * FROM t") == [(1,)]


def test_a_table_from_elsewhere_is_read_once(lake: Lake) -> None:
    reads: list[int] = []

    def read() -> pa.RecordBatchReader:
        reads.append(1)
        return pa.table({"k": [1, 2]}).to_reader()

    lake.tables["t"] = ArrowTable((Column("k", "bigint"),), read)
    assert lake.rows("SELECT sum(k) FROM t") == [(3,)]
    assert len(reads) == 1


def test_a_failing_table_from_elsewhere_fails_the_query_alone(lake: Lake) -> None:
    schema = pa.schema([("k", pa.int64())])

    def broken() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"k": [1]}, schema=schema)
        raise QueryError(ErrorKind.GENERIC_USER_ERROR, "the other side hung up")

    lake.tables["t"] = ArrowTable(
        (Column("k", "bigint"),), lambda: pa.RecordBatchReader.from_batches(schema, broken())
    )
    assert error_of(lake, "SELECT sum(k) FROM t").message == "the other side hung up"
    assert lake.rows("SELECT 1") == [(1,)]


def test_a_query_that_needs_too_much_fails_alone(lake: Lake) -> None:
    text = [f"{n:>400}" for n in range(100_000)]
    files = [parquet(lake, f"{k}", pa.table({"s": text})) for k in range(6)]
    lake.table("t", PARQUET, "s string", *files)
    error = error_of(
        lake, "SELECT cardinality(array_agg(s)) FROM t", memory_limit_bytes=128 * 2**20
    )
    assert error.kind == ErrorKind.EXCEEDED_MEMORY_LIMIT
    assert lake.rows("SELECT count(s) FROM t") == [(600_000,)]


def test_settings_are_a_querys_own(lake: Lake) -> None:
    sql = "SELECT current_user, CAST(current_date AS varchar)"
    moments = {"ann": (0.0, "1970-01-01"), "bob": (86_400.0 * 366, "1971-01-02")}
    for user, (now, day) in moments.items():
        assert lake.rows(sql, user=user, now=now) == [(user, day)]


def test_time_zones_do_not_move_stored_times(lake: Lake) -> None:
    instant = pa.array([0], pa.timestamp("us", "UTC"))
    plain = pa.array([0], pa.timestamp("us"))
    lake.table(
        "t",
        PARQUET,
        "a timestamp; b timestamp",
        parquet(lake, "1", pa.table({"a": instant, "b": plain})),
    )
    rows = lake.rows("SELECT CAST(a AS varchar), CAST(b AS varchar) FROM t", time_zone="Asia/Tokyo")
    assert rows == [("1970-01-01 00:00:00.000", "1970-01-01 00:00:00.000")]


def test_views_keep_zones(lake: Lake) -> None:
    sql = "SELECT TIMESTAMP '2020-01-01 00:00:00 Asia/Tokyo' AS t"
    lake.tables["v"] = View(sql, "awsdatacatalog", "default")
    assert lake.rows("SELECT CAST(t AS varchar), day(t) FROM v") == [
        ("2020-01-01 00:00:00 Asia/Tokyo", 1)
    ]


def test_a_view_of_itself_is_refused(lake: Lake) -> None:
    lake.tables["v"] = View("SELECT * FROM v", "awsdatacatalog", "default")
    assert error_of(lake, "SELECT * FROM v").kind == ErrorKind.NOT_SUPPORTED


def test_cancel_ends_a_stream_that_is_read(lake: Lake) -> None:
    numbers = pa.table({"n": list(range(100_000))})
    lake.table("t", PARQUET, "n bigint", parquet(lake, "1", numbers))
    execution = lake.execute("SELECT a.n FROM t a CROSS JOIN t b")
    batches = execution.batches()
    next(batches)
    cancelled: list[float] = []

    def cancel() -> None:
        cancelled.append(time.perf_counter())
        execution.cancel()

    timer = threading.Timer(0.3, cancel)
    timer.start()
    with pytest.raises(QueryCancelled):
        for _ in batches:
            pass
    assert time.perf_counter() - cancelled[0] < 0.25
    timer.join()
    execution.close()
    assert lake.rows("SELECT 1") == [(1,)]
