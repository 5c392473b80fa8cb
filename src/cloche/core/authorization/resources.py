"""ARNs of what a request acts on, from an operation's `resource`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from string import Formatter
from typing import Any, cast

from cloche.core.operations import Call, Operation


def resources_of(call: Call, operation: Operation, request: Mapping[str, Any]) -> list[str]:
    """The ARNs that a call must be allowed on; `*` for an operation without a resource.

    A member that the request lacks stands as `*`, a list gives an ARN for each of its items, and
    where a request gives the ARN itself in place of the name, that ARN is the resource.
    """
    resource = operation.resource
    if resource is None:
        return ["*"]
    if not isinstance(resource, str):
        return resource(call, request) or ["*"]
    return _render(_pieces(resource), call, request)


@lru_cache(maxsize=8192)
def _pieces(template: str) -> tuple[tuple[str, str | None], ...]:
    return tuple((text, name) for text, name, _, _ in Formatter().parse(template))


def _render(
    pieces: tuple[tuple[str, str | None], ...], call: Call, request: Mapping[str, Any]
) -> list[str]:
    rendered = [""]
    for text, name in pieces:
        values = [] if name is None else _values(name, call, request)
        given = [value for value in values if value.startswith("arn:")]
        if given:
            return given
        rendered = [
            f"{start}{text}{value}" for start in rendered for value in (values if name else [""])
        ]
    return rendered


def _values(name: str, call: Call, request: Mapping[str, Any]) -> list[str]:
    if name == "partition":
        return ["aws"]
    if name == "account":
        return [call.account_id]
    if name == "region":
        return [call.region]
    value: Any = request.get(name)
    if isinstance(value, list):
        return [str(item) for item in cast("list[Any]", value)] or ["*"]
    return ["*" if value is None else str(value)]
