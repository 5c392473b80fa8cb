"""Which rows of which files go: a bit for each, so that a table of any size fits in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from cloche.engines.sql.engine import ErrorKind, QueryError


class TouchedRows:
    """Rows by their file's number and their position in it."""

    def __init__(self) -> None:
        self._bits: dict[int, Any] = {}
        self._counts: dict[int, int] = {}

    @property
    def numbers(self) -> list[int]:
        """The files that have such rows."""
        return sorted(self._bits)

    def count(self, number: int) -> int:
        """How many rows of a file go."""
        return self._counts.get(number, 0)

    def add(self, files: pa.Array, rows: pa.Array) -> None:
        """Note rows that go; NULL stands for one that only comes.

        Raises:
            QueryError: one is there already.
        """
        if files.null_count:
            known = files.is_valid()
            files, rows = files.filter(known), rows.filter(known)
        for number, positions in _by_file(files.to_numpy(), rows.to_numpy()):
            self._add(number, positions)

    def missing(self, files: pa.Array, rows: pa.Array) -> pa.Array:
        """Whether each of some rows stays."""
        numbers, positions = files.to_numpy(), rows.to_numpy()
        stays = np.ones(len(numbers), dtype=bool)
        for number in np.unique(numbers).tolist():
            bits = self._bits.get(number)
            if bits is None:
                continue
            where = np.flatnonzero(numbers == number)
            here = positions[where]
            within = here < len(bits) * 8
            where, here = where[within], here[within]
            stays[where] = (bits[here >> 3] >> (here & 7).astype(np.uint8)) & 1 == 0
        return pa.array(stays)

    def _add(self, number: int, positions: Any) -> None:
        bits = self._bits.get(number, np.zeros(0, dtype=np.uint8))
        needed = int(positions.max()) // 8 + 1
        if len(bits) < needed:
            grown = np.zeros(max(needed, 2 * len(bits)), dtype=np.uint8)
            grown[: len(bits)] = bits
            bits = grown
        place, bit = positions >> 3, (positions & 7).astype(np.uint8)
        is_twice = len(np.unique(positions)) < len(positions) or bool(
            ((bits[place] >> bit) & 1).any()
        )
        if is_twice:
            raise QueryError(
                ErrorKind.MERGE_TARGET_ROW_MULTIPLE_MATCHES,
                "One MERGE target table row matched more than one source row",
            )
        np.bitwise_or.at(bits, place, np.left_shift(1, bit).astype(np.uint8))
        self._bits[number] = bits
        self._counts[number] = self._counts.get(number, 0) + len(positions)


def _by_file(numbers: Any, positions: Any) -> Iterator[tuple[int, Any]]:
    for number in np.unique(numbers).tolist():
        yield number, positions[numbers == number]
