"""Events of the catalog's changes, in EventBridge's shape.

Source: Glue's developer guide, "Automating AWS Glue with EventBridge".
"""

from __future__ import annotations

from collections.abc import Sequence

from cloche.core.arns import format_arn
from cloche.core.documents import Transaction
from cloche.core.event import Event
from cloche.core.events import EventBus


def tell_database_change(
    tx: Transaction,
    events: EventBus | None,
    account: str,
    region: str,
    database: str,
    change: str,
    tables: Sequence[str] = (),
) -> None:
    """Tell, if the transaction is committed, that a database or which tables there are changed.

    Args:
        tx: the transaction.
        events: where to tell it; None for nowhere.
        account: the catalog's.
        region: the catalog's.
        database: its name.
        change: name of the operation.
        tables: that were made or dropped; none where it is the database itself.
    """
    if events is None:
        return
    named = [f"table/{database}/{name}" for name in tables] or [f"database/{database}"]
    detail = {"databaseName": database, "typeOfChange": change, "changedTables": list(tables)}
    _tell(tx, events, "Glue Data Catalog Database State Change", account, region, named, detail)


def tell_table_change(
    tx: Transaction,
    events: EventBus | None,
    account: str,
    region: str,
    database: str,
    table: str,
    change: str,
    partitions: Sequence[Sequence[str]] = (),
) -> None:
    """Tell, if the transaction is committed, that a table or its partitions changed."""
    if events is None:
        return
    detail = {
        "databaseName": database,
        "tableName": table,
        "typeOfChange": change,
        "changedPartitions": [f"[{', '.join(values)}]" for values in partitions],
    }
    named = [f"table/{database}/{table}"]
    _tell(tx, events, "Glue Data Catalog Table State Change", account, region, named, detail)


def _tell(
    tx: Transaction,
    events: EventBus,
    detail_type: str,
    account: str,
    region: str,
    resources: Sequence[str],
    detail: dict[str, object],
) -> None:
    arns = tuple(format_arn("glue", region, account, each) for each in resources)
    event = Event(
        source="aws.glue",
        detail_type=detail_type,
        account=account,
        region=region,
        detail=detail,
        resources=arns,
    )
    events.publish_in(tx, event)
