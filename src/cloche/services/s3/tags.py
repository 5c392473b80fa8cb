"""Reading tag sets, from the body of a request and from the `x-amz-tagging` header.

Source: "Categorizing your objects using tags" in the S3 user guide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from cloche.services.s3.errors import BadRequest, InvalidArgument, InvalidTag, MalformedXML

MAX_OBJECT_TAGS = 10
MAX_BUCKET_TAGS = 50
_MAX_KEY_CHARACTERS = 128
_MAX_VALUE_CHARACTERS = 256
_ALLOWED = re.compile(r"[\w\s+\-=.:/@]*")


def read_tag_set(
    tag_set: Iterable[Mapping[str, str]], *, max_tags: int = MAX_OBJECT_TAGS
) -> dict[str, str]:
    """The tags of the model's `TagSet`.

    Raises:
        InvalidTag: a key comes twice, or a key or value breaks the rules.
        MalformedXML: a key or value is missing.
        BadRequest: there are too many.
    """
    tags: dict[str, str] = {}
    for tag in tag_set:
        key, value = tag.get("Key"), tag.get("Value")
        if key is None or value is None:
            raise MalformedXML
        if key in tags:
            raise InvalidTag("Cannot provide multiple Tags with the same key", TagKey=key)
        _check_tag(key, value)
        tags[key] = value
    if len(tags) > max_tags:
        subject = "Object" if max_tags == MAX_OBJECT_TAGS else "Bucket"
        raise BadRequest(f"{subject} tags cannot be greater than {max_tags}")
    return tags


def read_tagging_header(header: str) -> dict[str, str]:
    """The tags of an `x-amz-tagging` header, which is a query string.

    Raises:
        InvalidArgument: it is not a query string, or a key comes twice.
        InvalidTag: a key or value breaks the rules.
        BadRequest: there are too many.
    """
    pairs = parse_qsl(header, keep_blank_values=True, max_num_fields=1000)
    tags = dict(pairs)
    if len(tags) != len(pairs):
        raise InvalidArgument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query "
            "parameters without tag name duplicates.",
            ArgumentName="x-amz-tagging",
            ArgumentValue=header,
        )
    for key, value in pairs:
        _check_tag(key, value)
    if len(tags) > MAX_OBJECT_TAGS:
        raise BadRequest
    return tags


def tag_set(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as the model's `TagSet`."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _check_tag(key: str, value: str) -> None:
    if not 0 < len(key) <= _MAX_KEY_CHARACTERS or _ALLOWED.fullmatch(key) is None:
        raise InvalidTag("The TagKey you have provided is invalid", TagKey=key)
    if len(value) > _MAX_VALUE_CHARACTERS or _ALLOWED.fullmatch(value) is None:
        raise InvalidTag("The TagValue you have provided is invalid", TagKey=key, TagValue=value)
    if key.startswith("aws:"):
        raise InvalidTag("System tags cannot be added/updated by requester", TagKey=key)
