"""Log files as CloudTrail writes them: their names and their contents.

Source: "CloudTrail log file examples" and "Finding your CloudTrail log files", user guide.
"""

from __future__ import annotations

import gzip
import hashlib
import time
from collections.abc import Iterable, Sequence

from cloche.services.cloudtrail.bucket_access import folder
from cloche.services.cloudtrail.selection import Test, decode_fields
from cloche.services.cloudtrail.trail_records import Trail

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_UNIQUE_LETTERS = 16


def by_region(events: Iterable[bytes], takes: Test) -> dict[str, list[bytes]]:
    """The events that a trail takes, by region, in their order."""
    regions: dict[str, list[bytes]] = {}
    for event in events:
        fields = decode_fields(event)
        if takes(fields):
            regions.setdefault(fields.awsRegion, []).append(event)
    return regions


def contents(events: Sequence[bytes], stamp: float) -> bytes:
    """A log file: gzipped JSON, the same bytes for the same events and time."""
    text = b'{"Records":[' + b",".join(events) + b"]}"
    return gzip.compress(text, compresslevel=6, mtime=int(stamp))


def key(trail: Trail, region: str, stamp: float, identity: str) -> str:
    """The key of a log file.

    Args:
        trail: that it belongs to.
        region: of its events.
        stamp: seconds since 1970.
        identity: what tells it from the trail's other files of the same minute.
    """
    moment = time.gmtime(stamp)
    unique = _unique(f"{trail.arn} {region} {identity}")
    name = (
        f"{trail.account_id}_CloudTrail_{region}_"
        f"{time.strftime('%Y%m%dT%H%MZ', moment)}_{unique}.json.gz"
    )
    return f"{folder(trail)}CloudTrail/{region}/{time.strftime('%Y/%m/%d', moment)}/{name}"


def _unique(text: str) -> str:
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    letters: list[str] = []
    for _ in range(_UNIQUE_LETTERS):
        number, index = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[index])
    return "".join(letters)
