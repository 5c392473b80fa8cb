"""Which reader a table's files need."""

from __future__ import annotations

from importlib import import_module

from cloche.engines.sql.engine import ErrorKind, FileTable, QueryError
from cloche.engines.sql.formats.scan import Reader

_TEXT_INPUTS = frozenset({"", "org.apache.hadoop.mapred.textinputformat"})

# By the SerDe's class in lower case: module, and whether it reads lines of text.
_READERS = {
    "org.apache.hadoop.hive.ql.io.parquet.serde.parquethiveserde": ("parquet", False),
    "org.apache.hadoop.hive.ql.io.orc.orcserde": ("orc", False),
    "org.apache.hadoop.hive.serde2.avro.avroserde": ("avro", False),
    "org.apache.hadoop.hive.serde2.lazy.lazysimpleserde": ("lazy_simple", True),
    "org.apache.hadoop.hive.serde2.opencsvserde": ("open_csv", True),
    "org.openx.data.jsonserde.jsonserde": ("json_lines", True),
    "org.apache.hive.hcatalog.data.jsonserde": ("json_lines", True),
    "org.apache.hadoop.hive.serde2.jsonserde": ("json_lines", True),
    "org.apache.hadoop.hive.serde2.regexserde": ("patterns", True),
    "org.apache.hadoop.hive.contrib.serde2.regexserde": ("patterns", True),
    "com.amazonaws.glue.serde.grokserde": ("patterns", True),
}
_SELF_DESCRIBING = frozenset({"parquet", "orc", "avro", "json_lines"})


def reader_of(table: FileTable) -> Reader:
    """What reads the table's files.

    Raises:
        QueryError: nothing does.
    """
    serde = table.serde.strip().lower()
    if serde not in _READERS:
        raise QueryError(ErrorKind.NOT_SUPPORTED, f"SerDe {table.serde!r} is not supported")
    name, is_text = _READERS[serde]
    if is_text and table.input_format.strip().lower() not in _TEXT_INPUTS:
        raise QueryError(
            ErrorKind.NOT_SUPPORTED,
            f"Input format {table.input_format!r} with SerDe {table.serde!r} is not supported",
        )
    # Readers are imported when a table needs them: a server that reads Parquet needs no Avro.
    module = import_module(f"cloche.engines.sql.formats.{name}")
    return getattr(module, f"select_{name}")


def is_self_describing(serde: str) -> bool:
    """Whether files that a SerDe reads tell themselves what their columns are called."""
    return _READERS.get(serde.strip().lower(), ("", True))[0] in _SELF_DESCRIBING
