"""The engine's rows in the Arrow types of an Iceberg table's files."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.schema import Schema

from cloche.engines.sql.engine import ErrorKind, QueryError


def as_stored(batch: pa.RecordBatch, target: pa.Schema, schema: Schema) -> pa.RecordBatch:
    """A batch in the files' names and types; columns are the same ones in order.

    Args:
        batch: as the engine gives it.
        target: of the files.
        schema: the table's, which tells the columns that must have values.

    Raises:
        QueryError: a value does not fit.
    """
    arrays: list[pa.Array] = []
    for values, field, known in zip(batch.columns, target, schema.fields, strict=True):
        if known.required and values.null_count:
            raise QueryError(
                ErrorKind.CONSTRAINT_VIOLATION,
                f"NULL value not allowed for NOT NULL column: {known.name}",
            )
        try:
            arrays.append(_as(values, field.type))
        except (pa.ArrowException, ValueError) as error:
            raise QueryError(
                ErrorKind.INVALID_CAST_ARGUMENT, f"Column {known.name}: {error}"
            ) from None
    return pa.RecordBatch.from_arrays(arrays, schema=target)


def _as(values: Any, kind: pa.DataType) -> Any:
    if values.type == kind:
        return values
    is_type = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, _as(values, kind.storage_type))
    if isinstance(values.type, pa.BaseExtensionType):
        return _as(values.storage, kind)
    if is_type.is_struct(kind):
        children = [_as(values.field(i), field.type) for i, field in enumerate(kind)]
        if values.offset:
            children = [each[: len(values)] for each in children]
        return pa.StructArray.from_arrays(children, fields=list(kind), mask=values.is_null())
    if is_type.is_map(kind):
        offsets, keys, items = _trimmed(values, values.keys, values.items)
        return pa.MapArray.from_arrays(
            offsets, _as(keys, kind.key_type), _as(items, kind.item_type), type=kind
        )
    if hasattr(kind, "value_type") and not is_type.is_dictionary(kind):
        offsets, elements = _trimmed(values, values.values)
        made = pa.LargeListArray if is_type.is_large_list(kind) else pa.ListArray
        wide = offsets.cast(pa.int64() if is_type.is_large_list(kind) else pa.int32())
        return made.from_arrays(wide, _as(elements, kind.value_type), type=kind)
    if is_type.is_fixed_size_binary(kind) and kind.byte_width == 16 and _is_text(values.type):
        parsed = [None if v is None else UUID(v).bytes for v in values.to_pylist()]
        return pa.array(parsed, kind)
    return values.cast(kind)


def _trimmed(values: Any, *children: Any) -> tuple[Any, ...]:
    """Offsets from 0 on, NULL where a value is; and the children that they are of."""
    offsets = values.offsets
    first, last = offsets[0].as_py() or 0, offsets[-1].as_py() or 0
    plain = pc.call_function("subtract", [offsets, pa.scalar(first, offsets.type)])
    if values.null_count:
        nulls = pa.concat_arrays([values.is_null(), pa.array([False])])
        plain = pc.call_function("if_else", [nulls, pa.scalar(None, plain.type), plain])
    return plain, *(each[first:last] for each in children)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
