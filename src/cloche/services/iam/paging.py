"""Pages of listings: MaxItems and Marker."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, NotRequired, TypedDict, TypeVar

from cloche.core.errors import ValidationError

T = TypeVar("T")
R = TypeVar("R")

DEFAULT_PAGE_ITEMS = 100


class Position(TypedDict):
    """The members of an answer that say where its page ends."""

    IsTruncated: bool
    Marker: NotRequired[str]


class Page(NamedTuple):
    """A page of a listing."""

    items: list[Any]
    position: Position


def page(
    items: Iterable[T],
    request: Mapping[str, Any],
    key: Callable[[T], str],
    show: Callable[[T], R],
) -> Page:
    """The page of a listing that a request asks for.

    The marker names the last item given, so that what is added or deleted meanwhile neither
    repeats nor hides another.

    Args:
        items: all of the listing.
        request: with MaxItems and Marker.
        key: what the listing is ordered by, unique.
        show: an item as it is answered; only called for those on the page.

    Raises:
        ValidationError: the marker was not given by a former page.
    """
    limit = request.get("MaxItems", DEFAULT_PAGE_ITEMS)
    after = _read_marker(request.get("Marker"))
    ordered = sorted(items, key=key)
    rest = [item for item in ordered if after is None or key(item) > after]
    shown, is_truncated = rest[:limit], len(rest) > limit
    position = Position(IsTruncated=is_truncated)
    if is_truncated:
        position["Marker"] = base64.urlsafe_b64encode(key(shown[-1]).encode()).decode()
    return Page([show(item) for item in shown], position)


def _read_marker(marker: str | None) -> str | None:
    if marker is None:
        return None
    try:
        return base64.b64decode(marker, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise ValidationError("Invalid Marker.") from error
