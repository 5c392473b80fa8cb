"""Types in Hive's names, as the catalog has them, and in Trino's, as results have them."""

from __future__ import annotations

import re
from collections.abc import Callable

_TO_TRINO = {
    "string": "varchar",
    "int": "integer",
    "float": "real",
    "binary": "varbinary",
    "timestamp": "timestamp(3)",
    "decimal": "decimal(10,0)",
    "void": "unknown",
}
_TO_HIVE = {
    "varchar": "string",
    "integer": "int",
    "real": "float",
    "varbinary": "binary",
    "json": "string",
    "unknown": "string",
    "uuid": "string",
    "ipaddress": "string",
}


def hive_to_trino(hive_type: str) -> str:
    """`struct<a:int>` → `row(a integer)`."""
    text = hive_type.strip()
    base, arguments = _split(text, "<", ">")
    name = base.lower()
    if arguments is None:
        return _TO_TRINO.get(name, name.replace(" ", "") if "(" in name else name)
    if name == "struct":
        fields = (_partitioned(each, ":") for each in arguments)
        return f"row({', '.join(f'{field} {hive_to_trino(kind)}' for field, kind in fields)})"
    return f"{name}({', '.join(map(hive_to_trino, arguments))})"


def trino_to_hive(trino_type: str) -> str:
    """`row(a integer)` → `struct<a:int>`."""
    text = trino_type.strip()
    base, arguments = _split(text, "(", ")")
    name = base.lower()
    if name.startswith("timestamp"):
        return "timestamp with time zone" if text.endswith("time zone") else "timestamp"
    if name.startswith("time"):
        return "string"
    if arguments is None:
        return _TO_HIVE.get(name, name)
    if name == "row":
        return f"struct<{','.join(map(_field(trino_to_hive), enumerate(arguments)))}>"
    if name in ("array", "map"):
        return f"{name}<{','.join(map(trino_to_hive, arguments))}>"
    return f"{name}({','.join(each.strip() for each in arguments)})"


def _field(convert: Callable[[str], str]) -> Callable[[tuple[int, str]], str]:
    def write(numbered: tuple[int, str]) -> str:
        number, text = numbered
        quoted = re.match(r'\s*"((?:[^"]|"")*)"\s+', text)
        if quoted is not None:
            return f"{quoted[1]}:{convert(text[quoted.end() :])}"
        name, kind = _partitioned(text.strip(), " ")
        return f"{name}:{convert(kind)}" if kind else f"field{number}:{convert(name)}"

    return write


def _partitioned(text: str, separator: str) -> tuple[str, str]:
    name, _, rest = text.strip().partition(separator)
    return name.strip(), rest.strip()


def _split(text: str, opening: str, closing: str) -> tuple[str, list[str] | None]:
    """What stands before the brackets, and the parts within; None if there are no brackets."""
    start = text.find(opening)
    if start < 0 or not text.endswith(closing):
        return text, None
    parts: list[str] = []
    depth = 0
    begin = start + 1
    for index in range(start + 1, len(text) - 1):
        character = text[index]
        if character in "<(":
            depth += 1
        elif character in ">)":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[begin:index])
            begin = index + 1
    parts.append(text[begin : len(text) - 1])
    return text[:start].strip(), [part.strip() for part in parts]
