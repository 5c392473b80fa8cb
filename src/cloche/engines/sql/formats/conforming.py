"""Arrow data of a file brought to the types that a table declares."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def conformed(array: pa.Array, type: pa.DataType) -> pa.Array:
    """The values in another type; fields of structs are found by name.

    Raises:
        pyarrow.ArrowException: the values are not of the type.
    """
    if array.type.equals(type):
        return array
    if pa.types.is_struct(type) and pa.types.is_struct(array.type):
        return _struct(array, type)
    if pa.types.is_map(type) and pa.types.is_map(array.type):
        return _map(array, type)
    if pa.types.is_list(type) and pa.types.is_list(array.type):
        values = conformed(array.values, type.value_type)
        return pa.ListArray.from_arrays(array.offsets, values, type, mask=_mask(array))
    if pa.types.is_nested(type) or pa.types.is_nested(array.type):
        raise pa.ArrowInvalid(f"{array.type} is not {type}")
    if pa.types.is_timestamp(type) and pa.types.is_timestamp(array.type):
        return _timestamp(array, type)
    if pa.types.is_string(type) and pa.types.is_boolean(array.type):
        return pc.call_function("if_else", [array, pa.scalar("true"), pa.scalar("false")])
    return array.cast(type)


def _struct(array: pa.StructArray, type: pa.StructType) -> pa.Array:
    present = {array.type.field(n).name.lower(): n for n in range(array.type.num_fields)}
    children: list[pa.Array] = []
    for n in range(type.num_fields):
        field = type.field(n)
        at = present.get(field.name.lower())
        if at is None:
            children.append(pa.nulls(len(array), field.type))
        else:
            children.append(conformed(array.field(at), field.type))
    fields = [type.field(n) for n in range(type.num_fields)]
    return pa.StructArray.from_arrays(children, fields=fields, mask=_mask(array))


def _map(array: pa.MapArray, type: pa.MapType) -> pa.Array:
    keys = conformed(array.keys, type.key_type)
    items = conformed(array.items, type.item_type)
    return pa.MapArray.from_arrays(array.offsets, keys, items, type, mask=_mask(array))


def _timestamp(array: pa.Array, type: pa.TimestampType) -> pa.Array:
    # Digits beyond the type's are cut; an instant is shown in UTC.
    zone = array.type.tz
    return array.cast(pa.timestamp(type.unit, zone), safe=False).cast(type)


def _mask(array: pa.Array) -> pa.Array | None:
    return array.is_null() if array.null_count else None
