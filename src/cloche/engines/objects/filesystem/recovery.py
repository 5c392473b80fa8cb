"""Coming up again: the journal's frames that the index hasn't seen are applied once more."""

from __future__ import annotations

import sqlite3

from cloche.engines.objects.filesystem.bodies import BodyFiles, is_file
from cloche.engines.objects.filesystem.entries import (
    CompleteUpload,
    Entry,
    PutPart,
    PutVersion,
    decode_entries,
    sequence_number,
)
from cloche.engines.objects.filesystem.frames import Frame
from cloche.engines.objects.filesystem.index import Index
from cloche.engines.objects.filesystem.journal import Journal


def recover(index: Index, journal: Journal, files: BodyFiles) -> int:
    """Bring index and files to the journal's end; the number of the last frame.

    Also frames that the index has seen are read, as far back as the last checkpoint: a crash of
    the machine may have undone the renaming of their files. Afterwards all of it is durable
    without the journal, so that a crash in here only means to do it again.

    Raises:
        JournalDamaged: a frame is missing in the middle.
        OSError: the disk is full, or failed.
    """
    applied, checkpointed = index.state()
    last = checkpointed
    for frame in journal.recover(checkpointed):
        entries = decode_entries(frame.entries)
        files.place(filter(is_file, map(_location, entries)))
        if frame.number > applied:
            _apply(index, frame, entries)
        last = frame.number
    files.remove_all_staged()
    last = max(last, applied)
    if last > checkpointed:
        if not files.sync_placed():
            raise OSError("a body could not be moved to its place")
        index.note_checkpoint(last)
        (is_busy, _, _) = index.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if is_busy:
            raise sqlite3.OperationalError("somebody else reads the index")
    return last


def _apply(index: Index, frame: Frame, entries: list[Entry]) -> None:
    index.begin()
    offset = 0
    for place, entry in enumerate(entries):
        length = entry.body_bytes if isinstance(entry, PutVersion | PutPart) else 0
        body = frame.bodies[offset : offset + length]
        index.apply(entry, sequence_number(frame.number, place), body)
        offset += length
    index.commit(frame.number)


def _location(entry: Entry) -> str:
    match entry:
        case PutVersion(record) | CompleteUpload(record=record):
            return record.location
        case PutPart():
            return entry.location
        case _:
            return ""
