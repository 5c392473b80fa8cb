"""What the journal says: one entry for each change, enough to make the change again."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from cloche.engines.objects.filesystem.noise import noise
from cloche.engines.objects.store import ObjectRecord, Part, Upload

_SEQUENCE_BYTES = 8
_PLACE_BITS = 16
_VERSION_ID_LENGTH = 32


class StoredRecord(ObjectRecord, frozen=True, array_like=True, gc=False):
    """A record as it is kept: without field names, and with its parts elsewhere.

    The garbage collector leaves it alone, since it is never part of a cycle: a page of a thousand
    would set off collections that take as long as all the rest.
    """


class CreateBucket(msgspec.Struct, frozen=True, array_like=True, tag="B"):
    """A bucket was made."""

    bucket: str


class DeleteBucket(msgspec.Struct, frozen=True, array_like=True, tag="b"):
    """An empty bucket was removed, with its unfinished uploads."""

    bucket: str


class PutVersion(msgspec.Struct, frozen=True, array_like=True, tag="P"):
    """A version (or a delete marker) became the current one.

    Attributes:
        body_bytes: length of the body that follows the entries in the frame.
    """

    record: StoredRecord
    body_bytes: int = 0


class RemoveVersion(msgspec.Struct, frozen=True, array_like=True, tag="R"):
    """A version is gone for good."""

    bucket: str
    key: str
    sequence: int


class ReplaceProperties(msgspec.Struct, frozen=True, array_like=True, tag="T"):
    """A version has other properties."""

    bucket: str
    key: str
    sequence: int
    properties: dict[str, Any]


class CreateUpload(msgspec.Struct, frozen=True, array_like=True, tag="U"):
    """A multipart upload was begun."""

    upload: Upload


class PutPart(msgspec.Struct, frozen=True, array_like=True, tag="p"):
    """A part was kept.

    Attributes:
        body_bytes: as in `PutVersion`.
    """

    upload_id: str
    part: Part
    location: str
    body_bytes: int = 0


class CompleteUpload(msgspec.Struct, frozen=True, array_like=True, tag="C"):
    """An object was made of an upload's parts; its bytes are at `record.location`."""

    upload_id: str
    numbers: Sequence[int]
    record: StoredRecord


class AbortUpload(msgspec.Struct, frozen=True, array_like=True, tag="A"):
    """An upload was forgotten with its parts."""

    upload_id: str


Entry = (
    CreateBucket
    | DeleteBucket
    | PutVersion
    | RemoveVersion
    | ReplaceProperties
    | CreateUpload
    | PutPart
    | CompleteUpload
    | AbortUpload
)

encode_entry = msgspec.msgpack.Encoder().encode
decode_entries = msgspec.msgpack.Decoder(list[Entry]).decode


def encode_entries(encoded: Iterable[bytes]) -> bytes:
    """The entries of a frame, of which each is encoded already."""
    return msgspec.msgpack.encode([msgspec.Raw(entry) for entry in encoded])


def sequence_number(frame: int, place: int) -> int:
    """The sequence number of an entry: it grows with every change."""
    return frame << _PLACE_BITS | place


def new_version_id(sequence: int) -> str:
    """A version id: random to look at, and the version's place in time to the engine.

    Thus a version is found without an index by id, and a listing goes on behind a version that
    was deleted in the meantime.
    """
    mask = noise(24 - _SEQUENCE_BYTES)
    hidden = sequence ^ int.from_bytes(mask[:_SEQUENCE_BYTES], "big")
    return base64.urlsafe_b64encode(hidden.to_bytes(_SEQUENCE_BYTES, "big") + mask).decode()


def sequence_of(version_id: str) -> int | None:
    """The sequence number within a version id; None if it isn't one of ours."""
    if len(version_id) != _VERSION_ID_LENGTH or not version_id.isascii():
        return None
    try:
        raw = base64.b64decode(version_id, altchars=b"-_", validate=True)
    except ValueError:
        return None
    if len(raw) != _VERSION_ID_LENGTH // 4 * 3:
        return None
    hidden = int.from_bytes(raw[:_SEQUENCE_BYTES], "big")
    sequence = hidden ^ int.from_bytes(raw[_SEQUENCE_BYTES : 2 * _SEQUENCE_BYTES], "big")
    return sequence if sequence < 1 << 63 else None
