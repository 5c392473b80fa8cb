"""UNLOAD: a query's rows as files of a chosen format."""

from __future__ import annotations

from cloche.engines.sql.formats.writing import FileLayout
from cloche.services.athena.query_records import Outcome
from cloche.services.athena.session import Session
from cloche.services.athena.statements.destinations import (
    DEFAULT_DELIMITER,
    Destination,
    Properties,
    check_is_empty,
    chosen_format,
    file_names,
    split_columns,
)
from cloche.services.athena.statements.selecting import executing
from cloche.services.athena.statements.statement_types import Unload
from cloche.services.athena.statements.written_rows import (
    MANIFEST_SUFFIX,
    objects_of,
    publish_rows,
    write_rows,
)


def unload(session: Session, statement: Unload, parameters: tuple[str, ...]) -> Outcome:
    """Write the rows of a query below a location where nothing is yet.

    Raises:
        QueryError: there is something, or the rows cannot be written as asked.
        QueryFailed: the caller may not write there.
    """
    properties = Properties(statement.properties)
    name, compression, level = chosen_format(properties, None)
    delimiter = properties.text("field_delimiter") or DEFAULT_DELIMITER
    partitioned_by = properties.names("partitioned_by")
    properties.end()
    bucket, prefix = session.check_writable(statement.location)
    check_is_empty(session, statement.location, "UNLOAD")
    with executing(session, statement.sql, parameters) as execution:
        columns, partition_columns = split_columns(execution.columns, partitioned_by)
        layout = FileLayout(
            format=name,
            compression=compression,
            level=level,
            columns=columns,
            partition_columns=partition_columns,
            delimiter=delimiter,
            name=file_names(session),
        )
        destination = Destination(bucket=bucket, prefix=prefix, layout=layout)
        written = write_rows(session, execution, destination)
    objects = objects_of(written, destination)
    manifest = f"{session.query.output_folder}{session.query.id}{MANIFEST_SUFFIX}"
    return publish_rows(session, written, objects, manifest, _nothing)


def _nothing() -> None:
    """The catalog knows nothing of what is unloaded."""
