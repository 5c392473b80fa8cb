"""MySQL's and MariaDB's catalog, types and SQL.

Source of the types: "MySQL connector: type mapping" of Trino's documentation, apart from
`tinyint(1)`, which is how BOOLEAN is declared and is boolean here. Sessions are in UTC.
"""

from __future__ import annotations

import re

import pyarrow as pa

from cloche.engines.sql.federation.transfers import (
    Comparable,
    Transfer,
    decimal_from_text,
    decimal_transport,
)

_SYSTEM = "('information_schema', 'mysql', 'performance_schema', 'sys')"

SCHEMAS = f"""
SELECT CAST(schema_name AS CHAR) FROM information_schema.schemata
WHERE lower(schema_name) NOT IN {_SYSTEM}
"""

_TABLES = """
SELECT CAST(t.table_schema AS CHAR) AS c0, CAST(t.table_name AS CHAR) AS c1,
  CASE WHEN t.table_type LIKE '%VIEW%' THEN 1 ELSE 0 END AS c2, CAST(c.column_name AS CHAR) AS c3,
  CAST(concat(c.column_type, coalesce(concat('|', c.numeric_precision, ',', c.numeric_scale), ''))
    AS CHAR) AS c4,
  CASE WHEN c.is_nullable = 'YES' THEN 1 ELSE 0 END AS c5, CAST(c.column_comment AS CHAR) AS c6,
  0 AS c7, CASE WHEN c.character_set_name = 'utf8mb4' THEN 1 ELSE 0 END AS c8
FROM information_schema.tables t
JOIN information_schema.columns c
  ON c.table_schema = t.table_schema AND c.table_name = t.table_name
WHERE lower(t.table_schema) NOT IN {system} AND lower(t.table_schema) = {schema}{name}
ORDER BY t.table_schema, t.table_name, c.ordinal_position
"""


def tables_sql(schema: str, name: str | None) -> str:
    """Rows of schema, table, whether it is a view, column, type, whether it may be NULL, comment,
    0, and whether it can hold every character.
    """  # noqa: D205 - it is one sentence
    only = "" if name is None else f" AND lower(t.table_name) = {text(name)}"
    return _TABLES.format(system=_SYSTEM, schema=text(schema), name=only)


def text(value: str) -> str:
    """A string, by its bytes: what a backslash means depends on the server's mode."""
    return f"_utf8mb4 X'{value.encode('utf-8', 'replace').hex()}'" if value else "''"


def name(value: str) -> str:
    """An identifier."""
    return "`" + value.replace("`", "``") + "`"


def running_sql(token: str) -> str:
    """Ids of the connections that run what has a token in a comment."""
    return (
        "SELECT CAST(id AS CHAR) FROM information_schema.processlist "
        f"WHERE info LIKE concat('%', {text(token)}, '%') AND id <> connection_id()"
    )


def kill_sql(connection_id: str) -> str:
    """Ends what a connection is running."""
    return f"KILL QUERY {int(connection_id)}"


_TEXTS = {"tinytext": 255, "text": 65535, "mediumtext": 16777215, "longtext": 0}
_BINARY = frozenset(["binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"])
# By name: as it is declared, and unsigned.
_INTEGERS: dict[str, tuple[tuple[str, pa.DataType], tuple[str, pa.DataType]]] = {
    "tinyint": (("tinyint", pa.int8()), ("smallint", pa.int16())),
    "smallint": (("smallint", pa.int16()), ("integer", pa.int32())),
    "mediumint": (("integer", pa.int32()), ("integer", pa.int32())),
    "int": (("integer", pa.int32()), ("bigint", pa.int64())),
    "bigint": (("bigint", pa.int64()), ("decimal(20,0)", decimal_transport(20, 0))),
}
_TYPE = re.compile(r"(\w+)(?:\((.*)\))?([\w ]*)(?:\|(\d+),(\d+))?", re.DOTALL)

_AS_TEXT = "CAST({} AS CHAR)"


def transfer(remote_type: str) -> Transfer | None:
    """How values of a type come over; None if they can't."""
    match = _TYPE.fullmatch(remote_type)
    if match is None:
        return None
    base, arguments = match[1].lower(), match[2] or ""
    if base in _INTEGERS:
        return _integer(base, arguments, "unsigned" in match[3])
    if base in _BINARY:
        return Transfer("varbinary", pa.binary())
    if base in {"date", "datetime", "timestamp", "time"}:
        return _time(base, int(arguments or 0))
    if base == "decimal":
        return _decimal(int(match[4]), int(match[5]))
    return _other(base, arguments)


def _other(base: str, arguments: str) -> Transfer | None:
    match base:
        case "float":
            # As it is, a float is written with six digits.
            return Transfer("real", pa.float32(), fetch="({} + 0e0)")
        case "double":
            return Transfer("double", pa.float64(), comparable="double")
        case "bit" if arguments == "1":
            return Transfer("boolean", pa.bool_(), "({} <> 0)", comparable="boolean",
                            compared="({} <> 0)")  # fmt: skip
        case "year":
            return Transfer("integer", pa.int32(), comparable="integer")
        case "json":
            return Transfer("json", fetch=_AS_TEXT, restore="trino_json_parse({})")
        case "uuid":
            return Transfer("uuid", fetch=_AS_TEXT, restore="CAST({} AS UUID)", comparable="uuid")
        case "char":
            return _text(f"char({arguments or 1})", "padded text")
        case "varchar":
            return _text(f"varchar({arguments})")
        case "enum" | "set" | "inet4" | "inet6":
            return Transfer("varchar", fetch=_AS_TEXT)
        case _ if base in _TEXTS:
            length = _TEXTS[base]
            return _text(f"varchar({length})" if length else "varchar")
        case _:
            return None


def _text(kind: str, comparable: Comparable = "inexact text") -> Transfer:
    return Transfer(kind, fetch=_AS_TEXT, comparable=comparable)


def _integer(base: str, arguments: str, is_unsigned: bool) -> Transfer:
    if base == "tinyint" and arguments == "1" and not is_unsigned:
        return Transfer(
            "boolean", pa.bool_(), "({} <> 0)", comparable="boolean", compared="({} <> 0)"
        )
    kind, transport = _INTEGERS[base][is_unsigned]
    comparable: Comparable = "decimal" if kind.startswith("decimal") else "integer"
    return Transfer(kind, transport, comparable=comparable)


def _decimal(precision: int, scale: int) -> Transfer:
    if precision > 38:
        return Transfer(
            f"decimal(38,{scale})",
            fetch=_AS_TEXT,
            restore=decimal_from_text(38, scale),
            comparable="decimal",
        )
    transport = decimal_transport(precision, scale)
    return Transfer(f"decimal({precision},{scale})", transport, comparable="decimal")


def _time(base: str, precision: int) -> Transfer:
    """By their texts: what Trino has not (0000-00-00, 838:59:59) is an error then, not NULL."""
    match base:
        case "date":
            return Transfer("date", fetch=_AS_TEXT, restore="CAST({} AS DATE)", comparable="date")
        case "time":
            return Transfer(f"time({precision})", fetch=_AS_TEXT, restore="CAST({} AS TIME)")
        case "datetime":
            kind, restore = f"timestamp({precision})", "CAST({} AS TIMESTAMP)"
            return Transfer(kind, fetch=_AS_TEXT, restore=restore, comparable="timestamp")
        case _:
            kind, restore = (
                f"timestamp({precision}) with time zone",
                "CAST({} || '+00' AS TIMESTAMPTZ)",
            )
            return Transfer(kind, fetch=_AS_TEXT, restore=restore, comparable="instant")
