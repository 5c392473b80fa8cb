"""The same flights in every format, by others' writers and by our own, give the same answers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.live_server import LiveServer
from tests.services.athena import flights
from tests.services.athena.conftest import Lake

_HIVE = ", ".join(f"{name} {kind}" for name, kind in flights.COLUMNS.items())
_SERDE = "org.apache.hadoop.hive"
_STRINGS = ", ".join(f"{name} string" for name in flights.COLUMNS)

pytestmark = pytest.mark.timeout(600)

EXTERNAL = {
    "parquet": ("a.parquet", flights.parquet, "STORED AS PARQUET"),
    "parquet_int96": (
        "a.parquet",
        lambda: flights.parquet(use_deprecated_int96_timestamps=True, compression="zstd"),
        "STORED AS PARQUET",
    ),
    "orc": ("a.orc", flights.orc_file, "STORED AS ORC"),
    "avro": ("a.avro", flights.avro, "STORED AS AVRO"),
    "openx": (
        "a.json",
        flights.json_lines,
        "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'",
    ),
    "hive_json": (
        "a.json",
        flights.json_lines,
        "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'",
    ),
    "text": ("a.txt", flights.delimited, ""),
    "text_by_commas": (
        "a.txt",
        lambda: flights.delimited("|"),
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY '|'",
    ),
}
CREATED = {
    "own_parquet": "format = 'PARQUET', partitioned_by = ARRAY['part']",
    "own_avro": "format = 'AVRO', write_compression = 'SNAPPY'",
    "own_text": "format = 'TEXTFILE', write_compression = 'GZIP'",
}
UNLOADED = {
    "unloaded_parquet": ("format = 'PARQUET', compression = 'SNAPPY'", "STORED AS PARQUET"),
    "unloaded_orc": ("format = 'ORC', compression = 'ZSTD'", "STORED AS ORC"),
    "unloaded_json": (
        "format = 'JSON'",
        "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'",
    ),
}
FORMATS = [*EXTERNAL, "csv", "regex", *CREATED, *UNLOADED]
_NAMES = ", ".join(flights.COLUMNS)

# By a view over strings, as people do where a SerDe has no other types.
_CASTS = ", ".join(
    f"""{name}"""
    if kind == "string"
    else f"CAST(json_parse({name}) AS {trino}) AS {name}"
    if "<" in kind
    else f"CAST({name} AS {trino}) AS {name}"
    for name, kind, trino in (
        (name, kind, flights.TRINO.get(name, kind)) for name, kind in flights.COLUMNS.items()
    )
)


@pytest.fixture(scope="module")
def lake(server: LiveServer) -> Lake:
    made = Lake(server).prepare()
    for name, (file, content, how) in EXTERNAL.items():
        made.put(f"{name}/{file}", content())
        place = f"s3://{made.name}/{name}/"
        made.run(f"CREATE EXTERNAL TABLE {name} ({_HIVE}) {how} LOCATION '{place}'")
    _strings(made, "csv", "a.csv.gz", flights.quoted_csv(), f"{_SERDE}.serde2.OpenCSVSerde", "")
    pattern = r"\\t".join([r"<(?:-(?=>)|([^\\t]*))>"] * len(flights.COLUMNS))
    options = f"WITH SERDEPROPERTIES ('input.regex' = '{pattern}')"
    _strings(made, "regex", "a.log", flights.log(), f"{_SERDE}.serde2.RegexSerDe", options)
    for name, how in CREATED.items():
        part = ", carrier AS part" if "part'" in how else ""
        made.run(f"CREATE TABLE {name} WITH ({how}) AS SELECT *{part} FROM parquet")
    for name, (how, stored) in UNLOADED.items():
        place = f"s3://{made.name}/{name}/"
        made.run(f"UNLOAD (SELECT * FROM parquet) TO '{place}' WITH ({how})")
        made.run(f"CREATE EXTERNAL TABLE {name} ({_HIVE}) {stored} LOCATION '{place}'")
    return made


def _strings(lake: Lake, name: str, file: str, content: bytes, serde: str, options: str) -> None:
    lake.put(f"{name}/{file}", content)
    header = "TBLPROPERTIES ('skip.header.line.count' = '1')" if name == "csv" else ""
    lake.run(
        f"CREATE EXTERNAL TABLE {name}_strings ({_STRINGS}) ROW FORMAT SERDE '{serde}' {options}"
        f" LOCATION 's3://{lake.name}/{name}/' {header}"
    )
    source = f"{name}_strings"
    if name == "csv":
        nulls = ", ".join(f"nullif({each}, '') AS {each}" for each in flights.COLUMNS)
        source = f"(SELECT {nulls} FROM {source})"
        casts = _CASTS.replace("remark", "replace(remark, '~', '') AS remark")
    else:
        casts = _CASTS
    lake.run(f"CREATE VIEW {name} AS SELECT {casts} FROM {source}")


@pytest.fixture(scope="module")
def whole(lake: Lake) -> bytes:
    """All rows as Athena gives them of the Parquet file."""
    return _csv(lake, "SELECT * FROM parquet ORDER BY id")


def _csv(lake: Lake, sql: str) -> bytes:
    return lake.body(lake.run(sql)["ResultConfiguration"]["OutputLocation"])


def test_rows_are_the_flights(whole: bytes) -> None:
    rows = list(flights.as_shown())
    given = whole.decode().splitlines()
    assert given[0] == ",".join(f'"{name}"' for name in flights.COLUMNS)
    assert len(given) == len(rows) + 1 == 24_952
    for line, row in zip(given[1:], rows, strict=True):
        assert line == ",".join("" if text is None else f'"{text}"' for text in row)


@pytest.mark.parametrize("name", FORMATS)
def test_every_row_is_the_same(lake: Lake, whole: bytes, name: str) -> None:
    given = _csv(lake, f"SELECT {_NAMES} FROM {name} ORDER BY id")
    if given != whole:
        pairs = zip(given.splitlines(), whole.splitlines(), strict=True)
        raise AssertionError(next((a, b) for a, b in pairs if a != b))


QUERIES = {
    "counts": "SELECT count(*), count(flight), count(tailnum), count(fare), count(departed),"
    " count(remark), count(route), count(delays), count(times), count(legs),"
    " sum(fare), sum(fuel), min(fuel), max(departed), min(departed), min(flown), sum(dep_delay),"
    " sum(delays[1]), sum(cardinality(legs)), sum(element_at(times, 'air')), count(route.dest)"
    " FROM {}",
    "groups": "SELECT carrier, route.origin, count(*), sum(fare), max(route.miles), avg(arr_delay)"
    " FROM {} GROUP BY 1, 2 ORDER BY 1, 2",
    "unnested": "SELECT t.place, count(*) FROM {} CROSS JOIN UNNEST(legs) AS t(place, minutes)"
    " GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5",
}
CONDITIONS = {
    "id = 500": lambda r: r["id"] == 500,
    "carrier IN ('UA', 'AA')": lambda r: r["carrier"] in ("UA", "AA"),
    "flight IS NULL": lambda r: r["flight"] is None,
    "tailnum LIKE 'N3%'": lambda r: (r["tailnum"] or "").startswith("N3"),
    "dep_delay > 1.5": lambda r: r["dep_delay"] is not None and r["dep_delay"] > 1.5,
    "arr_delay BETWEEN -5 AND 5": lambda r: (
        r["arr_delay"] is not None and -5 <= r["arr_delay"] <= 5
    ),
    "fare < -10.55": lambda r: r["fare"] is not None and r["fare"] < Decimal("-10.55"),
    "fuel > 2475000000.5": lambda r: r["fuel"] is not None and r["fuel"] > Decimal("2475000000.5"),
    "flown >= DATE '2013-02-15'": lambda r: (
        r["flown"] is not None and str(r["flown"]) >= "2013-02-15"
    ),
    "departed < TIMESTAMP '1970-01-01 00:00:00'": lambda r: (
        r["departed"] is not None and r["departed"].year < 1970
    ),
    "is_late": lambda r: r["is_late"],
    "remark = ''": lambda r: r["remark"] == "",
    "remark = 'é ß 東京'": lambda r: r["remark"] == "é ß 東京",
    "route.miles > 2000": lambda r: r["route"] is not None and r["route"]["miles"] > 2000,
    "route.dest IS NULL": lambda r: r["route"] is None or r["route"]["dest"] is None,
    "contains(delays, 0)": lambda r: r["delays"] is not None and 0 in r["delays"],
    "times IS NULL": lambda r: r["times"] is None,
}


@pytest.fixture(scope="module")
def answers(lake: Lake) -> dict[str, list[list[str | None]]]:
    """To each query over the Parquet file."""
    return {what: lake.rows(sql.format("parquet")) for what, sql in QUERIES.items()}


@pytest.mark.parametrize("name", [each for each in FORMATS if each != "parquet"])
def test_aggregates_are_the_same(
    lake: Lake, answers: dict[str, list[list[str | None]]], name: str
) -> None:
    assert {what: lake.rows(sql.format(name)) for what, sql in QUERIES.items()} == answers


@pytest.mark.parametrize("name", FORMATS)
def test_conditions_are_met_by_the_same_rows(lake: Lake, name: str) -> None:
    rows = flights.flights()
    expected = [str(sum(bool(holds(row)) for row in rows)) for holds in CONDITIONS.values()]
    assert "0" not in expected
    counts = ", ".join(f"count_if({condition})" for condition in CONDITIONS)
    assert lake.rows(f"SELECT {counts} FROM {name}") == [expected]
    if "parquet" in name:  # here a condition alone leaves out parts of the file
        given = [lake.rows(f"SELECT count(*) FROM {name} WHERE {each}") for each in CONDITIONS]
        assert given == [[[count]] for count in expected]
