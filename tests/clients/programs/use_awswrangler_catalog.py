"""awswrangler's dataset writes and its `catalog` functions, which need Glue and S3 only.

Run by `test_awswrangler_catalog.py` in an environment of its own: bucket and database as arguments.
"""

from __future__ import annotations

import sys

import awswrangler as wr
import pandas as pd


def main(bucket: str, database: str) -> None:
    """Write, append to and overwrite a partitioned dataset; look at what the catalog says."""
    path = f"s3://{bucket}/flights/"
    frame = pd.DataFrame(
        {
            "flight": [1545, 1714, 1141],
            "delay": [11.5, None, -2.0],
            "year": [2013, 2013, 2014],
            "carrier": ["UA", "a b", "Ä"],
        }
    )
    wr.catalog.create_database(database, description="all flights")
    assert database in set(wr.catalog.databases(limit=10_000)["Database"])
    where = {"database": database, "table": "flights"}
    written = {"dataset": True, "path": path, "partition_cols": ["year", "carrier"], **where}
    settings = {"description": "flown", "parameters": {"owner": "me"}}
    wr.s3.to_parquet(frame, **written, glue_table_settings=settings)
    assert wr.catalog.does_table_exist(**where)
    assert wr.catalog.get_table_types(**where) == {
        "flight": "bigint",
        "delay": "double",
        "year": "bigint",
        "carrier": "string",
    }
    assert wr.catalog.get_table_location(**where) == path
    assert wr.catalog.get_table_description(**where) == "flown"
    assert wr.catalog.get_table_parameters(**where)["owner"] == "me"
    values = sorted(wr.catalog.get_partitions(**where).values())
    assert values == [["2013", "UA"], ["2013", "a b"], ["2014", "Ä"]], values
    found = wr.catalog.get_parquet_partitions(**where, expression="year = 2014")
    assert list(found.values()) == [["2014", "Ä"]], found
    read = wr.s3.read_parquet_table(**where)
    assert len(read) == 3
    assert set(read["carrier"]) == set(frame["carrier"])

    more = frame.assign(year=2015, tail=["N1", "N2", "N3"])
    wr.s3.to_parquet(more, **written, mode="append", catalog_versioning=True)
    assert wr.catalog.get_table_types(**where)["tail"] == "string"
    assert len(wr.catalog.get_partitions(**where)) == 6
    wr.s3.to_parquet(frame, **written, mode="overwrite_partitions")
    assert len(wr.s3.read_parquet_table(**where, validate_schema=False)) == 6
    assert wr.catalog.get_table_number_of_versions(**where) == 2
    wr.catalog.delete_partitions(**where, partitions_values=[["2014", "Ä"]])
    assert len(wr.catalog.get_partitions(**where)) == 5

    wr.catalog.upsert_table_parameters(**where, parameters={"owner": "you"})
    assert wr.catalog.get_table_parameters(**where)["owner"] == "you"
    column = {"column_name": "note", "column_type": "string", "column_comment": "of the crew"}
    wr.catalog.add_column(**where, **column)
    assert wr.catalog.get_table_types(**where)["note"] == "string"
    assert [each["Name"] for each in wr.catalog.get_tables(name_prefix="fli", database=database)]
    assert [each["Name"] for each in wr.catalog.search_tables(text="flights")]
    wr.s3.to_parquet(frame, **written, mode="overwrite")
    assert len(wr.catalog.get_partitions(**where)) == 3
    assert wr.catalog.delete_table_if_exists(**where)
    assert not wr.catalog.delete_table_if_exists(**where)
    wr.catalog.delete_database(database)


if __name__ == "__main__":
    main(*sys.argv[1:])
