"""How far a trail's events of one log have been delivered: pure changes of a record.

A log is one server's; with several servers on one store each delivers its own.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from cloche.core.documents import Table


class Stretch(msgspec.Struct, frozen=True):
    """Chunks of the log between StartLogging and StopLogging that are still to be delivered.

    Attributes:
        after: sequence number of the last chunk that was delivered, or before which none was.
        until: of the last that is to be; None while the trail logs.
    """

    after: int
    until: int | None = None


class Batch(msgspec.Struct, frozen=True):
    """Chunks that are being delivered, fixed before the first object is written.

    After a crash the same chunks make the same objects under the same names.

    Attributes:
        until: sequence number of its last chunk.
        stamp: seconds since 1970, in the names of its objects.
    """

    until: int
    stamp: float


class Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    """What has become of a trail's deliveries from one log.

    Attributes:
        stretches: what is to be delivered, oldest first.
        batch: begun and not known to be finished.
        delivered_at: seconds since 1970, of the last object.
        attempted_at: of the last attempt.
        error: code of the error that ended the last attempt; empty if it succeeded.
    """

    stretches: tuple[Stretch, ...] = ()
    batch: Batch | None = None
    delivered_at: float | None = None
    attempted_at: float | None = None
    error: str = ""


progresses = Table("cloudtrail.deliveries", Progress)


def following(progress: Progress, is_logging: bool, sequence: int) -> Progress:
    """Begin or end a stretch at a sequence number where the trail was turned on or off."""
    stretches = progress.stretches
    is_open = bool(stretches) and stretches[-1].until is None
    if is_logging and not is_open:
        return replace(progress, stretches=(*stretches, Stretch(sequence)))
    if is_open and not is_logging:
        ended = replace(stretches[-1], until=max(sequence, stretches[-1].after))
        return replace(progress, stretches=(*stretches[:-1], ended))
    return progress


def delivered(progress: Progress, after: int, until: int) -> Progress:
    """Move on from one chunk to another; a stretch that is over is dropped.

    Nothing happens if it does not stand where it is moved on from: its trail was made anew.
    """
    if not progress.stretches or progress.stretches[0].after != after:
        return progress
    first, *rest = progress.stretches
    first = replace(first, after=until)
    is_over = first.until is not None and first.until <= until
    stretches = tuple(rest) if is_over else (first, *rest)
    return replace(progress, stretches=stretches, batch=None)
