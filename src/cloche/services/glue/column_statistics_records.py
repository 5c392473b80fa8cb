"""What is kept of column statistics: one document for each column of a table or partition.

Their names begin with the table's id, then the partition's values where they are a partition's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from cloche.core.documents import Table, Transaction
from cloche.services.glue.keys import key_of, prefix_of


class ColumnStatistics(msgspec.Struct, frozen=True):
    """Statistics of a column.

    Attributes:
        column: its name.
        input: Glue's ColumnStatistics; binary values as base64.
    """

    column: str
    input: dict[str, Any]


column_statistics = Table("glue.column_statistics", ColumnStatistics)


def statistics_owner(table_id: str, values: Sequence[str] | None) -> tuple[str, ...]:
    """The first parts of the keys of a table's statistics, or of a partition's of these values."""
    if values is None:
        return table_id, "table"
    # Values may be too long for a key in which a column's name has to follow.
    return table_id, "partition", hashlib.sha256(key_of(*values).encode()).hexdigest()


def remove_statistics(
    tx: Transaction, account: str, region: str, table_id: str, values: Sequence[str]
) -> None:
    """Forget the statistics of a partition."""
    prefix = prefix_of(*statistics_owner(table_id, values))
    for each in tx.scan(column_statistics, account, region, prefix, limit=100_000):
        tx.delete(column_statistics, account, region, each.name)
