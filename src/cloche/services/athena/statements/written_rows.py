"""Runs a query and writes its rows to files, which are published together at its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from cloche.engines.sql.engine import Column, Execution, Statistics
from cloche.engines.sql.formats.writing import WrittenFile, write_files
from cloche.services.athena.column_info import column_info
from cloche.services.athena.publishing import NewObject, publish
from cloche.services.athena.query_records import Outcome
from cloche.services.athena.result_configurations import bucket_and_key
from cloche.services.athena.result_metadata import encode_metadata
from cloche.services.athena.session import Session
from cloche.services.athena.statements.destinations import Destination
from cloche.services.athena.timing import statistics_of

PartitionValues = tuple[str | None, ...]

MANIFEST_SUFFIX = "-manifest.csv"
"""Of the list of the files that a query has written."""


class Written(NamedTuple):
    """What a query has written on this machine.

    Attributes:
        statistics: of the engine.
    """

    files: tuple[WrittenFile, ...]
    row_count: int
    statistics: Statistics


def write_rows(session: Session, execution: Execution, destination: Destination) -> Written:
    """Write all rows of an execution to files in the session's folder.

    Raises:
        QueryError: a row cannot be written.
        QueryCancelled: it was cancelled.
    """
    folder = session.folder / "written"
    files = write_files(execution.batches(), folder, destination.layout, check=session.call.check)
    rows = sum(each.row_count for each in files)
    return Written(tuple(files), rows, execution.statistics)


def objects_of(
    written: Written,
    destination: Destination,
    places: Mapping[PartitionValues, tuple[str, str]] | None = None,
) -> list[NewObject]:
    """The objects that the files become.

    Args:
        written: the files.
        destination: where they go.
        places: bucket and key prefix by partition; below the destination's folder in Hive's way
            if None.
    """
    found: list[NewObject] = []
    for file in written.files:
        if places is not None:
            bucket, prefix = places[tuple(file.partition.values())]
        else:
            bucket = destination.bucket
            prefix = destination.prefix + (f"{file.folder}/" if file.folder else "")
        found.append(NewObject(bucket, f"{prefix}{file.path.name}", file.path))
    return found


def publish_rows(
    session: Session,
    written: Written,
    objects: Sequence[NewObject],
    manifest_location: str,
    register: Callable[[], None],
    **created: Any,
) -> Outcome:
    """Make the objects, their manifest with its metadata, and what the catalog is to know of them.

    Args:
        session: whose query they are of.
        written: the files.
        objects: that they become.
        manifest_location: of the list of objects; ends with `MANIFEST_SUFFIX`.
        register: tells the catalog.
        created: of `publish`.
    """
    bucket, key = bucket_and_key(manifest_location)
    listed = "".join(f"{each.url}\n" for each in objects).encode()
    columns = (column_info("rows", "bigint"),)
    beside = [
        NewObject(bucket, key, listed),
        NewObject(
            bucket, f"{key.removesuffix(MANIFEST_SUFFIX)}.metadata", encode_metadata(columns)
        ),
    ]
    publish(session, [*objects, *beside], register, **created)
    return Outcome(
        state="SUCCEEDED",
        columns=columns,
        update_count=written.row_count,
        manifest=manifest_location,
        statistics=statistics_of(written.statistics),
        row_count=written.row_count,
    )


def partition_values(written: Written) -> list[PartitionValues]:
    """The different partitions of files, in order."""
    return list(dict.fromkeys(tuple(file.partition.values()) for file in written.files))


def shown_columns(columns: Sequence[Column]) -> list[dict[str, str]]:
    """Columns as Glue's."""
    return [{"Name": column.name, "Type": column.type} for column in columns]
