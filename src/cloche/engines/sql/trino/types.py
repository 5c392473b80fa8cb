"""Trino's types: their names, which coerce to which, and their names in DuckDB, Hive and Arrow.

How values are kept in DuckDB: `char(n)` as VARCHAR without its trailing spaces, `timestamp with
time zone` as TIMESTAMPTZ (the zone is a part of the expression's static type, see `Type.zone`),
`ipaddress` as its text, unnamed fields of a row as `field0`, `field1`, ….
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache

import pyarrow as pa

INTEGERS = ("tinyint", "smallint", "integer", "bigint")
_INTEGER_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
_NUMBERS = (*INTEGERS, "decimal", "real", "double")
DECIMAL_DIGITS_MAXIMUM = 38

TIMESTAMP_ZONE = "timestamp with time zone"
TIME_ZONE = "time with time zone"
DAY_SECOND = "interval day to second"
YEAR_MONTH = "interval year to month"


class TypeNameError(ValueError):
    """A text names no type."""


@dataclass(frozen=True, slots=True)
class Type:
    """A type.

    Attributes:
        base: Trino's name without parameters.
        numbers: length, precision, scale.
        items: types of elements, of key and value, of fields, of a lambda's arguments and result.
        names: of a row's fields; None is an unnamed one.
        zone: of a timestamp with time zone, where all its values have the same: an IANA name or
            an offset such as `+02:00`.
    """

    base: str
    numbers: tuple[int, ...] = ()
    items: tuple[Type, ...] = ()
    names: tuple[str | None, ...] = ()
    zone: str = field(default="UTC", compare=False)

    def __str__(self) -> str:
        if self.base == "row":
            parts = (
                f"{_field_name(name)} {item}" if name else str(item)
                for name, item in zip(self.names, self.items, strict=True)
            )
            return f"row({', '.join(parts)})"
        if self.items:
            return f"{self.base}({', '.join(map(str, self.items))})"
        if not self.numbers:
            return self.base
        head, _, rest = self.base.partition(" ")
        numbers = ",".join(map(str, self.numbers))
        return f"{head}({numbers}){' ' + rest if rest else ''}"

    @property
    def is_number(self) -> bool:
        """Whether it can be calculated with."""
        return self.base in _NUMBERS

    @property
    def is_integer(self) -> bool:
        """Whether it has no fraction by its kind."""
        return self.base in INTEGERS

    @property
    def is_text(self) -> bool:
        """Whether it is varchar or char."""
        return self.base in {"varchar", "char"}

    @property
    def zoned_name(self) -> str:
        """The name with the zone, as `timestamp(3) with time zone 'Asia/Tokyo'`."""
        return str(self) if self.base != TIMESTAMP_ZONE else f"{self} '{self.zone}'"

    def field_names(self) -> list[str]:
        """Of a row's fields, those that DuckDB has."""
        return [name or f"field{index}" for index, name in enumerate(self.names)]

    def at(self, zone: str) -> Type:
        """The same type whose values are in another zone."""
        return replace(self, zone=zone)


def _field_name(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else f'"{name}"'


UNKNOWN = Type("unknown")
BOOLEAN = Type("boolean")
INTEGER = Type("integer")
BIGINT = Type("bigint")
DOUBLE = Type("double")
REAL = Type("real")
VARCHAR = Type("varchar")
VARBINARY = Type("varbinary")
DATE = Type("date")
JSON = Type("json")
TIMESTAMP = Type("timestamp", (3,))
TIMESTAMPTZ = Type(TIMESTAMP_ZONE, (3,))


def array(item: Type) -> Type:
    """`array(item)`."""
    return Type("array", items=(item,))


def map_of(key: Type, value: Type) -> Type:
    """`map(key, value)`."""
    return Type("map", items=(key, value))


def row(*fields: tuple[str | None, Type]) -> Type:
    """`row(name type, …)`."""
    return Type("row", items=tuple(f[1] for f in fields), names=tuple(f[0] for f in fields))


def decimal(precision: int, scale: int) -> Type:
    """`decimal(precision, scale)`."""
    return Type("decimal", (min(precision, DECIMAL_DIGITS_MAXIMUM), scale))


# ── Reading names ─────────────────────────────────────────────────────────────────────────────

_NAMES = {
    "string": "varchar",
    "text": "varchar",
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "int2": "smallint",
    "int1": "tinyint",
    "hugeint": "decimal",
    "float": "real",
    "float4": "real",
    "float8": "double",
    "double precision": "double",
    "bool": "boolean",
    "binary": "varbinary",
    "blob": "varbinary",
    "numeric": "decimal",
    "dec": "decimal",
    "struct": "row",
    "list": "array",
    "timestamptz": TIMESTAMP_ZONE,
    "timestamp_ns": "timestamp",
    "timestamp_ms": "timestamp",
    "timestamp_s": "timestamp",
    "datetime": "timestamp",
    '"null"': "unknown",
    "null": "unknown",
    "void": "unknown",
    "unknown": "unknown",
    "utinyint": "smallint",
    "usmallint": "integer",
    "uinteger": "bigint",
    "timetz": TIME_ZONE,
    "timestamp with local time zone": TIMESTAMP_ZONE,
}
_KNOWN = {
    *("boolean", "tinyint", "smallint", "integer", "bigint", "real", "double", "decimal"),
    *("varchar", "char", "varbinary", "date", "time", "timestamp", "json", "uuid", "ipaddress"),
    *("array", "map", "row", "unknown", "interval", "color", "function"),
    *(TIMESTAMP_ZONE, TIME_ZONE, DAY_SECOND, YEAR_MONTH),
    *("hyperloglog", "qdigest", "tdigest", "geometry"),
}
_WORD = re.compile(r"\s*([A-Za-z_]\w*)")
_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)"|\s*`([^`]*)`')
_ZONE_SUFFIX = re.compile(r"\s*(with(?:out)?(?:\s+local)?\s+time\s+zone)", re.IGNORECASE)


class _Reader:
    """Reads one name of a type, in Trino's, Hive's or DuckDB's way."""

    def __init__(self, text: str, precision: int) -> None:
        self.text = text
        self.at = 0
        self.precision = precision

    def fail(self) -> TypeNameError:
        return TypeNameError(f"Unknown type: {self.text}")

    def peek(self) -> str:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.text[self.at : self.at + 1]

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()
        return match

    def word(self) -> str:
        match = self.take(_WORD)
        if match is None:
            raise self.fail()
        return match[1]

    def type(self) -> Type:
        base = self.word().lower()
        if base == "double" and self.take(re.compile(r"\s+precision", re.IGNORECASE)):
            base = "double"
        if base == "interval":
            suffix = self.take(re.compile(r"\s+(day|year)\s+to\s+(second|month)", re.IGNORECASE))
            return Type(f"interval {suffix[1]} to {suffix[2]}".lower() if suffix else DAY_SECOND)
        base = _NAMES.get(base, base)
        made = self.parameters(base)
        while self.peek() == "[":
            self.at = self.text.index("]", self.at) + 1
            made = array(made)
        return made

    def parameters(self, base: str) -> Type:
        opening = self.peek()
        items: list[Type] = []
        names: list[str | None] = []
        numbers: list[int] = []
        if opening and opening in "(<":
            closing = ")" if opening == "(" else ">"
            self.at += 1
            while self.peek() != closing:
                if not self.peek():
                    raise self.fail()
                self.parameter(base, items, names, numbers)
                if self.peek() == ",":
                    self.at += 1
            self.at += 1
        zone = self.take(_ZONE_SUFFIX) if base in {"timestamp", "time"} else None
        if zone and not zone[1].lower().startswith("without"):
            base = f"{base} with time zone"
        zone_name = self.take(re.compile(r"\s*'([^']+)'")) if zone else None
        if base not in _KNOWN:
            raise self.fail()
        made = self.made(base, numbers, items, names)
        return made.at(zone_name[1]) if zone_name else made

    def parameter(
        self, base: str, items: list[Type], names: list[str | None], numbers: list[int]
    ) -> None:
        number = self.take(re.compile(r"\s*(\d+)"))
        if number:
            numbers.append(int(number[1]))
            return
        name = self.field_name() if base == "row" else None
        items.append(self.type())
        names.append(name)

    def field_name(self) -> str | None:
        quoted = self.take(_QUOTED)
        if quoted:
            self.take(re.compile(r"\s*:"))
            return (quoted[1] or quoted[2]).replace('""', '"')
        start = self.at
        word = self.take(re.compile(r"\s*([\w$-]+)"))
        if word and self.peek() == ":":
            self.at += 1
            return word[1]
        following = self.peek()
        is_zone = word and self.text[self.at :].lower().startswith(("with time", "with local"))
        if word and following and following not in "(<,)>[" and not is_zone:
            lowered = word[1].lower()
            if lowered not in {"interval", "double"} or _starts_type(self.text[self.at :]):
                return word[1]
        self.at = start
        return None

    def made(
        self, base: str, numbers: list[int], items: list[Type], names: list[str | None]
    ) -> Type:
        wanted = {"array": 1, "map": 2}.get(base)
        if (wanted is not None and len(items) != wanted) or (base == "row" and not items):
            raise self.fail()
        if base == "row":
            return Type("row", items=tuple(items), names=tuple(names))
        if base in {"timestamp", "time", TIMESTAMP_ZONE, TIME_ZONE} and not numbers:
            numbers = [self.precision]
        if base == "decimal":
            numbers = [*numbers, 0][:2] if numbers else [38, 0]
        if base == "char" and not numbers:
            numbers = [1]
        return Type(base, tuple(numbers), tuple(items))


def _starts_type(text: str) -> bool:
    match = re.match(r"\s*([a-z_]\w*)", text, re.IGNORECASE)
    name = match[1].lower() if match else ""
    return name != "precision" and (name in _NAMES or name in _KNOWN)


@lru_cache(maxsize=4096)
def parse_type(text: str, *, precision: int = 3) -> Type:
    """The type that a text names, in Trino's, Hive's or DuckDB's way.

    Args:
        text: as `array(row(a integer))`, `array<struct<a:int>>` or `STRUCT(a INTEGER)[]`.
        precision: of times and timestamps that tell none.

    Raises:
        TypeNameError: it names none.
    """
    reader = _Reader(text, precision)
    made = reader.type()
    if reader.peek():
        raise reader.fail()
    return made


# ── DuckDB's names ────────────────────────────────────────────────────────────────────────────

_DUCKDB = {
    "char": "VARCHAR",
    "varchar": "VARCHAR",
    "varbinary": "BLOB",
    "real": "FLOAT",
    "timestamp": "TIMESTAMP",
    "time": "TIME",
    TIMESTAMP_ZONE: "TIMESTAMPTZ",
    TIME_ZONE: "TIMETZ",
    DAY_SECOND: "INTERVAL",
    YEAR_MONTH: "INTERVAL",
    "ipaddress": "VARCHAR",
    "unknown": "INTEGER",
}


def quoted(name: str) -> str:
    """A name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def to_duckdb_type(type: Type) -> str:
    """DuckDB's type that keeps a type's values."""
    if type.base == "array":
        return f"{to_duckdb_type(type.items[0])}[]"
    if type.base == "map":
        return f"MAP({to_duckdb_type(type.items[0])}, {to_duckdb_type(type.items[1])})"
    if type.base == "row":
        parts = zip(type.field_names(), type.items, strict=True)
        return f"STRUCT({', '.join(f'{quoted(n)} {to_duckdb_type(t)}' for n, t in parts)})"
    if type.base == "decimal":
        return f"DECIMAL({type.numbers[0]},{type.numbers[1]})"
    return _DUCKDB.get(type.base, type.base.upper())


def hive_type_to_duckdb(type: str) -> str:
    """DuckDB's type for a column that a Hive table declares.

    Raises:
        TypeNameError: it names no type.
    """
    text = type.strip()
    if text.lower() in {"decimal", "numeric"}:
        return "DECIMAL(10,0)"
    return to_duckdb_type(parse_type(text))


def hive_type_to_trino(type: str) -> str:
    """Trino's name of a type that a Hive table declares.

    Raises:
        TypeNameError: it names no type.
    """
    if type.strip().lower() in {"decimal", "numeric"}:
        return "decimal(10,0)"
    return str(parse_type(type))


def duckdb_type_to_trino(type: str) -> str:
    """Trino's name of a DuckDB type, as DuckDB prints it.

    Raises:
        TypeNameError: there is none.
    """
    if type.upper().startswith("ENUM("):
        return "varchar"
    if type.upper() in {"UBIGINT", "UHUGEINT"}:
        return "decimal(38,0)"
    return str(parse_type(type))


_ARROW = {
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.uint8(): "smallint",
    pa.uint16(): "integer",
    pa.uint32(): "bigint",
    pa.uint64(): "decimal(20,0)",
    pa.float16(): "real",
    pa.float32(): "real",
    pa.float64(): "double",
    pa.date32(): "date",
    pa.date64(): "date",
    pa.null(): "unknown",
}


def arrow_type_to_trino(type: pa.DataType) -> str:
    """Trino's name of an Arrow type.

    Raises:
        TypeNameError: there is none.
    """
    is_type = pa.types
    if isinstance(type, pa.BaseExtensionType):
        name = type.extension_name.rpartition(".")[2]
        return name if name in {"json", "uuid"} else arrow_type_to_trino(type.storage_type)
    if type in _ARROW:
        return _ARROW[type]
    if is_type.is_string(type) or is_type.is_large_string(type) or is_type.is_string_view(type):
        return "varchar"
    if is_type.is_dictionary(type):
        return arrow_type_to_trino(type.value_type)
    if is_type.is_decimal(type):
        return f"decimal({type.precision},{type.scale})"
    if is_type.is_timestamp(type):
        return "timestamp(3) with time zone" if type.tz else "timestamp(3)"
    if is_type.is_time(type):
        return "time(3)"
    if is_type.is_interval(type) or is_type.is_duration(type):
        return DAY_SECOND
    if is_type.is_map(type):
        key, value = arrow_type_to_trino(type.key_type), arrow_type_to_trino(type.item_type)
        return f"map({key}, {value})"
    if is_type.is_struct(type):
        fields = (f"{_field_name(f.name)} {arrow_type_to_trino(f.type)}" for f in type)
        return f"row({', '.join(fields)})"
    if hasattr(type, "value_type"):
        return f"array({arrow_type_to_trino(type.value_type)})"
    if "binary" in str(type):
        return "varbinary"
    raise TypeNameError(f"Unknown type: {type}")


# ── Coercion ──────────────────────────────────────────────────────────────────────────────────

_ORDER = {name: index for index, name in enumerate(_NUMBERS)}


def as_decimal(type: Type) -> Type:
    """The decimal that holds all values of an integer type."""
    return decimal(_INTEGER_DIGITS[type.base], 0) if type.is_integer else type


def _common_number(a: Type, b: Type) -> Type:
    low, high = sorted((a, b), key=lambda t: _ORDER[t.base])
    if high.base == "decimal":
        low, high = as_decimal(low), as_decimal(high)
        scale = max(low.numbers[1], high.numbers[1])
        whole = max(low.numbers[0] - low.numbers[1], high.numbers[0] - high.numbers[1])
        return decimal(whole + scale, scale)
    return high


def _common_text(a: Type, b: Type) -> Type:
    if a.base == b.base == "varchar":
        return (
            Type("varchar", (max(a.numbers[0], b.numbers[0]),))
            if a.numbers and b.numbers
            else VARCHAR
        )
    lengths = [t.numbers[0] if t.numbers else 65536 for t in (a, b)]
    return Type("char", (max(lengths),))


_TIMES = ("date", "timestamp", TIMESTAMP_ZONE)


MIXED = "mixed"
"""The zone of values of several zones, which can be compared, but not shown."""


def zones(type: Type) -> set[str]:
    """The zones of all timestamps in a type."""
    own = {type.zone} if type.base == TIMESTAMP_ZONE else set[str]()
    return own.union(*map(zones, type.items))


def common(a: Type, b: Type) -> Type | None:
    """The type that both coerce to; None if there is none."""
    if b == UNKNOWN or (a == b and zones(a) == zones(b)):
        return a
    if a == UNKNOWN:
        return b
    if a.is_number and b.is_number:
        return _common_number(a, b)
    if a.is_text and b.is_text:
        return _common_text(a, b)
    if a.base in _TIMES and b.base in _TIMES:
        low, high = sorted((a, b), key=lambda t: _TIMES.index(t.base))
        precision = max([*a.numbers, *b.numbers])
        mixed = low.base == high.base == TIMESTAMP_ZONE and low.zone != high.zone
        return Type(high.base, (precision,), zone=MIXED if mixed else high.zone)
    if a.base == b.base and a.base in {"time", TIME_ZONE}:
        return a if a.numbers >= b.numbers else b
    if a.base == b.base and a.items and len(a.items) == len(b.items):
        items = [common(x, y) for x, y in zip(a.items, b.items, strict=True)]
        if all(item is not None for item in items):
            names = tuple(
                x if x and y and x.lower() == y.lower() else None
                for x, y in zip(a.names, b.names, strict=True)
            )
            return Type(a.base, a.numbers, tuple(i for i in items if i is not None), names)
    return None


def coerces(source: Type, target: Type) -> bool:
    """Whether a value of one type may stand where the other is wanted."""
    if source.base == "varchar" and target == VARCHAR:
        return True
    if source.base == "char" and target.base == "varchar":
        return True
    if source.base == target.base == "decimal" and not target.numbers:
        return True
    found = common(source, target)
    return (
        found is not None
        and found.base == target.base
        and (not target.items or found.items == target.items)
    )
