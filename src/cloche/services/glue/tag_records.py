"""What is kept of tags: one document for each tagged resource, by its ARN.

A resource can be tagged if its type is in `taggable`, where the modules of the types put what
tells whether a resource is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cloche.core.documents import Reader, Table, Transaction
from cloche.services.glue.errors import InvalidInputException

TAGS_LIMIT = 50

Exists = Callable[[Reader, str, str, str], bool]
"""Whether a resource is there, by account, region and the part of the ARN after the type."""

taggable: dict[str, Exists] = {}

tags = Table("glue.tags", dict[str, str])


def checked(given: Mapping[str, str]) -> dict[str, str]:
    """Tags as they may be set.

    Raises:
        InvalidInputException: they are too many, or AWS keeps a key to itself.
    """
    if len(given) > TAGS_LIMIT:
        raise InvalidInputException(f"A resource can have at most {TAGS_LIMIT} tags.")
    for key, value in given.items():
        if key.lower().startswith("aws:"):
            raise InvalidInputException(f"The tag key {key} begins with aws:, which is reserved.")
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise InvalidInputException(f"The tag {key[:128]} is too long.")
    return dict(given)


def tag_in(
    tx: Transaction, account: str, region: str, resource_arn: str, given: Mapping[str, str]
) -> None:
    """Set the tags of a resource that a transaction makes."""
    if given:
        tx.put(tags, account, region, resource_arn, dict(given))


def forget_in(tx: Transaction, account: str, region: str, resource_arn: str) -> None:
    """Forget the tags of a resource that a transaction drops."""
    tx.delete(tags, account, region, resource_arn)
