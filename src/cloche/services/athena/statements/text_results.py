"""Results of DDL and utility statements: lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cloche.services.athena.column_info import text_column
from cloche.services.athena.query_records import Outcome
from cloche.services.athena.result_files import ResultBody, store_result
from cloche.services.athena.session import Session


class Lines(NamedTuple):
    """A result of lines; a line's values are separated by tabs.

    Attributes:
        columns: their names.
        lines: without line ends.
    """

    columns: Sequence[str] = ()
    lines: Iterable[str] = ()


def store_lines(session: Session, result: Lines | None) -> Outcome:
    """Store the lines as the query's result."""
    result = result or Lines()
    columns = tuple(text_column(name) for name in result.columns)
    location = f"{session.query.output_folder}{session.query.id}.txt"
    body = ResultBody(session)
    count = 0
    for line in result.lines:
        count += 1
        body.write(f"{line}\n".encode("utf-8", "surrogatepass"))
    store_result(session, body, columns, location, content_type="text/plain")
    body.close()
    return Outcome(
        state="SUCCEEDED",
        columns=columns,
        location=location,
        form="txt",
        row_count=count,
        result_bytes=body.size_bytes,
    )
