"""ORC files, by stripes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
from pyarrow import orc

from cloche.engines.sql.engine import DataFile
from cloche.engines.sql.formats.conforming import conformed
from cloche.engines.sql.formats.opening import bad_data, open_file
from cloche.engines.sql.formats.scan import Scan
from cloche.engines.sql.formats.streamed import arrow_schema, select_from_stream


def select_orc(scan: Scan) -> str:
    """A SELECT over ORC files.

    As in Athena columns are found by position, or by name with `orc.column.index.access` false.

    Raises:
        QueryError: a column's type is none of Hive's.
    """
    # Some column has to be read for the number of rows.
    columns = scan.columns or scan.table.columns[:1]
    by_position = scan.option("orc.column.index.access", default="true").lower() != "false"
    positions = {column.name: n for n, column in enumerate(scan.table.columns)}
    schema = arrow_schema(columns)

    def read(file: DataFile) -> Iterator[pa.RecordBatch]:
        scan.count(file.size_bytes)
        with open_file(file, seekable=True) as stored:
            try:
                yield from _batches(
                    orc.ORCFile(pa.PythonFile(stored, mode="r")),
                    [(c.name.lower(), positions[c.name] if by_position else None) for c in columns],
                    schema,
                )
            except (pa.ArrowException, OSError) as error:
                raise bad_data(file, str(error)) from error

    relation = scan.stream(schema, read)
    return select_from_stream(scan, relation)


def _batches(
    file: orc.ORCFile, wanted: Sequence[tuple[str, int | None]], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    names = file.schema.names
    by_name = {name.lower(): name for name in names}
    found: list[str | None] = []
    for name, position in wanted:
        if position is None:
            found.append(by_name.get(name))
        else:
            found.append(names[position] if position < len(names) else None)
    present = [name for name in found if name is not None]
    # A file with none of the columns has rows all the same.
    needed = list(dict.fromkeys(present)) or names[:1]
    for stripe in range(file.nstripes):
        batch = file.read_stripe(stripe, columns=needed)
        # They come in the file's order, whatever was asked for.
        given = batch.schema.names
        arrays = [
            pa.nulls(batch.num_rows, field.type)
            if name is None
            else conformed(batch.column(given.index(name)), field.type)
            for name, field in zip(found, schema, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)
