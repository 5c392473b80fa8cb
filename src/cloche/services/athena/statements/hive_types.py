"""Hive's types as DDL writes them, in the form that the catalog keeps."""

from __future__ import annotations

from cloche.services.athena.statements.cursor import Cursor

_SIMPLE = frozenset(
    [
        "tinyint",
        "smallint",
        "int",
        "bigint",
        "boolean",
        "float",
        "double",
        "string",
        "binary",
        "date",
        "timestamp",
        "void",
    ]
)
_ALIASES = {"integer": "int", "real": "float"}
_LENGTHS = {"char": 255, "varchar": 65535}
_DEFAULT_DECIMAL = "decimal(10,0)"


def parse_type(cursor: Cursor) -> str:
    """A type, such as `array<struct<a:int,b:decimal(10,2)>>`.

    Raises:
        QueryError: none is next.
    """
    if cursor.token.kind != "word":
        raise cursor.unexpected("<type>")
    name = cursor.token.text.lower()
    name = _ALIASES.get(name, name)
    if name in _SIMPLE:
        cursor.take()
        # Iceberg's DDL has it without a zone in Athena; Hive knows only that one.
        return name
    if name in _LENGTHS:
        return _sized(cursor, name)
    if name == "decimal":
        return _decimal(cursor)
    if name in ("array", "map", "uniontype"):
        cursor.take()
        cursor.expect_symbol("<")
        parts = [parse_type(cursor)]
        while cursor.accept_symbol(","):
            parts.append(parse_type(cursor))
        if len(parts) != {"array": 1, "map": 2}.get(name, len(parts)):
            raise cursor.unexpected("'>'")
        cursor.expect_symbol(">")
        return f"{name}<{','.join(parts)}>"
    if name == "struct":
        return _struct(cursor)
    raise cursor.unexpected("<type>")


def _sized(cursor: Cursor, name: str) -> str:
    cursor.take()
    cursor.expect_symbol("(")
    length = cursor.token
    size = cursor.integer()
    if not 1 <= size <= _LENGTHS[name]:
        cursor.index -= 1
        raise cursor.unexpected(f"a length of 1 to {_LENGTHS[name]}, not {length.text}")
    cursor.expect_symbol(")")
    return f"{name}({size})"


def _decimal(cursor: Cursor) -> str:
    cursor.take()
    if not cursor.accept_symbol("("):
        return _DEFAULT_DECIMAL
    precision = cursor.integer()
    scale = cursor.integer() if cursor.accept_symbol(",") else 0
    if not (1 <= precision <= 38 and scale <= precision):
        cursor.index -= 1
        raise cursor.unexpected("a precision of 1 to 38 and a scale up to it")
    cursor.expect_symbol(")")
    return f"decimal({precision},{scale})"


def _struct(cursor: Cursor) -> str:
    cursor.take()
    cursor.expect_symbol("<")
    fields: list[str] = []
    while True:
        name = cursor.identifier()
        cursor.expect_symbol(":")
        fields.append(f"{name}:{parse_type(cursor)}")
        if cursor.accept("COMMENT"):
            cursor.string()  # Hive keeps none within a struct
        if not cursor.accept_symbol(","):
            break
    cursor.expect_symbol(">")
    return f"struct<{','.join(fields)}>"
