"""Several clients change one Iceberg table at once: what each was told is what is there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
from pyiceberg.catalog.glue import GlueCatalog

from tests.services.athena.conftest import Lake

WRITERS, ROUNDS = 4, 5


def test_no_merge_is_lost(lake: Lake, catalog: GlueCatalog) -> None:
    lake.run(
        "CREATE TABLE t (id int, n int) LOCATION "
        f"'s3://{lake.name}/t/' TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    lake.run("INSERT INTO t VALUES (0, 0)")

    def write(writer: int) -> int:
        done = 0
        for number in range(ROUNDS):
            shown = lake.end(
                f"MERGE INTO t USING (VALUES 0, {100 * writer + number + 1}) s(id)"
                " ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = t.n + 1"
                " WHEN NOT MATCHED THEN INSERT VALUES (s.id, 1)"
            )
            done += shown["Status"]["State"] == "SUCCEEDED"
        return done

    with ThreadPoolExecutor(WRITERS) as pool:
        done = sum(pool.map(write, range(WRITERS)))
    assert done == WRITERS * ROUNDS
    assert lake.rows("SELECT n FROM t WHERE id = 0") == [[str(done)]]
    assert lake.rows("SELECT count(*), sum(n) FROM t") == [[str(done + 1), str(2 * done)]]
    loaded = catalog.load_table(f"{lake.name}.t")
    assert len(loaded.snapshots()) == done + 1
    assert loaded.current_snapshot().summary["total-records"] == str(done + 1)


def test_what_pyiceberg_commits_meanwhile_is_kept(lake: Lake, catalog: GlueCatalog) -> None:
    lake.run(
        "CREATE TABLE t (id int, n int) LOCATION "
        f"'s3://{lake.name}/t/' TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    lake.run("INSERT INTO t VALUES (1, 0)")
    loaded = catalog.load_table(f"{lake.name}.t")
    rows = pa.table({"id": pa.array([2], pa.int32()), "n": pa.array([0], pa.int32())})

    def update() -> None:
        for _ in range(5):
            lake.run("UPDATE t SET n = n + 1 WHERE id = 1")

    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(update)
        for _ in range(5):
            loaded.append(rows)
        ended.result()
    assert lake.rows("SELECT id, count(*), sum(n) FROM t GROUP BY id ORDER BY id") == [
        ["1", "1", "5"],
        ["2", "5", "0"],
    ]
