"""Staging what is here already: by a second name for the same file where that is enough."""

from __future__ import annotations

import os
import string
from collections.abc import Collection

from cloche.engines.objects.filesystem.bodies import BodyFiles, is_file
from cloche.engines.objects.filesystem.checksums import Digests
from cloche.engines.objects.filesystem.staging import FileWriter, StagedFile
from cloche.engines.objects.store import ObjectRecord

_COPY_BYTES = 1024 * 1024
_MD5_LENGTH = 32


def can_be_linked(
    source: ObjectRecord, start: int, length: int, algorithms: Collection[str]
) -> bool:
    """Whether nothing need be read: the whole file is taken and its only digest is known."""
    is_md5 = len(source.etag) == _MD5_LENGTH and set(source.etag) <= set(string.hexdigits)
    is_whole = start == 0 and length == source.size_bytes
    return is_file(source.location) and is_whole and is_md5 and set(algorithms) <= {"md5"}


def link(files: BodyFiles, source: ObjectRecord) -> StagedFile | None:
    """A staged file that shares its bytes with an object; None if the file system won't."""
    name = files.new_name()
    try:
        os.link(files.path(source.location), files.staged_path(name))
    except FileNotFoundError:
        raise
    except OSError:  # too many names for one file, or a file system without links
        return None
    return StagedFile(name, source.size_bytes, {"md5": bytes.fromhex(source.etag)})


def copy_range(
    files: BodyFiles, source: ObjectRecord, start: int, length: int, algorithms: Collection[str]
) -> StagedFile:
    """A staged copy of a part of an object's file.

    Raises:
        OSError: the disk is full, or failed.
    """
    descriptor = os.open(files.path(source.location), os.O_RDONLY | os.O_CLOEXEC)
    writer = FileWriter(files, Digests(algorithms))
    try:
        end = start + length
        while start < end:
            piece = os.pread(descriptor, min(_COPY_BYTES, end - start), start)
            if not piece:
                raise FileNotFoundError(source.location)
            writer.write([piece])
            start += len(piece)
        return writer.finish([])
    except OSError:
        writer.abandon()
        raise
    finally:
        os.close(descriptor)
