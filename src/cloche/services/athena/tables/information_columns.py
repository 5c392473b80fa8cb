"""The tables that `information_schema` has, and their columns with types in Hive's names."""

from __future__ import annotations

NAME = "information_schema"

_OF_TABLE = [("table_catalog", "string"), ("table_schema", "string"), ("table_name", "string")]
COLUMNS: dict[str, list[tuple[str, str]]] = {
    "schemata": [("catalog_name", "string"), ("schema_name", "string")],
    "tables": [*_OF_TABLE, ("table_type", "string")],
    "views": [*_OF_TABLE, ("view_definition", "string")],
    "columns": [
        *_OF_TABLE,
        ("column_name", "string"),
        ("ordinal_position", "bigint"),
        ("column_default", "string"),
        ("is_nullable", "string"),
        ("data_type", "string"),
        ("comment", "string"),
        ("extra_info", "string"),
    ],
}
