"""Writes and queries tables through awswrangler; run by test_athena_clients.py."""

from __future__ import annotations

import sys
from datetime import date
from typing import Any

import awswrangler as wr
import pandas as pd


def main(bucket: str, database: str) -> None:
    """Write a frame as a table, read it back in each way, repair, project, and have it Iceberg."""
    root = f"s3://{bucket}"
    wr.catalog.create_database(database)
    frame = pd.DataFrame(
        {
            "i": [1, 2, 3],
            "s": ["a", None, "c"],
            "f": [1.5, 2.5, None],
            "day": [date(2020, 1, 1), date(2020, 2, 1), None],
            "at": pd.to_datetime(["2020-01-01 01:02:03", "2020-02-01 00:00:00", None]),
            "p": ["x", "y", "x"],
        }
    )
    table: dict[str, Any] = {"dataset": True, "database": database, "partition_cols": ["p"]}
    wr.s3.to_parquet(frame, path=f"{root}/t/", table="t", **table)

    def read(sql: str, **options: Any) -> list[dict[str, Any]]:
        options.setdefault("ctas_approach", False)
        found = wr.athena.read_sql_query(
            sql, database=database, s3_output=f"{root}/out/", **options
        )
        return found.sort_values("i").to_dict("records")

    plain = read("SELECT * FROM t")
    assert [row["i"] for row in plain] == [1, 2, 3]
    assert plain[0]["day"] == date(2020, 1, 1)
    assert plain[0]["at"] == pd.Timestamp("2020-01-01 01:02:03")
    assert pd.isna(plain[1]["s"]) and pd.isna(plain[2]["f"])
    for options in (
        {"ctas_approach": True},
        {"unload_approach": True},
        {"athena_cache_settings": {"max_cache_seconds": 900}},
    ):
        if "unload_approach" in options:
            options["s3_output"] = f"{root}/unloaded/"
        output = options.pop("s3_output", f"{root}/out/")
        options.setdefault("ctas_approach", False)
        found = wr.athena.read_sql_query(
            "SELECT * FROM t", database=database, s3_output=output, **options
        )
        assert sorted(found["i"]) == [1, 2, 3], options
    assert read("SELECT * FROM t WHERE i = :i", params={"i": 2})[0]["p"] == "y"
    assert read("SELECT * FROM t WHERE i = ?", params=["2"], paramstyle="qmark")[0]["p"] == "y"
    place = {"database": database, "s3_output": f"{root}/out/"}
    assert wr.athena.repair_table("t", **place) == "SUCCEEDED"
    assert "bigint" in list(wr.athena.describe_table("t", **place)["Type"])
    assert wr.athena.show_create_table("t", **place).startswith("CREATE EXTERNAL TABLE `t`(")
    projection = {"projection_types": {"p": "enum"}, "projection_values": {"p": "x,y"}}
    wr.s3.to_parquet(
        frame,
        path=f"{root}/projected/",
        table="projected",
        athena_partition_projection_settings=projection,
        **table,
    )
    assert [row["i"] for row in read("SELECT * FROM projected WHERE p = 'x'")] == [1, 3]
    wr.athena.to_iceberg(
        frame,
        database=database,
        table="ice",
        temp_path=f"{root}/temporary/",
        table_location=f"{root}/ice/",
        s3_output=f"{root}/out/",
    )
    assert [row["i"] for row in read("SELECT * FROM ice")] == [1, 2, 3]
    change_iceberg(root, database, frame)


def change_iceberg(root: str, database: str, frame: pd.DataFrame) -> None:
    """Merge into an Iceberg table, overwrite its partitions, widen it and delete from it."""
    place: dict[str, Any] = {
        "database": database,
        "table": "changing",
        "temp_path": f"{root}/for_changing/",
        "s3_output": f"{root}/out/",
        "keep_files": False,
    }
    located = {"table_location": f"{root}/changing/", "partition_cols": ["p"]}
    few = frame[["i", "s", "p"]]
    wr.athena.to_iceberg(few, **place, **located)

    def rows() -> list[tuple[Any, ...]]:
        found = wr.athena.read_sql_query(
            "SELECT * FROM changing",
            database=database,
            s3_output=f"{root}/out/",
            ctas_approach=False,
        )
        found = found.sort_values(["i", "s"]).astype(object)
        return list(found.where(found.notna(), None).itertuples(index=False, name=None))

    assert rows() == [(1, "a", "x"), (2, None, "y"), (3, "c", "x")]
    wr.athena.to_iceberg(
        pd.DataFrame({"i": [2, 4], "s": ["b", "d"], "p": ["y", "z"]}), **place, merge_cols=["i"]
    )
    assert rows() == [(1, "a", "x"), (2, "b", "y"), (3, "c", "x"), (4, "d", "z")]
    wr.athena.to_iceberg(
        pd.DataFrame({"i": [4, 5], "s": ["-", "e"], "p": ["z", "z"]}),
        **place,
        merge_cols=["i"],
        merge_condition="ignore",
    )
    assert [row[:2] for row in rows()][3:] == [(4, "d"), (5, "e")]
    wr.athena.to_iceberg(
        pd.DataFrame({"i": [9], "s": ["new"], "p": ["x"]}),
        **place,
        **located,
        mode="overwrite_partitions",
    )
    assert [row[0] for row in rows()] == [2, 4, 5, 9]
    wr.athena.delete_from_iceberg_table(pd.DataFrame({"i": [4, 100]}), **place, merge_cols=["i"])
    assert [row[0] for row in rows()] == [2, 5, 9]
    wider = pd.DataFrame({"i": [10], "s": ["j"], "p": ["x"], "more": [1.5]})
    wr.athena.to_iceberg(wider, **place, schema_evolution=True)
    assert rows()[-1] == (10, "j", "x", 1.5)
    wr.athena.to_iceberg(few, **place, mode="overwrite", fill_missing_columns_in_df=True)
    assert [row[0] for row in rows()] == [1, 2, 3]


main(*sys.argv[1:])
