"""Avro's schema of Arrow's types; every field may be null."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from cloche.engines.sql.engine import ErrorKind, QueryError

_PRIMITIVES: tuple[tuple[Any, Any], ...] = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_int8, "int"),
    (pa.types.is_int16, "int"),
    (pa.types.is_int32, "int"),
    (pa.types.is_int64, "long"),
    (pa.types.is_float32, "float"),
    (pa.types.is_float64, "double"),
    (pa.types.is_string, "string"),
    (pa.types.is_binary, "bytes"),
    (pa.types.is_date32, {"type": "int", "logicalType": "date"}),
    (pa.types.is_timestamp, {"type": "long", "logicalType": "timestamp-millis"}),
)


def avro_schema(schema: pa.Schema) -> dict[str, Any]:
    """The schema of a record with a table's columns.

    Raises:
        QueryError: Avro has no such type.
    """
    return _record(list(schema), "row")


def _record(fields: list[pa.Field], name: str) -> dict[str, Any]:
    return {
        "type": "record",
        "name": name,
        "fields": [
            {"name": f.name, "type": _type(f.type, f"{name}_{n}"), "default": None}
            for n, f in enumerate(fields)
        ],
    }


def _type(type: pa.DataType, name: str) -> list[Any]:
    return ["null", _value(type, name)]


def _value(type: pa.DataType, name: str) -> Any:
    for matches, avro in _PRIMITIVES:
        if matches(type):
            return avro
    if pa.types.is_decimal(type):
        numbers = {"precision": type.precision, "scale": type.scale}
        return {"type": "bytes", "logicalType": "decimal", **numbers}
    if pa.types.is_list(type):
        return {"type": "array", "items": _type(type.value_type, name)}
    if pa.types.is_map(type) and pa.types.is_string(type.key_type):
        return {"type": "map", "values": _type(type.item_type, name)}
    if pa.types.is_struct(type):
        return _record([type.field(n) for n in range(type.num_fields)], name)
    raise QueryError(ErrorKind.NOT_SUPPORTED, f"Avro has no type for {type}")
