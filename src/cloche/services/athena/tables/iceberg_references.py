"""Which files an Iceberg table's metadata refers to."""

from __future__ import annotations

from collections.abc import Iterable

from pyiceberg.manifest import ManifestFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot


def referenced_files(table: Table) -> set[str]:
    """Places of all files that any snapshot needs, and those of the metadata itself."""
    metadata = table.metadata
    found = {table.metadata_location}
    found |= {entry.metadata_file for entry in metadata.metadata_log}
    found |= {each.statistics_path for each in metadata.statistics}
    found |= {each.statistics_path for each in metadata.partition_statistics}
    return found | files_of_snapshots(table, metadata.snapshots)


def files_of_snapshots(table: Table, snapshots: Iterable[Snapshot]) -> set[str]:
    """Places of all files that some snapshots need."""
    found: set[str] = set()
    read: set[str] = set()
    for snapshot in snapshots:
        found.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in read:
                read.add(manifest.manifest_path)
                found |= _files_of(table, manifest)
    return found | read


def _files_of(table: Table, manifest: ManifestFile) -> set[str]:
    entries = manifest.fetch_manifest_entry(table.io, discard_deleted=True)
    return {entry.data_file.file_path for entry in entries}
