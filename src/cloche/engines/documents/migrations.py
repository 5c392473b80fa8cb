"""Which of an engine's migrations a store still needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Statement = TypeVar("Statement", bound=str)


class NewerSchema(Exception):
    """A newer version of Cloche has written this store; this one cannot read it."""


def pending_migrations(
    migrations: Sequence[Sequence[Statement]], version: int | None, store: str
) -> Sequence[Sequence[Statement]]:
    """The migrations from a store's schema version on; all of them for a new store (None).

    Raises:
        NewerSchema: the store's version is higher than the last one known here.
    """
    if version is not None and version > len(migrations):
        raise NewerSchema(
            f"the {store} was written by a newer version of Cloche (schema {version}; this one"
            f" knows up to {len(migrations)}): upgrade Cloche, or use another data directory"
        )
    return migrations[version or 0 :]
