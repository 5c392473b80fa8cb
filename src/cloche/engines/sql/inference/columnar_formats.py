"""Parquet, ORC and Avro, which carry their schemas."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import pyarrow as pa
from pyarrow import orc, parquet

from cloche.engines.sql.inference.compression import CorruptFile
from cloche.engines.sql.inference.hive_types import Struct, from_arrow, from_avro
from cloche.engines.sql.inference.inferred import Inferred, SampledFile, as_columns

PARQUET_MAGIC = b"PAR1"
ORC_MAGIC = b"ORC"
AVRO_MAGIC = b"Obj\x01"

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
    return Inferred(
        classification="parquet",
        columns=as_columns((each.name, from_arrow(each.type)) for each in schema),
        input_format=f"{_CLASSES}.parquet.MapredParquetInputFormat",
        output_format=f"{_CLASSES}.parquet.MapredParquetOutputFormat",
        serde=PARQUET_SERDE,
        serde_parameters={"serialization.format": "1"},
        record_count=rows,
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
    is_whole = len(head) >= file.size_bytes
    records = counted_bytes = 0
    try:
        blocks: Any = fastavro.block_reader(io.BytesIO(head))
        schema: Any = json.loads(blocks.metadata["avro.schema"])
    except Exception as error:  # fastavro raises whatever the bytes lead it to
        raise CorruptFile(f"it cannot be read as Avro: {error}") from error
    try:
        for block in blocks:
            records += block.num_records
            counted_bytes = block.offset + block.size
    except Exception as error:  # as before
        if is_whole:
            raise CorruptFile(f"a block of it cannot be read as Avro: {error}") from error
    type_ = from_avro(schema)
    if not is_whole and counted_bytes:
        records = max(records, round(records * file.size_bytes / counted_bytes))
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
