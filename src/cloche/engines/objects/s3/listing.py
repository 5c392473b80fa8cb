"""Pages of keys, versions and uploads as the endpoint lists them. All of this blocks.

A page has no properties: who wants them asks for each entry.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from cloche.engines.objects.s3.endpoint import Endpoint
from cloche.engines.objects.s3.versions import marker_record
from cloche.engines.objects.store import ObjectRecord

_ORDER = "ClocheOrder"


class Entry(NamedTuple):
    """One line of a listing: a delete marker whole, of anything else where it is found."""

    key: str
    id: str
    is_latest: bool = True
    marker: ObjectRecord | None = None


class Page(NamedTuple):
    """A page: entries, common prefixes, and where the next one starts."""

    entries: list[Entry]
    common_prefixes: list[str]
    next_key: str | None = None
    next_id: str | None = None


class Listings:
    """Listings of the endpoint's buckets."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._s3 = endpoint.s3
        self._s3.meta.events.register("before-parse.s3.ListObjectVersions", _keep_order)

    def keys(self, bucket: str, prefix: str, delimiter: str, after: str, limit: int) -> Page:
        """Current versions; `ListObjects`, for its marker skips a common prefix."""
        answer = self._s3.list_objects(
            Bucket=self._endpoint.name(bucket),
            Prefix=prefix,
            Delimiter=delimiter,
            Marker=after,
            MaxKeys=limit,
        )
        entries = [Entry(entry["Key"], "") for entry in answer.get("Contents", ())]
        prefixes = _prefixes(answer)
        if not answer.get("IsTruncated"):
            return Page(entries, prefixes)
        last = max([*(entry.key for entry in entries), *prefixes], key=str.encode)
        return Page(entries, prefixes, answer.get("NextMarker") or last)

    def versions(
        self,
        bucket: str,
        prefix: str,
        delimiter: str,
        key_marker: str,
        version_id_marker: str | None,
        limit: int,
    ) -> Page:
        """Versions and delete markers."""
        options = {"VersionIdMarker": version_id_marker} if version_id_marker else {}
        answer = self._s3.list_object_versions(
            Bucket=self._endpoint.name(bucket),
            Prefix=prefix,
            Delimiter=delimiter,
            KeyMarker=key_marker,
            MaxKeys=limit,
            **options,
        )
        places = {pair: place for place, pair in enumerate(answer.get(_ORDER, ()))}
        found = [(entry, False) for entry in answer.get("Versions", ())]
        found += [(entry, True) for entry in answer.get("DeleteMarkers", ())]

        def place(listed: tuple[dict[str, Any], bool]) -> tuple[bytes, bool, float, int]:
            """AWS's order is that in which they come; some list all markers last."""
            entry = listed[0]
            key, modified = entry["Key"], entry["LastModified"].timestamp()
            return key.encode(), not entry["IsLatest"], -modified, places[key, entry["VersionId"]]

        entries = [
            Entry(
                entry["Key"],
                entry["VersionId"],
                entry["IsLatest"],
                marker_record(bucket, entry) if is_marker else None,
            )
            for entry, is_marker in sorted(found, key=place)
        ]
        return Page(
            entries,
            _prefixes(answer),
            answer.get("NextKeyMarker") if answer.get("IsTruncated") else None,
            answer.get("NextVersionIdMarker") if answer.get("IsTruncated") else None,
        )

    def uploads(
        self,
        bucket: str,
        prefix: str,
        delimiter: str,
        key_marker: str,
        upload_id_marker: str,
        limit: int,
    ) -> Page:
        """Uploads in progress."""
        options = {"UploadIdMarker": upload_id_marker} if upload_id_marker else {}
        answer = self._s3.list_multipart_uploads(
            Bucket=self._endpoint.name(bucket),
            Prefix=prefix,
            Delimiter=delimiter,
            KeyMarker=key_marker,
            MaxUploads=limit,
            EncodingType="url",
            **options,
        )
        entries = [
            Entry(unquote_plus(entry["Key"]), entry["UploadId"])
            for entry in answer.get("Uploads", ())
        ]
        prefixes = [unquote_plus(found) for found in _prefixes(answer)]
        if not answer.get("IsTruncated"):
            return Page(entries, prefixes)
        next_key = unquote_plus(answer["NextKeyMarker"])
        return Page(entries, prefixes, next_key, answer.get("NextUploadIdMarker"))


def _prefixes(answer: dict[str, Any]) -> list[str]:
    return [entry["Prefix"] for entry in answer.get("CommonPrefixes", ())]


def _keep_order(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """Keep the order in which versions and markers came, which botocore parts in two lists."""
    if response_dict["status_code"] != 200:
        return
    root = ElementTree.fromstring(response_dict["body"])  # noqa: S314 - of an endpoint we trust
    is_encoded = any(_name(child) == "EncodingType" and child.text == "url" for child in root)
    order: list[tuple[str, str]] = []
    for child in root:
        if _name(child) in ("Version", "DeleteMarker"):
            fields = {_name(field): field.text or "" for field in child}
            key = unquote_plus(fields["Key"]) if is_encoded else fields["Key"]
            order.append((key, fields["VersionId"]))
    customized_response_dict[_ORDER] = order


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
