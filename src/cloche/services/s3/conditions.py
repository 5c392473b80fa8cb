"""Conditional requests: If-Match and its kin, on reads, copies, writes and deletes.

Source: RFC 9110, section 13, "Conditional requests" and "Conditional writes" of the S3 user guide.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cloche.engines.objects.store import Condition, ObjectRecord
from cloche.services.s3.errors import (
    NoSuchKey,
    NotImplementedS3,
    NotModified,
    PreconditionFailed,
)


def check_read(request: Mapping[str, Any], record: ObjectRecord, answer: Mapping[str, str]) -> None:
    """Check the conditions of a read; ETags go before dates.

    Args:
        request: has the conditions.
        record: the version to be read.
        answer: headers for a 304.

    Raises:
        PreconditionFailed: If-Match or If-Unmodified-Since does not hold.
        NotModified: If-None-Match or If-Modified-Since does not hold.
    """
    if_match = request.get("IfMatch")
    if if_match is not None:
        if not _matches(if_match, record.etag):
            raise PreconditionFailed(Condition="If-Match")
    elif _is_modified_since(request.get("IfUnmodifiedSince"), record):
        raise PreconditionFailed(Condition="If-Unmodified-Since")
    if_none_match = request.get("IfNoneMatch")
    if if_none_match is not None:
        if _matches(if_none_match, record.etag):
            raise NotModified(headers=dict(answer))
    elif _is_modified_since(request.get("IfModifiedSince"), record) is False:
        raise NotModified(headers=dict(answer))


def check_copy_source(request: Mapping[str, Any], record: ObjectRecord) -> None:
    """Check the `x-amz-copy-source-if-…` conditions, all of which fail with 412.

    Raises:
        PreconditionFailed: one does not hold.
    """
    if_match = request.get("CopySourceIfMatch")
    if if_match is not None:
        if not _matches(if_match, record.etag):
            raise PreconditionFailed(Condition="x-amz-copy-source-If-Match")
    elif _is_modified_since(request.get("CopySourceIfUnmodifiedSince"), record):
        raise PreconditionFailed(Condition="x-amz-copy-source-If-Unmodified-Since")
    if_none_match = request.get("CopySourceIfNoneMatch")
    if if_none_match is not None:
        if _matches(if_none_match, record.etag):
            raise PreconditionFailed(Condition="x-amz-copy-source-If-None-Match")
    elif _is_modified_since(request.get("CopySourceIfModifiedSince"), record) is False:
        raise PreconditionFailed(Condition="x-amz-copy-source-If-Modified-Since")


def write_condition(request: Mapping[str, Any]) -> Condition | None:
    """What must hold of the key's current version when a write is committed; None if nothing.

    Raises:
        NotImplementedS3: If-None-Match with anything but `*`, or both headers.
    """
    if_match = request.get("IfMatch")
    if_none_match = request.get("IfNoneMatch")
    if if_match is None and if_none_match is None:
        return None
    if if_none_match is not None and (if_none_match.strip() != "*" or if_match is not None):
        raise NotImplementedS3(Header="If-None-Match")
    if if_none_match is not None:
        return _must_not_exist
    return lambda record: _must_match(request, request["IfMatch"], record)


def _must_not_exist(record: ObjectRecord | None) -> None:
    if record is not None and not record.is_delete_marker:
        raise PreconditionFailed(Condition="If-None-Match")


def _must_match(request: Mapping[str, Any], if_match: str, record: ObjectRecord | None) -> None:
    if record is None or record.is_delete_marker:
        raise NoSuchKey(Key=request["Key"])
    if not _matches(if_match, record.etag):
        raise PreconditionFailed(Condition="If-Match")


def delete_condition(
    if_match: str | None, last_modified: datetime | None, size_bytes: int | None
) -> Condition | None:
    """What must hold of a version for it to be deleted; None if nothing.

    A key that does not exist may always be deleted.
    """
    if if_match is None and last_modified is None and size_bytes is None:
        return None

    def check(record: ObjectRecord | None) -> None:
        if record is None:
            return
        if if_match is not None and not _matches_for_delete(if_match, record):
            raise PreconditionFailed(Condition="If-Match")
        if last_modified is not None and not _is_modified_at(last_modified, record):
            raise PreconditionFailed(Condition="x-amz-if-match-last-modified-time")
        if size_bytes is not None and size_bytes != record.size_bytes:
            raise PreconditionFailed(Condition="x-amz-if-match-size")

    return check


def _matches_for_delete(if_match: str, record: ObjectRecord) -> bool:
    if record.is_delete_marker:
        return if_match.strip() == "*"
    return _matches(if_match, record.etag)


def _is_modified_at(instant: datetime, record: ObjectRecord) -> bool:
    return math.floor(record.last_modified) == math.floor(instant.timestamp())


def _matches(header: str, etag: str) -> bool:
    """Whether a list of ETags, or `*`, names this one."""
    return any(
        given in ("*", etag)
        for given in (item.strip().removeprefix("W/").strip('"') for item in header.split(","))
    )


def _is_modified_since(instant: datetime | None, record: ObjectRecord) -> bool | None:
    """Whether a version is newer than an instant, in whole seconds; None if there is none."""
    if instant is None:
        return None
    return math.floor(record.last_modified) > instant.timestamp()
