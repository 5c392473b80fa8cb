"""PostgreSQL's catalog, types and SQL.

Source of the types: "PostgreSQL connector: type mapping" of Trino's documentation. As there,
`numeric` without precision can't be had as such: its values come as `decimal(38,18)`, and one
that does not fit fails.
"""

from __future__ import annotations

import re

import pyarrow as pa

from cloche.engines.sql.federation.transfers import (
    TEXT,
    Transfer,
    decimal_from_text,
    decimal_transport,
    failing,
    finite,
)

SCHEMAS = """
SELECT nspname::text FROM pg_catalog.pg_namespace
WHERE pg_catalog.has_schema_privilege(oid, 'USAGE')
  AND nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp)'
"""

ENCODING = "SELECT pg_catalog.getdatabaseencoding()::text"

_TABLES = """
SELECT n.nspname::text AS c0, c.relname::text AS c1, (c.relkind IN ('v', 'm'))::int AS c2,
  a.attname::text AS c3,
  CASE WHEN t.typtype = 'e' OR (t.typtype = 'd' AND b.typtype = 'e') THEN 'enum'
       WHEN t.typtype = 'd' THEN
         pg_catalog.format_type(t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod END)
       WHEN t.typcategory = 'A' AND e.typtype = 'e' THEN 'enum[]'
       ELSE pg_catalog.format_type(a.atttypid, a.atttypmod) END AS c4,
  (NOT a.attnotnull)::int AS c5,
  coalesce(pg_catalog.col_description(c.oid, a.attnum), '')::text AS c6,
  (pg_catalog.getdatabaseencoding() IN ('UTF8', 'LATIN1'))::int AS c7,
  (pg_catalog.getdatabaseencoding() = 'UTF8')::int AS c8
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND lower(n.nspname) = {schema}{name}
ORDER BY n.nspname, c.relname, a.attnum
"""


def tables_sql(schema: str, name: str | None) -> str:
    """Rows of schema, table, whether it is a view, column, type, whether it may be NULL, comment,
    whether texts are in an encoding that sorts by code points, and whether it has every character.
    """  # noqa: D205 - it is one sentence
    only = "" if name is None else f" AND lower(c.relname) = {text(name)}"
    return _TABLES.format(schema=text(schema), name=only)


def text(value: str) -> str:
    """A string; the same whatever `standard_conforming_strings` is."""
    return "E'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def name(value: str) -> str:
    """An identifier."""
    return '"' + value.replace('"', '""') + '"'


def kill_sql(token: str) -> str:
    """Ends what an attachment is running."""
    return (
        "SELECT pg_catalog.pg_cancel_backend(pid)::text FROM pg_catalog.pg_stat_activity "
        f"WHERE application_name = {text(token)} AND pid <> pg_catalog.pg_backend_pid()"
    )


_SIMPLE: dict[str, Transfer] = {
    "boolean": Transfer("boolean", pa.bool_(), comparable="boolean"),
    "smallint": Transfer("smallint", pa.int16(), comparable="integer"),
    "integer": Transfer("integer", pa.int32(), comparable="integer"),
    "bigint": Transfer("bigint", pa.int64(), comparable="integer"),
    "real": Transfer("real", pa.float32()),
    "double precision": Transfer("double", pa.float64(), comparable="double"),
    "text": Transfer("varchar", comparable="text"),
    "bytea": Transfer("varbinary", pa.binary()),
    "date": Transfer("date", pa.date32(), restore=finite("DATE"), comparable="date"),
    "uuid": Transfer(
        "uuid", fetch="({})::text", restore="CAST({} AS UUID)", comparable="uuid"
    ),
    "json": Transfer("json", fetch="({})::text", restore="trino_json_parse({})"),
    "jsonb": Transfer("json", fetch="({})::text", restore="trino_json_parse({})"),
    "numeric": Transfer(
        "decimal(38,18)",
        fetch="({})::text",
        restore=decimal_from_text(38, 18),
        comparable="decimal",
    ),
}  # fmt: skip
# Types whose texts are all that can be said of their values here.
_AS_TEXT = frozenset(
    ["name", "enum", "citext", "xml", "inet", "cidr", "macaddr", "macaddr8", "character varying"]
)
_SIZED = re.compile(r"(character varying|character|numeric)\((\d+)(?:,(-?\d+))?\)")
_TIME = re.compile(r"(timestamp|time)(?:\((\d)\))? (with|without) time zone")


def transfer(remote_type: str) -> Transfer | None:
    """How values of a type come over; None if they can't."""
    if remote_type.endswith("[]"):
        return _array(remote_type.removesuffix("[]"))
    if remote_type in _SIMPLE:
        return _SIMPLE[remote_type]
    if remote_type in _AS_TEXT or remote_type.endswith(".citext"):
        # What is no text there is compared as one; a label that an enum lacks would be an error.
        return Transfer("varchar", fetch="({})::text", comparable="text", compared="({})::text")
    sized = _SIZED.fullmatch(remote_type)
    if sized is not None:
        return _sized(sized[1], int(sized[2]), int(sized[3] or 0))
    timed = _TIME.fullmatch(remote_type)
    return None if timed is None else _time(timed[1], int(timed[2] or 6), timed[3] == "with")


def _sized(base: str, length: int, scale: int) -> Transfer:
    if base == "character varying":
        return Transfer(f"varchar({length})", fetch="({})::text", comparable="text")
    if base == "character":
        # As text it has no trailing spaces, which is how `char(n)` is kept here.
        return Transfer(f"char({length})", fetch="({})::text", comparable="padded text")
    return _numeric(length, scale)


def _numeric(precision: int, scale: int) -> Transfer:
    if scale < 0:
        precision, scale = precision - scale, 0
    precision = max(precision, scale)
    if precision > 38:
        scale = min(scale, 38)
        return Transfer(
            f"decimal(38,{scale})",
            fetch="({})::text",
            restore=decimal_from_text(38, scale),
            comparable="decimal",
        )
    # The binary form of NaN is read as 0: it is made an error there.
    fetch = (
        "CAST(CASE WHEN {0} = 'NaN' THEN CAST({0}::text || ' is no decimal' AS numeric) "
        f"ELSE {{0}} END AS numeric({precision},{scale}))"
    )
    transport = decimal_transport(precision, scale)
    return Transfer(f"decimal({precision},{scale})", transport, fetch, comparable="decimal")


def _time(base: str, precision: int, has_zone: bool) -> Transfer | None:
    if base == "time":
        return None if has_zone else Transfer(f"time({precision})", pa.time64("us"))
    if has_zone:
        kind, restore = pa.timestamp("us", tz="UTC"), finite("TIMESTAMPTZ")
        shown = f"timestamp({precision}) with time zone"
        return Transfer(shown, kind, restore=restore, comparable="instant")
    restore = finite("TIMESTAMP")
    return Transfer(
        f"timestamp({precision})", pa.timestamp("us"), restore=restore, comparable="timestamp"
    )


_ELEMENTS = {
    "boolean": "BOOLEAN",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double precision": "DOUBLE",
    "text": "VARCHAR",
    "date": "DATE",
    "uuid": "UUID",
}


def _array(element: str) -> Transfer | None:
    """Arrays of one dimension; a value of more fails when it is read."""
    inner = transfer(element)
    if inner is None:
        return None
    if inner.type.startswith("varchar"):
        kind = "VARCHAR"
    elif inner.type.startswith("decimal") and element != "numeric":
        kind = inner.type.upper()
    elif element.startswith("timestamp") and element.endswith("without time zone"):
        kind = "TIMESTAMP"
    elif element in _ELEMENTS:
        kind = _ELEMENTS[element]
    else:
        return None
    # The text of an array of several dimensions is no JSON.
    fetch = (
        "CASE WHEN pg_catalog.array_ndims({0}) > 1 THEN 'several dimensions' "
        "ELSE pg_catalog.to_json({0}::text[])::text END"
    )
    bad = failing("NOT_SUPPORTED", "an array of several dimensions cannot be read")
    restore = f"CAST(from_json({{0}}, '[\"VARCHAR\"]') AS {kind}[])"
    infinite = failing("NOT_SUPPORTED", "an infinite date or time cannot be read")
    checks = f"WHEN {{0}} = 'several dimensions' THEN CAST(CAST({bad} AS VARCHAR) AS {kind}[]) "
    if kind in {"DATE", "TIMESTAMP"}:
        made = f"CAST(CAST({infinite} AS VARCHAR) AS {kind}[])"
        checks += f"WHEN contains({{0}}, 'infinity') THEN {made} "
    return Transfer(f"array({inner.type})", TEXT, fetch, f"CASE {checks}ELSE {restore} END")
