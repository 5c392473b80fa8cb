"""Parquet, ORC and Avro, which carry their schemas."""

from __future__ import annotations

import json

import pyarrow as pa
from pyarrow import orc, parquet

from cloche.engines.sql.inference.avro_container import NotAvro, read_container
from cloche.engines.sql.inference.compression import CorruptFile
from cloche.engines.sql.inference.hive_types import Struct, from_arrow, from_avro
from cloche.engines.sql.inference.inferred import Inferred, SampledFile, as_columns, open_types

PARQUET_MAGIC = b"PAR1"
ORC_MAGIC = b"ORC"

PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
ORC_SERDE = "org.apache.hadoop.hive.ql.io.orc.OrcSerde"
AVRO_SERDE = "org.apache.hadoop.hive.serde2.avro.AvroSerDe"

_CLASSES = "org.apache.hadoop.hive.ql.io"


def infer_parquet(file: SampledFile) -> Inferred:
    """Columns of a Parquet file, by its footer.

    Raises:
        CorruptFile: it has none that can be read.
    """
    try:
        with file.open() as opened:
            contents = parquet.ParquetFile(opened)
            schema, rows = contents.schema_arrow, contents.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise CorruptFile(f"it cannot be read as Parquet: {error}") from error
    fields = [(each.name, from_arrow(each.type)) for each in schema]
    columns = as_columns(fields)
    return Inferred(
        classification="parquet",
        columns=columns,
        input_format=f"{_CLASSES}.parquet.MapredParquetInputFormat",
        output_format=f"{_CLASSES}.parquet.MapredParquetOutputFormat",
        serde=PARQUET_SERDE,
        serde_parameters={"serialization.format": "1"},
        record_count=rows,
        open_types=open_types(fields, columns),
    )


def infer_orc(file: SampledFile) -> Inferred:
    """Columns of an ORC file, by its footer.

    Raises:
        CorruptFile: it has none that can be read.
    """
    try:
        with file.open() as opened:
            contents = orc.ORCFile(opened)
            schema, rows = contents.schema, contents.nrows
    except (pa.ArrowException, OSError) as error:
        raise CorruptFile(f"it cannot be read as ORC: {error}") from error
    return Inferred(
        classification="orc",
        columns=as_columns((each.name, from_arrow(each.type)) for each in schema),
        input_format=f"{_CLASSES}.orc.OrcInputFormat",
        output_format=f"{_CLASSES}.orc.OrcOutputFormat",
        serde=ORC_SERDE,
        serde_parameters={"serialization.format": "1"},
        record_count=rows,
    )


def infer_avro(file: SampledFile, head: bytes) -> Inferred:
    """Columns of an Avro file, by its header; its records are counted as far as `head` goes.

    Raises:
        CorruptFile: it has no header that can be read.
    """
    try:
        container = read_container(head)
        type_ = from_avro(container.schema)
    except (NotAvro, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptFile(f"it cannot be read as Avro: {error}") from error
    is_cut_off = len(head) >= file.size_bytes and not container.is_whole
    if is_cut_off:
        raise CorruptFile("it cannot be read as Avro: its last block does not end")
    schema, records = container.schema, container.records
    if not container.is_whole:
        records = round(records * file.size_bytes / container.counted_bytes)
    literal = json.dumps(schema, separators=(",", ":"), ensure_ascii=False)
    fields = type_.fields if isinstance(type_, Struct) else (("value", type_),)
    return Inferred(
        classification="avro",
        columns=as_columns(fields),
        input_format=f"{_CLASSES}.avro.AvroContainerInputFormat",
        output_format=f"{_CLASSES}.avro.AvroContainerOutputFormat",
        serde=AVRO_SERDE,
        serde_parameters={"avro.schema.literal": literal, "serialization.format": "1"},
        parameters={"avro.schema.literal": literal},
        record_count=records,
    )
