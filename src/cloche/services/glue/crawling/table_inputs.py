"""Tables and partitions as a crawler writes them into the catalog: Glue's TableInput."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from msgspec.structs import replace

from cloche.engines.sql.engine import Column
from cloche.engines.sql.inference.csv_format import LAZY_SIMPLE_SERDE, OPEN_CSV_SERDE
from cloche.engines.sql.inference.inferred import Inferred
from cloche.services.glue.crawling.grouping import FoundPartition, FoundTable
from cloche.services.glue.crawling.summaries import FileGroup

UPDATED_BY = "UPDATED_BY_CRAWLER"
DEPRECATED_BY = "DEPRECATED_BY_CRAWLER"
RUN_ID = "CRAWL_RUN_ID"

_SCHEMA_VERSION = "1.0"
_LONGEST_NAME = 128
_BY_POSITION = (LAZY_SIMPLE_SERDE, OPEN_CSV_SERDE)


class Crawl(NamedTuple):
    """A crawl, as far as what it writes tells of it.

    Attributes:
        crawler: its name.
        id: the crawl's.
        started: when.
        bucket: of the objects.
    """

    crawler: str
    id: str
    started: datetime
    bucket: str


def location_of(bucket: str, path: str) -> str:
    """`s3://…` of a folder or object."""
    return f"s3://{bucket}/{path}"


def base_name(bucket: str, table: FoundTable) -> str:
    """A table's name after its folder, its file or, at the top, its bucket."""
    name = re.sub(r"[^0-9a-z_]", "_", (table.name or bucket).lower())
    return name[:_LONGEST_NAME]


def with_digest(name: str, location: str) -> str:
    """A table's name where another has it already."""
    digest = hashlib.md5(location.encode(), usedforsecurity=False).hexdigest()
    return f"{name}_{digest}"


def partition_keys(table: FoundTable) -> list[dict[str, str]]:
    """Its partition keys, named after the folders or by number."""
    named: list[dict[str, str]] = []
    unnamed = 0
    for key in table.keys:
        if key is None:
            named.append({"Name": f"partition_{unnamed}", "Type": "string"})
            unnamed += 1
        else:
            named.append({"Name": key, "Type": "string"})
    return named


def table_input(
    crawl: Crawl, table: FoundTable, name: str, *, has_index: bool = False
) -> dict[str, Any]:
    """A table as it was found."""
    keys = partition_keys(table)
    parameters = _parameters(crawl, table.group)
    if keys and has_index:
        parameters["partition_filtering.enabled"] = "true"
    return {
        "Name": name,
        "Owner": "owner",
        "Retention": 0,
        "LastAccessTime": crawl.started,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": keys,
        "Parameters": parameters,
        "StorageDescriptor": {
            **_storage(table.group, location_of(crawl.bucket, table.path), keys),
            "Parameters": dict(parameters),
        },
    }


def partition_input(
    crawl: Crawl,
    table: FoundTable,
    partition: FoundPartition,
    *,
    inherits: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """A partition as it was found.

    Args:
        crawl: that found it.
        table: its table.
        partition: the partition.
        inherits: the table's storage, whose schema it takes; None for its own.
    """
    location = location_of(crawl.bucket, partition.path)
    group = FileGroup(
        _as_in_table(partition.group.inferred, table.group.inferred), partition.group.files
    )
    storage = _storage(group, location, partition_keys(table))
    parameters = _parameters(crawl, group)
    del parameters[RUN_ID]
    if inherits is not None:
        same = ("Columns", "InputFormat", "OutputFormat", "SerdeInfo")
        storage.update({member: inherits[member] for member in same if member in inherits})
    return {
        "Values": list(partition.values),
        "LastAccessTime": crawl.started,
        "Parameters": {},
        "StorageDescriptor": {**storage, "Parameters": parameters},
    }


def _as_in_table(own: Inferred, of_table: Inferred) -> Inferred:
    """What a partition's files are, where the table's others tell what they leave open.

    CSV that has no quotes is read by OpenCSVSerDe if that of other partitions has to be.
    """
    if own.compatibility != of_table.compatibility:
        return own
    borrowed = set(own.open_types)
    if own.classification == "csv" and own.serde != of_table.serde:
        borrowed.update(own.gaps)
        quoted = {"areColumnsQuoted": of_table.parameters["areColumnsQuoted"]}
        own = replace(
            own,
            serde=of_table.serde,
            serde_parameters=of_table.serde_parameters,
            parameters={**own.parameters, **quoted},
        )
    types = {column.name: column.type for column in of_table.columns}
    columns = [
        Column(column.name, types[column.name]) if column.name in borrowed else column
        for column in own.columns
    ]
    return replace(own, columns=tuple(columns))


def _parameters(crawl: Crawl, group: FileGroup) -> dict[str, str]:
    inferred = group.inferred
    records = inferred.record_count
    return {
        **inferred.parameters,
        "classification": inferred.classification,
        "compressionType": inferred.compression,
        "typeOfData": "file",
        "recordCount": str(records),
        "averageRecordSize": str(group.size_bytes // records if records else 0),
        "objectCount": str(len(group.keys)),
        "sizeKey": str(group.size_bytes),
        "CrawlerSchemaSerializerVersion": _SCHEMA_VERSION,
        "CrawlerSchemaDeserializerVersion": _SCHEMA_VERSION,
        UPDATED_BY: crawl.crawler,
        RUN_ID: crawl.id,
    }


def _storage(group: FileGroup, location: str, keys: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    inferred = group.inferred
    serde: dict[str, Any] = {"Parameters": dict(inferred.serde_parameters)}
    if inferred.serde:
        serde["SerializationLibrary"] = inferred.serde
    formats = {"InputFormat": inferred.input_format, "OutputFormat": inferred.output_format}
    taken = {key["Name"] for key in keys}
    return {
        "Columns": _columns(inferred.columns, taken, is_by_position=inferred.serde in _BY_POSITION),
        "Location": location,
        **{name: value for name, value in formats.items() if value},
        "Compressed": inferred.compression != "none",
        "NumberOfBuckets": -1,
        "SerdeInfo": serde,
        "BucketColumns": [],
        "SortColumns": [],
        "StoredAsSubDirectories": False,
    }


def _columns(
    columns: Sequence[Column], taken: set[str], *, is_by_position: bool
) -> list[dict[str, str]]:
    """Columns of files, none of which may be called as a partition key.

    One that is, is left out where columns are found by name, and called otherwise where they are
    found by their position.
    """
    shown: list[dict[str, str]] = []
    names = taken | {column.name for column in columns}
    for column in columns:
        name = column.name
        if name in taken:
            if not is_by_position:
                continue
            while name in names:
                name = f"{name}_1"
            names.add(name)
        shown.append({"Name": name, "Type": column.type})
    return shown
