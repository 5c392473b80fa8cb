"""Partition projection: partitions that are worked out from the table's properties."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cloche.engines.sql.engine import ErrorKind, Filter, QueryError
from cloche.services.athena.tables.date_formats import DateFormat, moved
from cloche.services.athena.tables.pruning import keeps

MOST_PARTITIONS = 1_000_000

_UNITS = re.compile(r"(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND|MILLISECOND)S?", re.IGNORECASE)


def is_projected(table: Mapping[str, Any]) -> bool:
    """Whether a table's partitions are worked out."""
    parameters = table.get("Parameters") or {}
    return str(parameters.get("projection.enabled", "")).strip().lower() == "true"


def projected_partitions(
    table: Mapping[str, Any], filters: Sequence[Filter], now: float
) -> Iterator[tuple[str, dict[str, str | None]]]:
    """Location and values of each partition that may meet the conditions.

    Raises:
        QueryError: the properties are not what they must be, or leave too many partitions.
    """
    parameters = table["Parameters"]
    keys = table["PartitionKeys"]
    instant = datetime.fromtimestamp(now, UTC).replace(tzinfo=None)
    candidates: list[list[str]] = []
    for key in keys:
        name = key["Name"].lower()
        own = [each for each in filters if each.column == name]
        column = _Column(name, parameters, instant)
        candidates.append(
            [
                value
                for value in column.values(own)
                if all(keeps(value, each, key["Type"]) for each in own)
            ]
        )
    if math.prod(map(len, candidates)) > MOST_PARTITIONS:
        raise QueryError(
            ErrorKind.NOT_SUPPORTED,
            f"Partition projection leaves more than {MOST_PARTITIONS} partitions: "
            "give conditions on the partition columns",
        )
    names = [key["Name"].lower() for key in keys]
    locate = _locator(table, names)
    for values in itertools.product(*candidates):
        named = dict(zip(names, values, strict=True))
        yield locate(named), dict(named)


class _Column:
    """A projected column."""

    def __init__(self, name: str, parameters: Mapping[str, str], now: datetime) -> None:
        self.name = name
        self._parameters = parameters
        self._now = now

    def values(self, filters: Sequence[Filter]) -> Iterator[str]:
        """Its values; of an injected one those that the conditions name."""
        kind = (self._property("type") or "").strip().lower()
        if kind == "enum":
            return (each.strip() for each in self._required("values").split(","))
        if kind == "integer":
            return self._integers()
        if kind == "date":
            return self._dates()
        if kind == "injected":
            return iter(self._injected(filters))
        raise self._invalid(f"has the unknown projection type {kind!r}")

    def _property(self, name: str) -> str | None:
        return self._parameters.get(f"projection.{self.name}.{name}")

    def _required(self, name: str) -> str:
        value = self._property(name)
        if value is None:
            raise self._invalid(f"has no projection.{self.name}.{name}")
        return value

    def _invalid(self, what: str) -> QueryError:
        return QueryError(
            ErrorKind.GENERIC_USER_ERROR,
            f"INVALID_TABLE_PROPERTY: the projected partition column {self.name} {what}",
        )

    def _range(self) -> tuple[str, str]:
        first, comma, last = self._required("range").partition(",")
        if not comma:
            raise self._invalid("has a projection range that is not two values")
        return first.strip(), last.strip()

    def _interval(self) -> int:
        text = (self._property("interval") or "1").strip()
        if not text.isdigit() or int(text) == 0:
            raise self._invalid(f"has the projection interval {text!r}")
        return int(text)

    def _integers(self) -> Iterator[str]:
        first, last = self._range()
        digits = (self._property("digits") or "0").strip()
        try:
            numbers = range(int(first), int(last) + 1, self._interval())
            width = int(digits)
        except ValueError:
            raise self._invalid("has a projection range or digits that are no numbers") from None
        return (f"{number:0{width}d}" for number in numbers)

    def _dates(self) -> Iterator[str]:
        form = DateFormat(self._required("format"))
        first, last = (form.parse(each, self._now) for each in self._range())
        unit = self._property("interval.unit") or form.default_unit
        if _UNITS.fullmatch(unit.strip()) is None or unit.upper().startswith("MILLI"):
            raise self._invalid(f"has the projection interval unit {unit!r}")
        interval = self._interval()
        # Both ends count as dates in the format: NOW is the day that it is, not the second.
        instant = form.parse(form.write(first), self._now)
        for count in itertools.count(1):
            if instant > last:
                return
            if count > MOST_PARTITIONS:
                raise self._invalid(f"has more than {MOST_PARTITIONS} projected dates")
            yield form.write(instant)
            instant = moved(form.parse(form.write(first), self._now), interval * count, unit)

    def _injected(self, filters: Sequence[Filter]) -> list[str]:
        for each in filters:
            if each.operator in ("=", "in"):
                return list(dict.fromkeys(each.values))
        raise QueryError(
            ErrorKind.CONSTRAINT_VIOLATION,
            f"For the injected projected partition column {self.name}, the WHERE clause must "
            "contain only static equality conditions, and at least one such condition must be "
            "present.",
        )


def _locator(table: Mapping[str, Any], names: Sequence[str]) -> Any:
    """What gives the location of a partition."""
    template = table["Parameters"].get("storage.location.template")
    if template is None:
        base = table["StorageDescriptor"]["Location"].rstrip("/")
        return lambda values: "/".join([base, *(f"{name}={values[name]}" for name in names), ""])
    missing = [name for name in names if f"${{{name}}}" not in template]
    if missing:
        raise QueryError(
            ErrorKind.GENERIC_USER_ERROR,
            "INVALID_TABLE_PROPERTY: storage.location.template has no "
            f"${{{missing[0]}}} for the partition column",
        )

    def locate(values: Mapping[str, str]) -> str:
        return re.sub(r"\$\{([^}]+)\}", lambda m: values.get(m[1].lower(), m[0]), template)

    return locate
