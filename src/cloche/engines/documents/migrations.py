"""Which of an engine's migrations a store still needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from cloche.engines.errors import StartError

Statement = TypeVar("Statement", bound=str)


class NewerSchema(StartError):
    """A newer version of Cloche has written this store; this one cannot read it."""

    hint = "Upgrade Cloche, or use another data directory or database."


def pending_migrations(
    migrations: Sequence[Sequence[Statement]], version: int | None, store: str
) -> Sequence[Sequence[Statement]]:
    """The migrations from a store's schema version on; all of them for a new store (None).

    Raises:
        NewerSchema: the store's version is higher than the last one known here.
    """
    if version is not None and version > len(migrations):
        raise NewerSchema(
            f"The {store} was written by a newer version of Cloche (schema {version}; this one"
            f" knows up to {len(migrations)})."
        )
    return migrations[version or 0 :]
