"""Opens the files of tables, wherever they are."""

from __future__ import annotations

import shutil
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import BinaryIO, cast

from cloche.engines.sql.engine import DataFile, ErrorKind, QueryError

_IN_MEMORY_BYTES = 16 * 2**20


def is_local(file: DataFile) -> bool:
    """Whether a file is one of this machine."""
    return "://" not in file.location


def open_file(file: DataFile, *, seekable: bool = False) -> BinaryIO:
    """The bytes of a file, as they are stored.

    Args:
        file: which.
        seekable: for formats whose directory is at the end; a remote file is fetched whole.

    Raises:
        QueryError: it is not there, or cannot be read.
    """
    try:
        if is_local(file):
            return Path(file.location).open("rb")
        if not file.location.startswith(("http://", "https://")):
            raise cannot_open(file, "its place is of no known kind")
        answer = urllib.request.urlopen(file.location, timeout=60)  # noqa: S310 - checked above
        if not seekable:
            return cast("BinaryIO", answer)
        whole = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115
        with answer:
            shutil.copyfileobj(answer, whole, 2**20)
        whole.seek(0)
        return cast("BinaryIO", whole)
    except urllib.error.URLError as error:
        raise cannot_open(file, str(error.reason)) from error
    except OSError as error:
        raise cannot_open(file, error.strerror or str(error)) from error


def cannot_open(file: DataFile, reason: str) -> QueryError:
    """The error of a file that is not there or cannot be read."""
    return QueryError(
        ErrorKind.HIVE_CANNOT_OPEN_SPLIT,
        f"Error opening Hive split {file.object_url} "
        f"(offset=0, length={file.size_bytes}): {reason}",
    )


def bad_data(file: DataFile, reason: str) -> QueryError:
    """The error of a file whose content is not what the table declares."""
    return QueryError(ErrorKind.HIVE_BAD_DATA, f"Error reading {file.object_url}: {reason}")
