"""A few tables over files, and queries on them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from cloche.engines.sql.engine import (
    Column,
    DataFile,
    Execution,
    FileTable,
    Query,
    SqlEngine,
    TableNotFound,
    TableReference,
    TableSource,
)

PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
ORC = "org.apache.hadoop.hive.ql.io.orc.OrcSerde"
AVRO = "org.apache.hadoop.hive.serde2.avro.AvroSerDe"
LAZY = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
OPENX = "org.openx.data.jsonserde.JsonSerDe"
HIVE_JSON = "org.apache.hive.hcatalog.data.JsonSerDe"
REGEX = "org.apache.hadoop.hive.serde2.RegexSerDe"
GROK = "com.amazonaws.glue.serde.GrokSerDe"


def columns_of(text: str) -> tuple[Column, ...]:
    """`a int; b string` as columns."""
    pairs = [part.strip().split(" ", 1) for part in text.split(";") if part.strip()]
    return tuple(Column(name, type.strip()) for name, type in pairs)


class Lake:
    """Tables by name, in files of one folder."""

    def __init__(self, engine: SqlEngine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.tables: dict[str, TableSource] = {}
        self.references: list[TableReference] = []

    def file(
        self,
        name: str,
        content: bytes | str = b"",
        partition: Mapping[str, str | None] | None = None,
    ) -> DataFile:
        path = self.folder / name
        if content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        size = path.stat().st_size if path.exists() else 0
        return DataFile(str(path), f"s3://lake/{name}", size, partition or {})

    def table(
        self,
        name: str,
        serde: str,
        columns: str,
        *files: DataFile,
        partitions: str = "",
        properties: Mapping[str, str] | None = None,
        **serde_properties: str,
    ) -> FileTable:
        options = {key.replace("__", "."): value for key, value in serde_properties.items()}
        table = FileTable(
            columns_of(columns),
            columns_of(partitions),
            files,
            "",
            serde,
            options,
            properties or {},
        )
        self.tables[name] = table
        return table

    def query(self, sql: str, **options: Any) -> Query:
        return Query(
            sql=sql,
            dialect="trino",
            catalog="awsdatacatalog",
            schema="default",
            resolve=self._resolve,
            **options,
        )

    def execute(self, sql: str, **options: Any) -> Execution:
        return self.engine.execute(self.query(sql, **options))

    def arrow(self, sql: str, **options: Any) -> pa.Table:
        execution = self.execute(sql, **options)
        try:
            return pa.Table.from_batches(execution.batches(), execution.schema)
        finally:
            execution.close()

    def rows(self, sql: str, **options: Any) -> list[tuple[Any, ...]]:
        table = self.arrow(sql, **options)
        columns = [column.to_pylist() for column in table.columns]
        return list(zip(*columns, strict=True))

    def _resolve(self, reference: TableReference) -> TableSource:
        self.references.append(reference)
        if reference.name not in self.tables:
            raise TableNotFound(reference)
        return self.tables[reference.name]
