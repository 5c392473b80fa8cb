from __future__ import annotations

import pyarrow as pa
import pytest

from cloche.demo.flights import TABLES, parts, read_table
from cloche.demo.formats import FORMATS, Format


@pytest.mark.parametrize("one_format", FORMATS, ids=lambda one: one.extension)
def test_rows_are_counted_from_the_bytes(one_format: Format) -> None:
    rows = pa.table({"name": ["a", 'quo"ted', "new\tline", None], "count": [1, 2, None, 4]})
    assert one_format.count_rows(one_format.encode(rows)) == 4


def test_the_tables_are_whole() -> None:
    tables = {name: read_table(name) for name in TABLES}
    assert {name: table.num_rows for name, table in tables.items()} == {
        "flights": 336_776,
        "weather": 26_115,
        "planes": 3_322,
        "airports": 1_458,
        "airlines": 16,
    }
    assert tables["flights"]["dep_time"].null_count == 8_255
    assert pa.types.is_timestamp(tables["flights"].schema.field("time_hour").type)


def test_months_hold_every_row_once_without_the_folders_columns() -> None:
    found = list(parts("flights", read_table("flights")))
    assert sum(part.rows.num_rows for part in found) == 336_776
    assert [part.prefix for part in found[:2]] == ["year=2013/month=1/", "year=2013/month=2/"]
    assert {"year", "month"}.isdisjoint(found[0].rows.column_names)
