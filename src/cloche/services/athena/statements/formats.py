"""File formats as DDL names them, and the Hive classes that the catalog keeps for each."""

from __future__ import annotations

from typing import NamedTuple

LAZY_SIMPLE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
OPENX_JSON = "org.openx.data.jsonserde.JsonSerDe"
TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

IGNORE_KEY_OUTPUT = "org.apache.hadoop.hive.ql.io.IgnoreKeyTextOutputFormat"
"""What Athena keeps for a table of OpenX's SerDe that doesn't say how it is stored."""


class Format(NamedTuple):
    """A file format.

    Attributes:
        classification: what Glue's crawlers call it.
    """

    input_format: str
    output_format: str
    serde: str
    classification: str


_HIVE = "org.apache.hadoop.hive"

FORMATS: dict[str, Format] = {
    "TEXTFILE": Format(TEXT_INPUT, TEXT_OUTPUT, LAZY_SIMPLE, "csv"),
    "JSON": Format(TEXT_INPUT, TEXT_OUTPUT, OPENX_JSON, "json"),
    "PARQUET": Format(
        f"{_HIVE}.ql.io.parquet.MapredParquetInputFormat",
        f"{_HIVE}.ql.io.parquet.MapredParquetOutputFormat",
        f"{_HIVE}.ql.io.parquet.serde.ParquetHiveSerDe",
        "parquet",
    ),
    "ORC": Format(
        f"{_HIVE}.ql.io.orc.OrcInputFormat",
        f"{_HIVE}.ql.io.orc.OrcOutputFormat",
        f"{_HIVE}.ql.io.orc.OrcSerde",
        "orc",
    ),
    "AVRO": Format(
        f"{_HIVE}.ql.io.avro.AvroContainerInputFormat",
        f"{_HIVE}.ql.io.avro.AvroContainerOutputFormat",
        f"{_HIVE}.serde2.avro.AvroSerDe",
        "avro",
    ),
    "SEQUENCEFILE": Format(
        "org.apache.hadoop.mapred.SequenceFileInputFormat",
        f"{_HIVE}.ql.io.HiveSequenceFileOutputFormat",
        LAZY_SIMPLE,
        "",
    ),
    "RCFILE": Format(
        f"{_HIVE}.ql.io.RCFileInputFormat",
        f"{_HIVE}.ql.io.RCFileOutputFormat",
        f"{_HIVE}.serde2.columnar.LazyBinaryColumnarSerDe",
        "",
    ),
    "ION": Format(
        "com.amazon.ionhiveserde.formats.IonInputFormat",
        "com.amazon.ionhiveserde.formats.IonOutputFormat",
        "com.amazon.ionhiveserde.IonHiveSerDe",
        "",
    ),
}
