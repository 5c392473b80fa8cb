"""How snapshots are put together: few manifests, none of which is without a living file.

pyiceberg reads each manifest of a table for each query, and adds one or two for each change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyiceberg.manifest import ManifestContent, ManifestFile
from pyiceberg.table.snapshots import Operation, Summary
from pyiceberg.table.update.snapshot import (
    _FastAppendFiles,
    _ManifestMergeManager,
    _OverwriteFiles,
)
from pyiceberg.typedef import EMPTY_DICT

_TARGET_BYTES = 8 << 20
_COUNT_PROPERTY = "commit.manifest.min-count-to-merge"
_COUNT = 20
"""Iceberg's own default is 100; here a manifest costs a query about 3 ms."""
_ENABLED_PROPERTY = "commit.manifest-merge.enabled"


class AppendFiles(_FastAppendFiles):
    """A snapshot to which files are added."""

    def _process_manifests(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
        return _merged(self, manifests)


class ChangeFiles(_OverwriteFiles):
    """A snapshot from which files go, and to which others come."""

    def _existing_manifests(self) -> list[ManifestFile]:
        return [
            manifest
            for manifest in super()._existing_manifests()
            if manifest.has_added_files() or manifest.has_existing_files()
        ]

    def _process_manifests(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
        return _merged(self, manifests)


class ReplaceFiles(ChangeFiles):
    """Files with the rows of others in their stead, which pyiceberg has no operation for."""

    def _summary(self, snapshot_properties: dict[str, str] = EMPTY_DICT) -> Summary:
        made = super()._summary(snapshot_properties)
        return Summary(operation=Operation.REPLACE, **made.additional_properties)


def _merged(producer: Any, manifests: list[ManifestFile]) -> list[ManifestFile]:
    properties = producer._transaction.table_metadata.properties
    if properties.get(_ENABLED_PROPERTY, "true").lower() == "false":
        return manifests
    count = properties.get(_COUNT_PROPERTY, "")
    manager = _ManifestMergeManager(
        target_size_bytes=_TARGET_BYTES,
        min_count_to_merge=int(count) if count.isdigit() else _COUNT,
        merge_enabled=True,
        snapshot_producer=producer,
    )
    data = [each for each in manifests if each.content == ManifestContent.DATA]
    deletes = [each for each in manifests if each.content == ManifestContent.DELETES]
    made = manager.merge_manifests(data) + deletes
    _remove_merged(producer, made)
    return made


def _remove_merged(producer: Any, kept: Sequence[ManifestFile]) -> None:
    """Remove manifests that were written for this snapshot and are a part of another now."""
    needed = {manifest.manifest_path for manifest in kept}
    for path in [each for each in producer._written_manifests if each not in needed]:
        producer._io.delete(path)
        producer._written_manifests.remove(path)
