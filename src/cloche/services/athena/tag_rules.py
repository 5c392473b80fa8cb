"""What tags may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cloche.services.athena.errors import InvalidRequestException

_MOST_TAGS = 50


def checked_tags(current: Mapping[str, str], added: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Tags with further ones.

    Raises:
        InvalidRequestException: a key is given twice or reserved, or there are more than 50.
    """
    tags = dict(current)
    seen: set[str] = set()
    for tag in added:
        key = tag.get("Key", "")
        if not key or key.lower().startswith("aws:"):
            raise InvalidRequestException(f"Tag key {key!r} is not allowed.")
        if key in seen:
            raise InvalidRequestException(f"Duplicate tag key: {key}")
        seen.add(key)
        tags[key] = tag.get("Value", "")
    if len(tags) > _MOST_TAGS:
        raise InvalidRequestException(f"A resource can have at most {_MOST_TAGS} tags.")
    return tags
