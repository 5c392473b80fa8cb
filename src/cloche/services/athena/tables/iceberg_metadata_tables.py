"""Hidden tables of an Iceberg table: `"t$history"`, `"t$files"` and others, as Trino has them.

Source: "Query Iceberg table metadata" in Athena's user guide; columns are those of Trino's
Iceberg connector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pyarrow as pa
from pyiceberg.conversions import from_bytes
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.manifest import DataFile, ManifestContent, ManifestFile
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.types import NestedField, PrimitiveType

from cloche.engines.sql.engine import ArrowTable, Column

_MOMENT = pa.timestamp("ms", "UTC")
_BOUNDS = pa.map_(pa.int32(), pa.string())
_COUNTS = pa.map_(pa.int32(), pa.int64())

_HISTORY = pa.schema(
    {
        "made_current_at": _MOMENT,
        "snapshot_id": pa.int64(),
        "parent_id": pa.int64(),
        "is_current_ancestor": pa.bool_(),
    }
)
_SNAPSHOTS = pa.schema(
    {
        "committed_at": _MOMENT,
        "snapshot_id": pa.int64(),
        "parent_id": pa.int64(),
        "operation": pa.string(),
        "manifest_list": pa.string(),
        "summary": pa.map_(pa.string(), pa.string()),
    }
)
_MANIFESTS = pa.schema(
    {
        "path": pa.string(),
        "length": pa.int64(),
        "partition_spec_id": pa.int32(),
        "added_snapshot_id": pa.int64(),
        "added_data_files_count": pa.int32(),
        "added_rows_count": pa.int64(),
        "existing_data_files_count": pa.int32(),
        "existing_rows_count": pa.int64(),
        "deleted_data_files_count": pa.int32(),
        "deleted_rows_count": pa.int64(),
        "partition_summaries": pa.list_(
            pa.struct(
                {
                    "contains_null": pa.bool_(),
                    "contains_nan": pa.bool_(),
                    "lower_bound": pa.string(),
                    "upper_bound": pa.string(),
                }
            )
        ),
    }
)
_FILES = pa.schema(
    {
        "content": pa.int32(),
        "file_path": pa.string(),
        "file_format": pa.string(),
        "record_count": pa.int64(),
        "file_size_in_bytes": pa.int64(),
        "column_sizes": _COUNTS,
        "value_counts": _COUNTS,
        "null_value_counts": _COUNTS,
        "nan_value_counts": _COUNTS,
        "lower_bounds": _BOUNDS,
        "upper_bounds": _BOUNDS,
        "key_metadata": pa.binary(),
        "split_offsets": pa.list_(pa.int64()),
        "equality_ids": pa.list_(pa.int32()),
    }
)
_REFS = pa.schema(
    {
        "name": pa.string(),
        "type": pa.string(),
        "snapshot_id": pa.int64(),
        "max_reference_age_in_ms": pa.int64(),
        "min_snapshots_to_keep": pa.int32(),
        "max_snapshot_age_in_ms": pa.int64(),
    }
)


def metadata_table(table: Table, name: str) -> ArrowTable | None:
    """A hidden table; None if there is none of that name.

    Args:
        table: whose it is.
        name: what follows the `$`.
    """
    makers: dict[str, tuple[pa.Schema, Callable[[Table], Iterable[Mapping[str, Any]]]]] = {
        "history": (_HISTORY, _history),
        "snapshots": (_SNAPSHOTS, _snapshots),
        "manifests": (_MANIFESTS, _manifests),
        "files": (_FILES, _files),
        "refs": (_REFS, _refs),
    }
    if name == "partitions":
        makers[name] = (_partitions_schema(table), _partitions)
    if name not in makers:
        return None
    schema, rows = makers[name]

    def read() -> pa.RecordBatchReader:
        return pa.Table.from_pylist([dict(row) for row in rows(table)], schema=schema).to_reader()

    return ArrowTable(tuple(Column(field.name, str(field.type)) for field in schema), read)


def _history(table: Table) -> Iterable[Mapping[str, Any]]:
    metadata = table.metadata
    current: set[int] = set()
    snapshot = metadata.current_snapshot()
    while snapshot is not None:
        current.add(snapshot.snapshot_id)
        parent = snapshot.parent_snapshot_id
        snapshot = None if parent is None else metadata.snapshot_by_id(parent)
    for entry in metadata.snapshot_log:
        known = metadata.snapshot_by_id(entry.snapshot_id)
        yield {
            "made_current_at": entry.timestamp_ms,
            "snapshot_id": entry.snapshot_id,
            "parent_id": None if known is None else known.parent_snapshot_id,
            "is_current_ancestor": entry.snapshot_id in current,
        }


def _snapshots(table: Table) -> Iterable[Mapping[str, Any]]:
    for snapshot in table.metadata.snapshots:
        summary = snapshot.summary
        yield {
            "committed_at": snapshot.timestamp_ms,
            "snapshot_id": snapshot.snapshot_id,
            "parent_id": snapshot.parent_snapshot_id,
            "operation": None if summary is None else summary.operation.value,
            "manifest_list": snapshot.manifest_list,
            "summary": None if summary is None else list(summary.additional_properties.items()),
        }


def _current_manifests(table: Table) -> list[ManifestFile]:
    snapshot = table.current_snapshot()
    return [] if snapshot is None else snapshot.manifests(table.io)


def _manifests(table: Table) -> Iterable[Mapping[str, Any]]:
    for manifest in _current_manifests(table):
        spec = table.specs()[manifest.partition_spec_id]
        fields = spec.partition_type(table.schema()).fields
        yield {
            "path": manifest.manifest_path,
            "length": manifest.manifest_length,
            "partition_spec_id": manifest.partition_spec_id,
            "added_snapshot_id": manifest.added_snapshot_id,
            "added_data_files_count": manifest.added_files_count,
            "added_rows_count": manifest.added_rows_count,
            "existing_data_files_count": manifest.existing_files_count,
            "existing_rows_count": manifest.existing_rows_count,
            "deleted_data_files_count": manifest.deleted_files_count,
            "deleted_rows_count": manifest.deleted_rows_count,
            "partition_summaries": [
                {
                    "contains_null": summary.contains_null,
                    "contains_nan": summary.contains_nan,
                    "lower_bound": _bound_text(field, summary.lower_bound),
                    "upper_bound": _bound_text(field, summary.upper_bound),
                }
                for field, summary in zip(fields, manifest.partitions or [], strict=False)
            ],
        }


def _data_files(table: Table, *, with_deletes: bool) -> Iterable[DataFile]:
    for manifest in _current_manifests(table):
        if with_deletes or manifest.content == ManifestContent.DATA:
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                yield entry.data_file


def _files(table: Table) -> Iterable[Mapping[str, Any]]:
    schema = table.schema()
    for file in _data_files(table, with_deletes=True):
        yield {
            "content": int(file.content),
            "file_path": file.file_path,
            "file_format": str(file.file_format.value),
            "record_count": file.record_count,
            "file_size_in_bytes": file.file_size_in_bytes,
            "column_sizes": _entries(file.column_sizes),
            "value_counts": _entries(file.value_counts),
            "null_value_counts": _entries(file.null_value_counts),
            "nan_value_counts": _entries(file.nan_value_counts),
            "lower_bounds": _bounds(schema, file.lower_bounds),
            "upper_bounds": _bounds(schema, file.upper_bounds),
            "key_metadata": file.key_metadata,
            "split_offsets": file.split_offsets,
            "equality_ids": file.equality_ids,
        }


def _refs(table: Table) -> Iterable[Mapping[str, Any]]:
    for name, ref in table.metadata.refs.items():
        yield {
            "name": name,
            "type": ref.snapshot_ref_type.value.upper(),
            "snapshot_id": ref.snapshot_id,
            "max_reference_age_in_ms": ref.max_ref_age_ms,
            "min_snapshots_to_keep": ref.min_snapshots_to_keep,
            "max_snapshot_age_in_ms": ref.max_snapshot_age_ms,
        }


def _measured(table: Table) -> list[NestedField]:
    """Columns of which there may be bounds."""
    partitioned = {field.source_id for field in table.spec().fields}
    return [
        field
        for field in table.schema().fields
        if isinstance(field.field_type, PrimitiveType) and field.field_id not in partitioned
    ]


def _partitions_schema(table: Table) -> pa.Schema:
    fields: list[pa.Field] = []
    if table.spec().fields:
        partition = table.spec().partition_type(table.schema())
        fields.append(pa.field("partition", pa.struct(list(_plain(Schema(*partition.fields))))))
    fields += [pa.field(name, pa.int64()) for name in ("record_count", "file_count", "total_size")]
    data = [
        pa.field(
            field.name,
            pa.struct(
                {
                    "min": field.type,
                    "max": field.type,
                    "null_count": pa.int64(),
                    "nan_count": pa.int64(),
                }
            ),
        )
        for field in _plain(Schema(*_measured(table)))
    ]
    if data:
        fields.append(pa.field("data", pa.struct(data)))
    return pa.schema(fields)


def _plain(schema: Schema) -> pa.Schema:
    return schema_to_pyarrow(schema, include_field_ids=False)


def _partitions(table: Table) -> Iterable[Mapping[str, Any]]:
    groups: dict[Any, list[DataFile]] = {}
    for file in _data_files(table, with_deletes=False):
        groups.setdefault((file.spec_id, str(file.partition)), []).append(file)
    for (spec_id, _), files in groups.items():
        spec = table.specs()[spec_id]
        given = {field.name: files[0].partition[index] for index, field in enumerate(spec.fields)}
        row: dict[str, Any] = {
            "record_count": sum(file.record_count for file in files),
            "file_count": len(files),
            "total_size": sum(file.file_size_in_bytes for file in files),
            "data": {field.name: _measures(field, files) for field in _measured(table)},
        }
        if table.spec().fields:
            row["partition"] = {field.name: given.get(field.name) for field in table.spec().fields}
        yield row


def _measures(field: NestedField, files: list[DataFile]) -> Mapping[str, Any]:
    number, kind = field.field_id, field.field_type
    lows = [(file.lower_bounds or {}).get(number) for file in files]
    highs = [(file.upper_bounds or {}).get(number) for file in files]
    low = [from_bytes(kind, each) for each in lows if each is not None]
    high = [from_bytes(kind, each) for each in highs if each is not None]
    return {
        "min": min(low) if len(low) == len(files) else None,
        "max": max(high) if len(high) == len(files) else None,
        "null_count": _total(number, [file.null_value_counts for file in files]),
        "nan_count": _total(number, [file.nan_value_counts for file in files]),
    }


def _total(number: int, counts: list[Any]) -> int | None:
    known = [each[number] for each in counts if each is not None and number in each]
    return sum(known) if known else None


def _entries(counts: Any) -> list[tuple[int, int]] | None:
    return None if counts is None else sorted(counts.items())


def _bounds(schema: Schema, bounds: Any) -> list[tuple[int, str]] | None:
    if bounds is None:
        return None
    return [
        (number, _text(schema.find_field(number).field_type, value))
        for number, value in sorted(bounds.items())
        if schema.find_column_name(number) is not None
    ]


def _bound_text(field: NestedField, value: bytes | None) -> str | None:
    return None if value is None else _text(field.field_type, value)


def _text(kind: Any, value: bytes) -> str:
    from pyiceberg.transforms import IdentityTransform

    return IdentityTransform().to_human_string(kind, from_bytes(kind, value))
