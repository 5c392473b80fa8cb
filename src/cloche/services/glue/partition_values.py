"""Values of partition keys, as their types have them.

A partition's values are text; an expression compares them as numbers, dates or instants where the
key's type says so. Source: Glue's API reference, GetPartitions, "Supported Partition Key Types".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from cloche.services.glue.errors import invalid_expression

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
"""Stands for NULL among a partition's values, as in Hive."""

_INTEGERS = frozenset({"int", "integer", "bigint", "long", "tinyint", "smallint"})
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_DECIMAL = re.compile(r"[+-]?([0-9]{1,80}(\.[0-9]{0,80})?|\.[0-9]{1,80})([eE][+-]?[0-9]{1,3})?")
_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?)?Z?", re.ASCII
)

Reader = Callable[[str], Any]
"""Gives a text's value, or raises ValueError."""


def reader_of(key_type: str) -> Reader:
    """What reads values of a partition key's type.

    Raises:
        InvalidInputException: expressions can't be about keys of this type.
    """
    name = re.split(r"[(<]", key_type.strip().lower(), maxsplit=1)[0].strip()
    if name in ("string", "varchar", "char"):
        return str
    if name in _INTEGERS:
        return _integer
    if name == "decimal":
        return _decimal
    if name == "date":
        return _date
    if name == "timestamp":
        return _instant
    raise invalid_expression(f"Unsupported partition key type {key_type}.")


def _integer(text: str) -> Decimal:
    if not _INTEGER.fullmatch(text.strip()):
        # A literal may have a fraction (`year > 2019.5`), a partition's value doesn't.
        return _decimal(text)
    return Decimal(text.strip())


def _decimal(text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text.strip()):
        raise ValueError(f"{text!r} is not a number")
    try:
        return Decimal(text.strip())
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is not a number") from error


def _date(text: str) -> date:
    return _instant(text).date()


def _instant(text: str) -> datetime:
    match = _INSTANT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a date or time")
    day, time, fraction = match.groups()
    instant = datetime.fromisoformat(f"{day}T{time or '00:00'}")
    return instant.replace(microsecond=int((fraction or "0").ljust(6, "0")[:6]))
