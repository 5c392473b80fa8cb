"""Hive's types, parsed, and what they are in Arrow."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.formats.sql_text import quoted

_NAMES = {
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "real": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
    "varchar": pa.string(),
    "char": pa.string(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}
_DUCKDB_NAMES = {
    "int": "INTEGER",
    "string": "VARCHAR",
    "char": "VARCHAR",
    "varchar": "VARCHAR",
    "binary": "BLOB",
}
_TOKEN = re.compile(r"\s*([<>,:()]|[^<>,:()]+)")
_STRUCT_NAME = re.compile(r"\s*(?:`([^`]*)`|([^:<>,]+))\s*:")


@dataclass(frozen=True, slots=True)
class HiveType:
    """A type.

    Attributes:
        kind: `int`, `decimal`, `array`, `map`, `struct`, …; never an alias.
        children: of an array its element, of a map key and value, of a struct its fields.
        names: of a struct's fields.
        numbers: precision and scale of a decimal, length of a char or varchar.
    """

    kind: str
    children: tuple[HiveType, ...] = ()
    names: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()

    @property
    def arrow(self) -> pa.DataType:
        """The type in Arrow; timestamps have no zone."""
        match self.kind:
            case "array":
                return pa.list_(self.children[0].arrow)
            case "map":
                return pa.map_(self.children[0].arrow, self.children[1].arrow)
            case "struct":
                pairs = zip(self.names, self.children, strict=True)
                return pa.struct([pa.field(name, child.arrow) for name, child in pairs])
            case "decimal":
                return pa.decimal128(*self.numbers)
            case kind:
                return _NAMES[kind]

    @property
    def duckdb(self) -> str:
        """The type in DuckDB's SQL; timestamps have no zone."""
        match self.kind:
            case "array":
                return f"{self.children[0].duckdb}[]"
            case "map":
                return f"MAP({self.children[0].duckdb}, {self.children[1].duckdb})"
            case "struct":
                pairs = zip(self.names, self.children, strict=True)
                fields = (f"{quoted(name)} {child.duckdb}" for name, child in pairs)
                return f"STRUCT({', '.join(fields)})"
            case "decimal":
                return f"DECIMAL({self.numbers[0]}, {self.numbers[1]})"
            case kind:
                return _DUCKDB_NAMES.get(kind, kind.upper())

    def __str__(self) -> str:
        match self.kind:
            case "struct":
                pairs = zip(self.names, self.children, strict=True)
                return "struct<" + ",".join(f"{name}:{child}" for name, child in pairs) + ">"
            case "array" | "map":
                return f"{self.kind}<{','.join(map(str, self.children))}>"
            case _:
                return self.kind + (f"({','.join(map(str, self.numbers))})" if self.numbers else "")


def parse_hive_type(text: str, *, keeps_case: bool = False, is_open: bool = False) -> HiveType:
    """The type that a table's column declares.

    Args:
        text: as the catalog has it.
        keeps_case: whether fields of structs keep the names that they are given; else these are
            in lower case, as Hive has them.
        is_open: whether `void` and `struct<>` are types: of what nothing is known yet.

    Raises:
        QueryError: it is none of Hive's types.
    """
    parser = _Parser(text, keeps_case, is_open)
    parsed = parser.type()
    if parser.rest():
        raise parser.refused()
    return parsed


class _Parser:
    def __init__(self, text: str, keeps_case: bool, is_open: bool) -> None:
        self._text = text
        self._is_open = is_open
        self._keeps_case = keeps_case
        self._at = 0

    def rest(self) -> str:
        return self._text[self._at :].strip()

    def refused(self) -> QueryError:
        return QueryError(ErrorKind.NOT_SUPPORTED, f"Unsupported Hive type: {self._text}")

    def _next(self) -> str:
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            raise self.refused()
        self._at = found.end()
        return found[1].strip()

    def _is_next(self, token: str) -> bool:
        rest = self._text[self._at :].lstrip()
        if not rest.startswith(token):
            return False
        self._at = len(self._text) - len(rest) + 1
        return True

    def _expect(self, token: str) -> None:
        if not self._is_next(token):
            raise self.refused()

    def type(self) -> HiveType:
        kind = self._next().lower()
        match kind:
            case "array":
                self._expect("<")
                parsed = HiveType("array", (self.type(),))
                self._expect(">")
                return parsed
            case "map":
                self._expect("<")
                key = self.type()
                self._expect(",")
                parsed = HiveType("map", (key, self.type()))
                self._expect(">")
                return parsed
            case "struct" | "row":
                return self._struct()
            case "decimal" | "dec" | "numeric":
                numbers = (*self._numbers(), 10, 0) if not self._has_numbers() else self._numbers()
                return HiveType("decimal", numbers=(*numbers, 0)[:2])
            case "varchar" | "char":
                return HiveType(kind, numbers=self._numbers())
            case "void" if self._is_open:
                return HiveType("void")
            case _ if kind in _NAMES:
                return HiveType({"integer": "int", "real": "float"}.get(kind, kind))
            case _:
                raise self.refused()

    def _has_numbers(self) -> bool:
        return self.rest().startswith("(")

    def _numbers(self) -> tuple[int, ...]:
        if not self._has_numbers():
            return ()
        self._expect("(")
        numbers: list[int] = []
        while True:
            token = self._next()
            if not token.isdigit():
                raise self.refused()
            numbers.append(int(token))
            if self._is_next(")"):
                return tuple(numbers)
            self._expect(",")

    def _struct(self) -> HiveType:
        self._expect("<")
        names: list[str] = []
        children: list[HiveType] = []
        if self._is_open and self._is_next(">"):
            return HiveType("struct")
        while True:
            found = _STRUCT_NAME.match(self._text, self._at)
            if found is None:
                raise self.refused()
            self._at = found.end()
            name = (found[1] or found[2]).strip()
            names.append(name if self._keeps_case else name.lower())
            children.append(self.type())
            if self._is_next(">"):
                return HiveType("struct", tuple(children), tuple(names))
            self._expect(",")
