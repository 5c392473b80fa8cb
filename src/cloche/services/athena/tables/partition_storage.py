"""How a partition is stored, where its own descriptor says otherwise than its table's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloche.engines.sql.engine import Column, ErrorKind, QueryError, Storage
from cloche.engines.sql.formats.hive_types import HiveType, parse_hive_type

_WHOLE = ("tinyint", "smallint", "int", "bigint")
_FRACTIONS = ("float", "double", "decimal")
_TEXTS = ("string", "varchar", "char")
_NESTED = ("array", "map", "struct")

_Told = tuple[list[dict[str, Any]], str, str, dict[str, str]]
"""Columns, input format, SerDe and its parameters, as a descriptor tells them."""


class Storages:
    """Those of the partitions of a table.

    Args:
        table: as in the catalog.
    """

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._table = table
        self._descriptor: Mapping[str, Any] = table.get("StorageDescriptor") or {}
        self._own = _told(self._descriptor)
        self._types = {
            each["Name"].lower(): each.get("Type") or "string"
            for each in self._descriptor.get("Columns") or ()
        }

    def of(self, partition: Mapping[str, Any], path: str) -> Storage | None:
        """Of a partition; None if it is the table's. What it doesn't say is as the table says.

        Args:
            partition: as in the catalog.
            path: its name, such as `day=2020-01-01`.

        Raises:
            QueryError: a column is of a type that does not become the table's.
        """
        given: Mapping[str, Any] = partition.get("StorageDescriptor") or {}
        columns, input_format, serde, parameters = self._filled(_told(given))
        told = (columns, input_format, serde, parameters)
        if told == self._own:
            return None
        for column in columns:
            self._check(column, path)
        return Storage(
            columns=tuple(Column(each["Name"], each.get("Type") or "string") for each in columns),
            input_format=input_format,
            serde=serde,
            serde_properties=tuple(sorted(parameters.items())),
        )

    def _filled(self, told: _Told) -> _Told:
        columns, input_format, serde, parameters = self._own
        return (
            told[0] or columns,
            told[1] or input_format,
            told[2] or serde,
            told[3] if told[2] else parameters,
        )

    def _check(self, column: Mapping[str, Any], path: str) -> None:
        name, given = column["Name"].lower(), column.get("Type") or "string"
        wanted = self._types.get(name, given)
        if given == wanted or becomes(parse_hive_type(given), parse_hive_type(wanted)):
            return
        table = f"{self._table['DatabaseName']}.{self._table['Name']}"
        raise QueryError(
            ErrorKind.GENERIC_USER_ERROR,
            "HIVE_PARTITION_SCHEMA_MISMATCH: There is a mismatch between the table and partition "
            "schemas. The types are incompatible and cannot be coerced. The column "
            f"'{name}' in table '{table}' is declared as type '{wanted}', but partition "
            f"'{path}' declared column '{name}' as type '{given}'.",
        )


def _told(descriptor: Mapping[str, Any]) -> _Told:
    serde = descriptor.get("SerdeInfo") or {}
    return (
        [
            {"Name": each["Name"], "Type": each.get("Type")}
            for each in descriptor.get("Columns") or ()
        ],
        descriptor.get("InputFormat") or "",
        serde.get("SerializationLibrary") or "",
        dict(serde.get("Parameters") or {}),
    )


def becomes(given: HiveType, wanted: HiveType) -> bool:
    """Whether values of a partition's type become values of its table's."""
    mine, its = given.kind, wanted.kind
    if mine in _NESTED or its in _NESTED:
        return mine == its and len(given.children) <= len(wanted.children)
    if mine == its:
        return True
    if its in _TEXTS:
        return mine != "binary"
    if mine in _TEXTS:
        return its in _WHOLE
    if mine in _WHOLE and its in _WHOLE:
        return _WHOLE.index(mine) < _WHOLE.index(its)
    return mine in _FRACTIONS and its in _FRACTIONS
