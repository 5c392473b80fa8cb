"""DuckDB's errors while it reads the files of tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import duckdb

from cloche.engines.sql.engine import DataFile, ErrorKind, QueryError
from cloche.engines.sql.formats.opening import bad_data, cannot_open
from cloche.engines.sql.formats.typed_text import BAD_DATA, PLACE

_NOT_THERE = ("No files found", "Cannot open file", "No such file", "HTTP Error", "HTTP GET error")
_OF_FILES = (
    "parquet",
    "CSV Error",
    "Malformed JSON",
    "decompress",
    "gzip",
    "GZIP",
    "ZSTD",
    "zstd",
    "thrift",
    "TProtocol",
    "Invalid unicode",
    "page header",
    "Out of buffer",
    "TType",
    "corrupt",
    "codec",
)


def reading_error(error: duckdb.Error, files: Iterable[DataFile]) -> QueryError | None:
    """The error of a file among those that a query reads, or None if it is about no file."""
    # Below its message DuckDB shows the SQL that it was given: its files need not be the reason.
    text = str(error).partition("\n\nLINE ")[0]
    if BAD_DATA in text:
        place, _, reason = text.partition(BAD_DATA)[2].partition(PLACE)
        return _about(bad_data, list(files), place, reason.partition("\n")[0].strip())
    # What the reader of Parquet stumbles over comes as an error of no particular kind.
    if type(error) is not duckdb.Error and not isinstance(
        error,
        duckdb.IOException
        | duckdb.InvalidInputException
        | duckdb.ConversionException
        | duckdb.HTTPException
        | duckdb.InternalException
        | duckdb.SerializationException,
    ):
        return None
    if isinstance(error, duckdb.OutOfMemoryException):
        return None
    known = list(files)
    is_named = any(file.location in text for file in known)
    # The words in an error of conversion may be the data's.
    is_told = not isinstance(error, duckdb.ConversionException) and any(
        word in text for word in _OF_FILES
    )
    if not is_named and not (known and is_told):
        return None
    reason = (text.partition(": ")[2] or text).strip()
    is_absent = any(word in text for word in _NOT_THERE)
    return _about(cannot_open if is_absent else bad_data, known, text, reason)


def _about(
    make: Callable[[DataFile, str], QueryError], files: list[DataFile], text: str, reason: str
) -> QueryError:
    named = [file for file in files if file.location in text]
    for file in named:
        reason = reason.replace(file.location, file.object_url)
    if named:
        return make(named[0], reason)
    if len(files) == 1:
        return make(files[0], reason)
    folder = files[0].object_url.rpartition("/")[0] if files else "a file"
    return QueryError(ErrorKind.HIVE_BAD_DATA, f"Error reading a file in {folder}: {reason}")
