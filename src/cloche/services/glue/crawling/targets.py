"""Targets of crawlers: places in S3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cloche.services.glue.crawling.table_inputs import location_of


class Target(NamedTuple):
    """An S3 target.

    Attributes:
        path: in the bucket, without a slash at its end; empty for all of the bucket.
        sample_size: how many files of each folder are read; None for all.
    """

    bucket: str
    path: str
    exclusions: tuple[str, ...] = ()
    sample_size: int | None = None

    @property
    def folder(self) -> str:
        """The path as a prefix of what is in it."""
        return f"{self.path}/" if self.path else ""


def targets_of(settings: Mapping[str, Any]) -> list[Target]:
    """A crawler's targets."""
    return [
        Target(
            *split_path(given["Path"]),
            tuple(given.get("Exclusions") or ()),
            given.get("SampleSize"),
        )
        for given in settings["Targets"].get("S3Targets") or []
    ]


def split_path(path: str) -> tuple[str, str]:
    """Bucket and path of `s3://…`; an empty bucket if it is none."""
    if not path.startswith(("s3://", "s3a://", "s3n://")):
        return "", ""
    bucket, _, rest = path.partition("://")[2].partition("/")
    return bucket, rest.rstrip("/")


def is_in_targets(targets: Sequence[Target], location: str) -> bool:
    """Whether a place is in one of some targets."""
    return any(
        f"{location}/".startswith(location_of(target.bucket, target.folder)) for target in targets
    )
