"""The parts of an object that a multipart upload made."""

from __future__ import annotations

from collections.abc import Mapping

from cloche.engines.objects.store import ObjectRecord, Part
from cloche.services.s3.byte_ranges import ByteRange
from cloche.services.s3.errors import InvalidArgument, InvalidPartNumber

MAX_PART_NUMBER = 10_000


def check_part_number(number: int) -> None:
    """Refuse a number that no part can have.

    Raises:
        InvalidArgument: it is not between 1 and 10,000.
    """
    if not 1 <= number <= MAX_PART_NUMBER:
        raise InvalidArgument(
            "Part number must be an integer between 1 and 10000, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=str(number),
        )


def part_range(record: ObjectRecord, number: int) -> ByteRange | None:
    """Where a part is; None for the first part of an object that was put in one piece.

    Parts are counted from 1 in the order of the object, whatever numbers they were uploaded as.

    Raises:
        InvalidPartNumber: the object has fewer parts.
    """
    check_part_number(number)
    count = max(1, len(record.parts))
    if number > count:
        raise InvalidPartNumber(ActualPartCount=count, PartNumberRequested=number)
    if not record.parts:
        return ByteRange(0, record.size_bytes) if record.size_bytes else None
    start = sum(part.size_bytes for part in record.parts[: number - 1])
    length = record.parts[number - 1].size_bytes
    return ByteRange(start, length) if length else None


def part_checksums(record: ObjectRecord, number: int) -> dict[str, str]:
    """The checksums of a part, as answers have them."""
    return checksum_members_of(record.parts[number - 1].checksums)


def checksum_members_of(checksums: Mapping[str, str]) -> dict[str, str]:
    """Checksums by the engine's names of algorithms, by the model's."""
    return {f"Checksum{algorithm.upper()}": value for algorithm, value in checksums.items()}


def part_members(part: Part) -> dict[str, object]:
    """A part as ListParts answers it."""
    return {
        "PartNumber": part.number,
        "LastModified": part.last_modified,
        "ETag": f'"{part.etag}"',
        "Size": part.size_bytes,
        **checksum_members_of(part.checksums),
    }
