"""Table properties that Athena has for Iceberg tables, and those of Iceberg that they stand for.

Source: "Create Iceberg tables", section "Table properties", in Athena's user guide.
"""

from __future__ import annotations

from collections.abc import Mapping

from cloche.services.athena.failures import ddl_failed, not_built

_CODECS = {
    "gzip": "gzip",
    "none": "uncompressed",
    "snappy": "snappy",
    "uncompressed": "uncompressed",
    "zstd": "zstd",
}
_NUMBERS = {
    "optimize_rewrite_data_file_threshold": 1,
    "optimize_rewrite_delete_file_threshold": 1,
    "optimize_rewrite_max_data_file_size_bytes": 1,
    "optimize_rewrite_min_data_file_size_bytes": 0,
    "vacuum_max_metadata_files_to_keep": 1,
    "vacuum_max_snapshot_age_seconds": 0,
    "vacuum_min_snapshots_to_keep": 1,
    "write_target_data_file_size_bytes": 1,
}
"""Whole numbers, and the least that each may be."""
_MIRRORED = {
    "write_compression": "write.parquet.compression-codec",
    "vacuum_max_metadata_files_to_keep": "write.metadata.previous-versions-max",
    "write_target_data_file_size_bytes": "write.target-file-size-bytes",
}
KNOWN = frozenset({*_NUMBERS, "format", "write_compression"})


def iceberg_properties(given: Mapping[str, str]) -> dict[str, str]:
    """Properties as an Iceberg table keeps them.

    Raises:
        QueryFailed: Athena has no such property, or it cannot have that value.
    """
    made: dict[str, str] = {}
    for name, value in given.items():
        key, text = name.lower(), value.strip()
        if key not in KNOWN:
            raise ddl_failed(f"SemanticException Unsupported table property key: {name}")
        if key in _NUMBERS and (not text.isdigit() or int(text) < _NUMBERS[key]):
            raise ddl_failed(f"SemanticException Invalid value for table property {key}: {value}")
        if key == "format" and text.lower() != "parquet":
            raise not_built(f"Iceberg tables of the format {value}")
        if key == "write_compression":
            text = text.lower()
            if text not in _CODECS:
                raise ddl_failed(f"SemanticException Unsupported write_compression: {value}")
        made[key] = text
        if key in _MIRRORED:
            made[_MIRRORED[key]] = _CODECS.get(text, text)
    return made


def removed_properties(names: tuple[str, ...]) -> set[str]:
    """What an Iceberg table loses with some properties.

    Raises:
        QueryFailed: Athena has no such property.
    """
    removed: set[str] = set()
    for name in names:
        key = name.lower()
        if key not in KNOWN:
            raise ddl_failed(f"SemanticException Unsupported table property key: {name}")
        removed |= {key, _MIRRORED.get(key, key)}
    return removed


def number_of(properties: Mapping[str, str], name: str, default: int) -> int:
    """A property that is a whole number; somebody else may have set it to anything."""
    text = properties.get(name, "")
    return int(text) if text.isdigit() else default
