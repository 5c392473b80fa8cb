"""From a snapshot of an Iceberg table to the files that a query must read."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pyiceberg.expressions import AlwaysTrue, And, BooleanExpression
from pyiceberg.manifest import DataFile, FileFormat
from pyiceberg.partitioning import PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.transforms import IdentityTransform

from cloche.engines.objects.store import ObjectRecord
from cloche.engines.sql.engine import (
    ErrorKind,
    Filter,
    QueryError,
    SnapshotFile,
    SnapshotTable,
)
from cloche.services.athena.failures import permission_denied
from cloche.services.athena.result_configurations import bucket_and_key
from cloche.services.athena.session import Session
from cloche.services.athena.tables.files import path_of
from cloche.services.athena.tables.iceberg_types import identified_columns
from cloche.services.s3.decisions import is_unquestioned
from cloche.services.s3.errors import InvalidBucketName, NoSuchBucket

_HEADS_AT_ONCE = 64
_WHOLE = re.compile(r"-?\d+")


class SnapshotScan(NamedTuple):
    """What is read of a snapshot.

    Attributes:
        data_files: as the metadata has them, by the numbers of `table.files`.
    """

    table: SnapshotTable
    data_files: Mapping[int, DataFile]

    def of(self, numbers: Iterable[int]) -> SnapshotTable:
        """Some of the files only."""
        wanted = set(numbers)
        files = tuple(file for file in self.table.files if file.number in wanted)
        return SnapshotTable(self.table.columns, files, has_places=True)


def scan_snapshot(
    session: Session,
    table: Table,
    snapshot: Snapshot | None,
    filters: Sequence[Filter] = (),
    *,
    has_places: bool = False,
) -> SnapshotScan:
    """The files of a snapshot that may have rows which meet conditions on columns.

    Args:
        session: in whose name.
        table: whose it is.
        snapshot: a past one, with its own schema; None is the current one, with the current.
        filters: files that can have no such rows by their partition or bounds are left out.
        has_places: see `SnapshotTable`.

    Raises:
        QueryError: a file is not there, or is of a kind that is not read.
        QueryFailed: the caller may not read it.
    """
    schema = table.schema()
    if snapshot is not None and snapshot.schema_id is not None:
        schema = table.schemas()[snapshot.schema_id]
    tasks = _plan(table, snapshot, _condition(schema, table.schema(), filters))
    paths = {task.file.file_path for task in tasks}
    paths |= {each.file_path for task in tasks for each in task.delete_files}
    records = _records(session, paths)
    local = {path: str(path_of(session, record)) for path, record in records.items()}
    specs = table.specs()
    files = tuple(
        SnapshotFile(
            location=local[task.file.file_path],
            object_url=task.file.file_path,
            size_bytes=task.file.file_size_in_bytes,
            number=number,
            modified_at=records[task.file.file_path].last_modified,
            constants=_constants(schema, specs[task.file.spec_id], task.file),
            deletes=tuple(sorted(local[each.file_path] for each in task.delete_files)),
        )
        for number, task in enumerate(tasks)
    )
    made = SnapshotTable(identified_columns(table.metadata, schema), files, has_places)
    return SnapshotScan(made, {number: task.file for number, task in enumerate(tasks)})


def _plan(table: Table, snapshot: Snapshot | None, condition: BooleanExpression) -> list[Any]:
    snapshot_id = None if snapshot is None else snapshot.snapshot_id
    try:
        tasks = list(table.scan(row_filter=condition, snapshot_id=snapshot_id).plan_files())
    except ValueError as error:
        if "equality delete" not in str(error):
            raise
        name = ".".join(table.name())
        raise QueryError(
            ErrorKind.NOT_SUPPORTED, f"Iceberg table {name} has equality deletes: not supported"
        ) from None
    for task in tasks:
        for file in (task.file, *task.delete_files):
            if file.file_format != FileFormat.PARQUET:
                kind = str(file.file_format).rpartition(".")[2]
                raise QueryError(
                    ErrorKind.NOT_SUPPORTED, f"Iceberg file of format {kind}: {file.file_path}"
                )
    # Files of one partition are read one after the other.
    return sorted(tasks, key=lambda task: (str(task.file.partition), task.file.file_path))


def _constants(schema: Schema, spec: PartitionSpec, file: DataFile) -> dict[int, str | None]:
    """Values of columns that a file may leave out, as they are the same in all of its rows."""
    made: dict[int, str | None] = {
        field.field_id: str(field.initial_default)
        for field in schema.fields
        if field.initial_default is not None
    }
    for index, field in enumerate(spec.fields):
        source = next((each for each in schema.fields if each.field_id == field.source_id), None)
        if source is None or not isinstance(field.transform, IdentityTransform):
            continue
        value = file.partition[index]
        made[field.source_id] = (
            None if value is None else field.transform.to_human_string(source.field_type, value)
        )
    return made


def _records(session: Session, urls: Iterable[str]) -> dict[str, ObjectRecord]:
    """The objects at some places, all of which the caller may read."""
    places = {url: bucket_and_key(url) for url in urls}
    for name in {bucket for bucket, _ in places.values()}:
        try:
            free = is_unquestioned(session.query.principal, session.objects.bucket(name))
        except (NoSuchBucket, InvalidBucketName):
            raise _missing(f"s3://{name}") from None
        for url, (bucket, key) in places.items():
            if (
                bucket == name
                and not free
                and not session.objects.is_allowed("GetObject", bucket, key)
            ):
                raise permission_denied(f"Permission denied on S3 path: {url}", is_s3=True)

    async def find() -> list[ObjectRecord | None]:
        gate = asyncio.Semaphore(_HEADS_AT_ONCE)

        async def one(bucket: str, key: str) -> ObjectRecord | None:
            async with gate:
                return await session.objects.store.head(bucket, key)

        return await asyncio.gather(*(one(*place) for place in places.values()))

    found: dict[str, ObjectRecord] = {}
    for url, record in zip(places, session.objects.wait(find()), strict=True):
        if record is None or record.is_delete_marker:
            raise _missing(url)
        found[url] = record
    return found


def _missing(url: str) -> QueryError:
    return QueryError(
        ErrorKind.HIVE_CANNOT_OPEN_SPLIT, f"ICEBERG_CANNOT_OPEN_SPLIT: {url} does not exist"
    )


def _condition(schema: Schema, current: Schema, filters: Sequence[Filter]) -> BooleanExpression:
    """What files can be left out by; the engine checks all conditions again.

    Args:
        schema: that the statement's names are of.
        current: the table's, whose names pyiceberg goes by.
        filters: the conditions.
    """
    condition: BooleanExpression = AlwaysTrue()
    for each in filters:
        one = _one_condition(schema, current, each)
        if one is not None:
            condition = And(condition, one)
    return condition


def _one_condition(schema: Schema, current: Schema, condition: Filter) -> BooleanExpression | None:
    from pyiceberg import expressions
    from pyiceberg.expressions.visitors import bind

    kinds: dict[str, Any] = {
        "=": expressions.EqualTo,
        "<": expressions.LessThan,
        "<=": expressions.LessThanOrEqual,
        ">": expressions.GreaterThan,
        ">=": expressions.GreaterThanOrEqual,
        "in": expressions.In,
        "is null": expressions.IsNull,
        "is not null": expressions.NotNull,
    }
    field = next((f for f in schema.fields if f.name.lower() == condition.column), None)
    name = None if field is None else current.find_column_name(field.field_id)
    make = kinds.get(condition.operator)
    if field is None or name is None or make is None:
        return None
    kind = str(field.field_type)
    if kind in ("int", "long") and not all(map(_WHOLE.fullmatch, condition.values)):
        return None  # pyiceberg would round it
    if kind == "float":
        return None  # pyiceberg compares with the double, the engine with the nearest float
    values = [_literal(kind, value) for value in condition.values]
    arguments: list[Any] = [set(values)] if condition.operator == "in" else values
    try:
        made: BooleanExpression = make(name, *arguments)
        bind(current, made, case_sensitive=True)
    except (ValueError, TypeError):
        return None
    return made


def _literal(kind: str, text: str) -> Any:
    """A constant of a statement in the form that pyiceberg reads."""
    if kind == "timestamp" and text[10:11] == " ":
        text = f"{text[:10]}T{text[11:]}"
    if kind == "timestamp" and len(text) == 10:
        return f"{text}T00:00:00"
    return text
