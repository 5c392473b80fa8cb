"""Bringing the catalog to what a crawl has found, as the crawler's policies want it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from cloche.core.documents import Documents
from cloche.services.glue import catalog
from cloche.services.glue.crawling.configuration import CrawlerConfiguration
from cloche.services.glue.crawling.grouping import FoundTable
from cloche.services.glue.crawling.role_access import RoleAccess
from cloche.services.glue.crawling.table_inputs import (
    DEPRECATED_BY,
    RUN_ID,
    UPDATED_BY,
    Crawl,
    base_name,
    location_of,
    partition_input,
    partition_keys,
    table_input,
    with_digest,
)

PARTITION_INDEX = "crawler_partition_index"

_AT_ONCE = 100
_VOLATILE_PARAMETERS = (RUN_ID, DEPRECATED_BY)


class Changes(msgspec.Struct):
    """What a crawl did to the catalog: names of tables, numbers of partitions."""

    tables_created: list[str] = []
    tables_updated: list[str] = []
    tables_deleted: list[str] = []
    partitions_created: int = 0
    partitions_updated: int = 0
    partitions_deleted: int = 0


class Policies(msgspec.Struct, frozen=True):
    """What a crawler may change.

    Attributes:
        updates: schemas of tables that are there already.
        on_delete: `LOG`, `DELETE_FROM_DATABASE` or `DEPRECATE_IN_DATABASE`.
        prefix: of the names of tables.
    """

    updates: bool
    on_delete: str
    prefix: str
    configuration: CrawlerConfiguration


class Cataloguer:
    """Writes what was found into a database, in the name of the crawler's role.

    Args:
        documents: where the catalog is read.
        access: by which it is written.
        account: the catalog's.
        region: the catalog's.
        database: its name.
        policies: of the crawler.
        check: raises when the crawl is to stop; called before each change.
        log: takes lines for the crawl's log.
        changes: what the crawl did before its server stopped, to which more is added.
    """

    def __init__(
        self,
        documents: Documents,
        access: RoleAccess,
        account: str,
        region: str,
        database: str,
        policies: Policies,
        check: Callable[[], None],
        log: Callable[[str], None],
        *,
        changes: Changes,
    ) -> None:
        self._documents = documents
        self._access = access
        self._scope = (documents, account, region, database)
        self._database = database
        self._policies = policies
        self._check = check
        self._log = log
        self._seen: set[str] = set()
        tables = catalog.list_tables(*self._scope)
        self._by_name: dict[str, dict[str, Any]] = {table["Name"]: table for table in tables}
        self._by_location = {_location(table): table for table in tables if _location(table)}
        self.changes = changes

    def take(self, crawl: Crawl, found: FoundTable, *, name: str | None = None) -> None:
        """Make the table that was found, or change the one that is over its place already.

        Args:
            crawl: that found it.
            found: the table.
            name: of the table to change, where it is known.
        """
        location = location_of(crawl.bucket, found.path)
        if name is None:
            existing = self._by_location.get(location.rstrip("/"))
        else:
            existing = self._by_name.get(name)
        if existing is not None and _is_iceberg(existing):
            self._log(f"Table {existing['Name']} is one of Iceberg and is left as it is.")
            self._seen.add(existing["Name"])
            return
        if existing is None:
            taken = name or self._free_name(crawl.bucket, found, location)
            self._create(crawl, found, taken)
        else:
            taken = existing["Name"]
            self._update(crawl, found, existing)
        self._seen.add(taken)
        if found.keys:
            self._take_partitions(crawl, found, taken)

    def _free_name(self, bucket: str, found: FoundTable, location: str) -> str:
        name = f"{self._policies.prefix}{base_name(bucket, found)}".lower()
        return with_digest(name, location) if name in self._by_name else name

    def _create(self, crawl: Crawl, found: FoundTable, name: str) -> None:
        has_index = self._policies.configuration.creates_index and bool(found.keys)
        given = table_input(crawl, found, name, has_index=has_index)
        request: dict[str, Any] = {"TableInput": given}
        if has_index:
            keys = [key["Name"] for key in given["PartitionKeys"]]
            request["PartitionIndexes"] = [{"IndexName": PARTITION_INDEX, "Keys": keys}]
        self._call("CreateTable", request)
        self._by_name[name] = given
        self._by_location[_location(given)] = given
        self.changes.tables_created.append(name)

    def _update(self, crawl: Crawl, found: FoundTable, existing: Mapping[str, Any]) -> None:
        name = existing["Name"]
        new = table_input(crawl, found, name)
        if self._policies.configuration.merges_new_columns:
            columns = new["StorageDescriptor"]["Columns"]
            new["StorageDescriptor"]["Columns"] = _merged_columns(existing, columns)
        wanted = _kept_and_new(existing, new)
        if _essence(existing) == _essence(wanted):
            return
        if not self._policies.updates:
            self._log(f"Table {name} has changed; the policy is to leave it as it is.")
            return
        if len(existing["PartitionKeys"]) != len(wanted["PartitionKeys"]):
            self._log(f"Table {name} is partitioned otherwise now and is made anew.")
            self._call("DeleteTable", {"Name": name})
            self._call("CreateTable", {"TableInput": wanted})
        else:
            self._call("UpdateTable", {"TableInput": wanted})
        self._by_name[name] = wanted
        self.changes.tables_updated.append(name)

    def _take_partitions(self, crawl: Crawl, found: FoundTable, name: str) -> None:
        table = self._by_name[name]
        if len(table["PartitionKeys"]) != len(partition_keys(found)):
            return  # it was to be left as it is
        storage = table["StorageDescriptor"]
        inherits = storage if self._policies.configuration.partitions_inherit else None
        existing = {
            tuple(each["Values"]): each for each in catalog.iterate_partitions(*self._scope, name)
        }
        created: list[dict[str, Any]] = []
        updated: list[dict[str, Any]] = []
        for partition in found.partitions:
            wanted = partition_input(crawl, found, partition, inherits=inherits)
            before = existing.pop(partition.values, None)
            if before is None:
                created.append(wanted)
            elif self._policies.updates and _partition_essence(before) != _partition_essence(
                wanted
            ):
                updated.append(wanted)
        self._batches("BatchCreatePartition", name, "PartitionInputList", created)
        entries = [
            {"PartitionValueList": each["Values"], "PartitionInput": each} for each in updated
        ]
        self._batches("BatchUpdatePartition", name, "Entries", entries)
        self.changes.partitions_created += len(created)
        self.changes.partitions_updated += len(updated)
        self._drop_partitions(crawl, name, existing.values())

    def _drop_partitions(self, crawl: Crawl, name: str, gone: Iterable[Mapping[str, Any]]) -> None:
        vanished = [each for each in gone if _is_of_crawler(each["StorageDescriptor"], crawl)]
        if not vanished or self._policies.on_delete == "LOG":
            return
        if self._policies.on_delete == "DELETE_FROM_DATABASE":
            values = [{"Values": each["Values"]} for each in vanished]
            self._batches("BatchDeletePartition", name, "PartitionsToDelete", values)
            self.changes.partitions_deleted += len(vanished)
            return
        entries = [
            {
                "PartitionValueList": each["Values"],
                "PartitionInput": _deprecated_partition(each, crawl),
            }
            for each in vanished
            if DEPRECATED_BY not in (each.get("Parameters") or {})
        ]
        self._batches("BatchUpdatePartition", name, "Entries", entries)
        self.changes.partitions_updated += len(entries)

    def drop_vanished(self, crawl: Crawl, is_of_targets: Callable[[str], bool]) -> None:
        """Deal with the crawler's tables that were not found again, as its policy wants."""
        for name, table in sorted(self._by_name.items()):
            if (
                name in self._seen
                or not _is_of_crawler(table, crawl)
                or not is_of_targets(_location(table))
            ):
                continue
            if self._policies.on_delete == "DELETE_FROM_DATABASE":
                self._call("DeleteTable", {"Name": name})
                self.changes.tables_deleted.append(name)
            elif self._policies.on_delete == "DEPRECATE_IN_DATABASE":
                if DEPRECATED_BY not in table["Parameters"]:
                    self._call("UpdateTable", {"TableInput": _deprecated(table, crawl)})
                    self.changes.tables_updated.append(name)
            else:
                self._log(f"Table {name} is no longer there; the policy is to leave it.")

    def _batches(
        self, operation: str, table: str, member: str, items: Sequence[dict[str, Any]]
    ) -> None:
        for at in range(0, len(items), _AT_ONCE):
            request = {"TableName": table, member: items[at : at + _AT_ONCE]}
            answer = self._call(operation, request)
            for failure in answer.get("Errors") or []:
                self._log(f"{operation} of {table}: {failure}")

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self._check()
        request = {"DatabaseName": self._database, **request}
        return self._access.invoke("glue", operation, request) or {}


def _location(table: Mapping[str, Any]) -> str:
    return (table.get("StorageDescriptor") or {}).get("Location", "").rstrip("/")


def _is_iceberg(table: Mapping[str, Any]) -> bool:
    return (table.get("Parameters") or {}).get("table_type", "").upper() == "ICEBERG"


def _is_of_crawler(described: Mapping[str, Any], crawl: Crawl) -> bool:
    return (described.get("Parameters") or {}).get(UPDATED_BY) == crawl.crawler


def _kept_and_new(existing: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The new definition with what users have added to the one before."""
    parameters = {**(existing.get("Parameters") or {}), **new["Parameters"]}
    parameters.pop(DEPRECATED_BY, None)
    if "skip.header.line.count" not in new["Parameters"]:
        parameters.pop("skip.header.line.count", None)
    comments = {
        column["Name"]: column["Comment"]
        for column in existing["StorageDescriptor"].get("Columns", [])
        if column.get("Comment")
    }
    columns = [
        {**column, "Comment": comments[column["Name"]]} if column["Name"] in comments else column
        for column in new["StorageDescriptor"]["Columns"]
    ]
    kept = catalog.table_input_of(existing)
    return {
        **kept,
        **new,
        "Owner": kept.get("Owner", new["Owner"]),
        "Parameters": parameters,
        "StorageDescriptor": {**new["StorageDescriptor"], "Columns": columns},
    }


def _merged_columns(
    existing: Mapping[str, Any], new: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The columns there are, and those of the new ones that are not among them."""
    before: list[dict[str, Any]] = list(existing["StorageDescriptor"].get("Columns", []))
    names = {column["Name"] for column in before}
    return [*before, *(column for column in new if column["Name"] not in names)]


def _essence(table: Mapping[str, Any]) -> Any:
    """What makes two definitions of a table the same."""
    storage = table["StorageDescriptor"]
    keys = [(key["Name"], key["Type"]) for key in table.get("PartitionKeys") or []]
    return (keys, _parameters(table), *_storage_essence(storage))


def _partition_essence(partition: Mapping[str, Any]) -> Any:
    storage = partition["StorageDescriptor"]
    deprecated = DEPRECATED_BY in (partition.get("Parameters") or {})
    return (deprecated, _parameters(storage), *_storage_essence(storage))


def _storage_essence(storage: Mapping[str, Any]) -> tuple[Any, ...]:
    columns = [(column["Name"], column["Type"]) for column in storage.get("Columns", [])]
    members = ("Location", "InputFormat", "OutputFormat", "Compressed", "SerdeInfo")
    return (columns, *(storage.get(member) for member in members))


def _parameters(described: Mapping[str, Any]) -> dict[str, str]:
    given: Mapping[str, str] = described.get("Parameters") or {}
    kept = {name: value for name, value in given.items() if name not in _VOLATILE_PARAMETERS}
    if DEPRECATED_BY in given:
        kept[DEPRECATED_BY] = ""
    return kept


def _deprecated(table: Mapping[str, Any], crawl: Crawl) -> dict[str, Any]:
    parameters = {**table["Parameters"], DEPRECATED_BY: _milliseconds(crawl.started)}
    return {**catalog.table_input_of(table), "Parameters": parameters}


def _deprecated_partition(partition: Mapping[str, Any], crawl: Crawl) -> dict[str, Any]:
    parameters = partition.get("Parameters") or {}
    members = ("Values", "LastAccessTime", "StorageDescriptor", "LastAnalyzedTime")
    return {
        **{member: partition[member] for member in members if member in partition},
        "Parameters": {**parameters, DEPRECATED_BY: _milliseconds(crawl.started)},
    }


def _milliseconds(instant: datetime) -> str:
    return str(round(instant.timestamp() * 1000))
