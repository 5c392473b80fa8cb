"""`requestParameters` and `responseElements` as CloudTrail writes them.

Member names begin in lower case, secrets are masked, bodies and other binary members are left out,
times are written as AWS's Java services write them. S3 is the exception that it is in AWS: query
and header parameters keep their wire names, `Bucket` is `bucketName`, nested members keep theirs.
What depends on the model is worked
out once for each shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeGuard, cast

if TYPE_CHECKING:
    from botocore.model import Shape

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"

_SECRET_MEMBERS = frozenset(
    {
        "AuthToken", "ClientSecret", "MasterUserPassword", "NewPassword", "OldPassword", "Password",
        "PrivateKey", "SAMLAssertion", "SecretAccessKey", "SecretBinary", "SecretString",
        "SessionToken", "TokenCode", "WebIdentityToken",
    }
)  # fmt: skip
_S3_NAMES = {"Bucket": "bucketName", "Key": "key"}
_S3_WIRE_LOCATIONS = frozenset({"header", "querystring"})
_DEEPEST = 30

Render = Callable[[Any, int], Any]
"""Turns a value at a depth into one that JSON can hold, or into `_LEFT_OUT`."""


RenderParameters = Callable[[Mapping[str, Any]], "dict[str, Any] | None"]
"""Makes of an operation's input or output what CloudTrail has; None where there is nothing."""


def _is_mapping(value: Any) -> TypeGuard[Mapping[str, Any]]:
    return type(value) is dict or isinstance(value, Mapping)


class _LeftOut:
    """The type of what does not appear in an event."""


_LEFT_OUT = _LeftOut()


class ServiceParameters:
    """Renders inputs and outputs of one service's operations."""

    def __init__(self, service: str) -> None:
        self._is_s3 = service == "s3"
        self._structures: dict[str, Render] = {}

    def renderer(self, shape: Shape | None) -> RenderParameters:
        """What renders inputs or outputs of a shape."""
        render = _any if shape is None else self._of(shape)
        return lambda value: (render(value, 0) or None) if value else None

    def _of(self, shape: Any) -> Render:
        if shape.metadata.get("sensitive"):
            return _hidden
        match shape.type_name:
            case "structure":
                return self._structures.get(shape.name) or self._structure(shape)
            case "list":
                return _list(self._of(shape.member))
            case "map":
                return _map(self._of(shape.value))
            case "blob":
                return _left_out
            case "timestamp":
                return _timestamp
            case _:
                return _scalar

    def _structure(self, shape: Any) -> Render:
        members: dict[str, tuple[str, Render]] = {}

        def render(value: Any, depth: int) -> Any:
            if depth > _DEEPEST or not _is_mapping(value):
                return _LEFT_OUT
            depth += 1
            shown: dict[str, Any] = {}
            for name, member in value.items():
                known = members.get(name)
                if known is not None and member is not None:
                    rendered = known[1](member, depth)
                    if rendered is not _LEFT_OUT:
                        shown[known[0]] = rendered
            return shown

        # Known before its members are looked at: a shape may hold itself.
        self._structures[shape.name] = render
        for name, member in shape.members.items():
            render_member = _hidden if name in _SECRET_MEMBERS else self._of(member)
            members[name] = (self._name(name, member), render_member)
        return render

    def _name(self, name: str, member: Shape) -> str:
        if not self._is_s3:
            return lower_first(name)
        if name in _S3_NAMES:
            return _S3_NAMES[name]
        on_wire = member.serialization.get("location") in _S3_WIRE_LOCATIONS
        return member.serialization.get("name", name) if on_wire else name


def lower_first(name: str) -> str:
    """`UserName` → `userName`, `DBInstanceIdentifier` → `dBInstanceIdentifier`, as CloudTrail."""
    return name[:1].lower() + name[1:]


def _hidden(value: Any, depth: int) -> Any:
    return HIDDEN


def _left_out(value: Any, depth: int) -> Any:
    return _LEFT_OUT


def _scalar(value: Any, depth: int) -> Any:
    return value if type(value) is str or type(value) is int else _any(value, depth)


def _timestamp(value: Any, depth: int) -> Any:
    if not isinstance(value, datetime):
        return _scalar(value, depth)
    hour = value.hour % 12 or 12
    return f"{value:%b} {value.day}, {value.year}, {hour}:{value:%M:%S %p}"


def _list(member: Render) -> Render:
    def render(value: Any, depth: int) -> Any:
        if depth > _DEEPEST or isinstance(value, str) or not isinstance(value, Sequence):
            return _LEFT_OUT
        rendered = [member(item, depth + 1) for item in cast("Sequence[Any]", value)]
        return [item for item in rendered if item is not _LEFT_OUT]

    return render


def _map(member: Render) -> Render:
    def render(value: Any, depth: int) -> Any:
        if depth > _DEEPEST or not _is_mapping(value):
            return _LEFT_OUT
        rendered = {
            str(name): HIDDEN if _names_secret(name) else member(item, depth + 1)
            for name, item in value.items()
        }
        return {name: item for name, item in rendered.items() if item is not _LEFT_OUT}

    return render


def _names_secret(key: Any) -> bool:
    """Whether a map's key says that its value is a password (a Glue connection's properties)."""
    return str(key).upper().endswith("PASSWORD")


def _any(value: Any, depth: int) -> Any:
    """A value of which the model says nothing: an operation without a model, a document type."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime):
        return _timestamp(value, depth)
    if _is_mapping(value):
        return _any_mapping(value, depth)
    if isinstance(value, list | tuple):
        return _list(_any)(value, depth)
    return _LEFT_OUT


def _any_mapping(value: Mapping[str, Any], depth: int) -> Any:
    if depth > _DEEPEST:
        return _LEFT_OUT
    shown: dict[str, Any] = {}
    for name, member in value.items():
        rendered = HIDDEN if name in _SECRET_MEMBERS else _any(member, depth + 1)
        if rendered is not _LEFT_OUT and rendered is not None:
            shown[lower_first(str(name))] = rendered
    return shown
