"""Iceberg's types and columns, as the engine knows them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pyiceberg.schema import Schema
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.name_mapping import MappedField
from pyiceberg.types import IcebergType, ListType, MapType, NestedField, StructType

from cloche.engines.sql.engine import ErrorKind, IdentifiedColumn, QueryError

_TRINO = {
    "boolean": "boolean",
    "int": "integer",
    "long": "bigint",
    "float": "real",
    "double": "double",
    "date": "date",
    "time": "time(6)",
    "timestamp": "timestamp(6)",
    "timestamptz": "timestamp(6) with time zone",
    "string": "varchar",
    "uuid": "uuid",
    "binary": "varbinary",
}
_PLAIN_NAME = re.compile(r"[a-z_]\w*")


def trino_type(iceberg_type: IcebergType) -> str:
    """A type in Trino's names.

    Raises:
        QueryError: Trino has none for it.
    """
    if isinstance(iceberg_type, StructType):
        fields = (
            f"{_field_name(each.name.lower())} {trino_type(each.field_type)}"
            for each in iceberg_type.fields
        )
        return f"row({', '.join(fields)})"
    if isinstance(iceberg_type, ListType):
        return f"array({trino_type(iceberg_type.element_type)})"
    if isinstance(iceberg_type, MapType):
        return f"map({trino_type(iceberg_type.key_type)}, {trino_type(iceberg_type.value_type)})"
    text = str(iceberg_type).replace(" ", "")
    if text.startswith("decimal("):
        return text
    found = "varbinary" if text.startswith("fixed[") else _TRINO.get(text)
    if found is None:
        raise QueryError(ErrorKind.NOT_SUPPORTED, f"Iceberg's type {text} is not supported")
    return found


def identified_columns(metadata: TableMetadata, schema: Schema) -> tuple[IdentifiedColumn, ...]:
    """The columns of one of a table's schemas."""
    mapping = metadata.name_mapping()
    names: dict[int, tuple[str, ...]] = {}
    if mapping is not None:
        _collect(mapping.root, names)
    return tuple(_identified(field, names) for field in schema.fields)


def _collect(fields: list[MappedField], names: dict[int, tuple[str, ...]]) -> None:
    for field in fields:
        if field.field_id is not None:
            names[field.field_id] = tuple(field.names)
        _collect(list(field.fields), names)


def _identified(field: NestedField, names: Mapping[int, tuple[str, ...]]) -> IdentifiedColumn:
    kind = field.field_type
    within: tuple[NestedField, ...] = ()
    if isinstance(kind, StructType):
        within = kind.fields
    elif isinstance(kind, ListType):
        within = (kind.element_field,)
    elif isinstance(kind, MapType):
        within = (kind.key_field, kind.value_field)
    return IdentifiedColumn(
        id=field.field_id,
        name=field.name,
        type=trino_type(kind),
        fields=tuple(_identified(each, names) for each in within),
        aliases=names.get(field.field_id, ()),
    )


def _field_name(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else '"' + name.replace('"', '""') + '"'
