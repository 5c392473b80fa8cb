"""The `x-amz-copy-source` header: which version of which object to copy."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

from cloche.services.s3.errors import InvalidArgument


class CopySource(NamedTuple):
    """An object to copy.

    Attributes:
        version_id: None for the current version.
    """

    bucket: str
    key: str
    version_id: str | None


def parse_copy_source(header: str) -> CopySource:
    """Read `bucket/key?versionId=…`, percent-encoded, with or without a leading slash.

    Raises:
        InvalidArgument: bucket or key are missing.
    """
    path, question_mark, version_id = header.partition("?versionId=")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    if not bucket or not key or (question_mark and not version_id):
        raise InvalidArgument(
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            ArgumentName="x-amz-copy-source",
            ArgumentValue=header,
        )
    return CopySource(bucket, key, unquote(version_id) if question_mark else None)
