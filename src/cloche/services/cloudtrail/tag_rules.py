"""What tags a trail may have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cloche.services.cloudtrail.errors import (
    InvalidTagParameterException,
    TagsLimitExceededException,
)

MAXIMUM_TAGS = 50


def checked_tags(tags: Mapping[str, str], added: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Tags with further ones, which replace those of the same key.

    Raises:
        InvalidTagParameterException: a key is given twice, or is AWS's own.
        TagsLimitExceededException: they would be too many.
    """
    given: dict[str, str] = {}
    for tag in added:
        key = tag["Key"]
        if key in given:
            raise InvalidTagParameterException(f"Tag key {key} is specified more than once.")
        if key.lower().startswith("aws:"):
            raise InvalidTagParameterException("Tag keys can't start with aws:")
        given[key] = tag.get("Value") or ""
    together = {**tags, **given}
    if len(together) > MAXIMUM_TAGS:
        raise TagsLimitExceededException(
            f"The number of tags per trail has exceeded the limit of {MAXIMUM_TAGS}."
        )
    return together
