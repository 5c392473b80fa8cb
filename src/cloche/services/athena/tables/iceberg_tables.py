"""Iceberg tables: known, and not read yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloche.engines.sql.engine import TableReference, TableSource
from cloche.services.athena.failures import not_built
from cloche.services.athena.session import Session


def is_iceberg(table: Mapping[str, Any]) -> bool:
    """Whether a table of the catalog is Iceberg's."""
    return str((table.get("Parameters") or {}).get("table_type", "")).upper() == "ICEBERG"


def iceberg_table(
    session: Session, table: Mapping[str, Any], reference: TableReference
) -> TableSource:
    """An Iceberg table's files.

    Raises:
        QueryFailed: always.
    """
    raise not_built(f"statements on Iceberg tables ({reference.schema}.{reference.name})")
