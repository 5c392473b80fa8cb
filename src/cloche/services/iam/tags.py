"""Tags of users, roles, policies and instance profiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cloche.services.iam.entities import Tags
from cloche.services.iam.errors import InvalidInput, LimitExceeded

if TYPE_CHECKING:
    from aws_shapes.iam import Tag

TAGS_LIMIT = 50


def read_tags(tags: Iterable[Mapping[str, Any]]) -> Tags:
    """The tags of a request.

    Raises:
        InvalidInput: a key is given twice, or is AWS's own.
        LimitExceeded: there are more than 50.
    """
    pairs = tuple((tag["Key"], tag["Value"]) for tag in tags)
    keys = [key.lower() for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise InvalidInput(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    if any(key.startswith("aws:") for key in keys):
        raise InvalidInput(
            "One or more tag keys start with the reserved prefix aws:, which only AWS may use."
        )
    _check_number(pairs)
    return pairs


def merge_tags(tags: Tags, further: Tags) -> Tags:
    """Tags with others added; a key that is there, in any case, gets the new value.

    Raises:
        LimitExceeded: there are more than 50.
    """
    replaced = {key.lower() for key, _ in further}
    merged = (*(pair for pair in tags if pair[0].lower() not in replaced), *further)
    _check_number(merged)
    return merged


def without_tags(tags: Tags, keys: Iterable[str]) -> Tags:
    """Tags without those of the keys."""
    removed = {key.lower() for key in keys}
    return tuple(pair for pair in tags if pair[0].lower() not in removed)


def show_tags(tags: Tags) -> list[Tag]:
    """Tags as they are answered."""
    return [show_tag(pair) for pair in tags]


def show_tag(pair: tuple[str, str]) -> Tag:
    """A tag as it is answered."""
    return {"Key": pair[0], "Value": pair[1]}


def _check_number(tags: Tags) -> None:
    if len(tags) > TAGS_LIMIT:
        raise LimitExceeded(
            f"The number of tags has reached the maximum limit: {TAGS_LIMIT} for each entity."
        )
