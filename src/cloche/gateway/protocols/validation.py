"""Requests against the constraints of the model: required, length, range, pattern, enum.

One compiled check for each operation, which finds all that is wrong and says it in AWS's words.
S3's operations check for themselves and are not touched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from cloche.core.errors import AWSError, ValidationError, ValidationException
from cloche.gateway.protocols.constraints import Constraint, compile_test, constraints_of
from cloche.gateway.protocols.shapes import ProtocolName, Shape, operation_traits

MAXIMUM_FAILURES = 10
"""How many of its failures a message names."""
MAXIMUM_VALUE_CHARACTERS = 2048
"""How much of a value a message repeats."""

Validator = Callable[[Mapping[str, Any]], None]

_Path = tuple[Any, str | int] | None
"""The way to a value, from its end: the rest of it and the last name or number."""
_Failures = list[str]
_Check = Callable[[Any, _Path, _Failures], None]


class InvalidParameterException(AWSError):
    """The request breaks a constraint of the model (some JSON services)."""


class InvalidRequestException(AWSError):
    """The request breaks a constraint of the model (some REST services)."""


_ERRORS: dict[str, type[AWSError]] = {
    "cognito-identity": InvalidParameterException,
    "cognito-idp": InvalidParameterException,
    "ecr": InvalidParameterException,
    "ecs": InvalidParameterException,
    "iot": InvalidRequestException,
    "logs": InvalidParameterException,
}


def compile_validator(operation_model: Any, protocol: ProtocolName) -> Validator | None:
    """Compile the checks of a `botocore.model.OperationModel`; None if there is nothing to check.

    The function raises the service's error for invalid requests: ValidationException,
    ValidationError for the query services, or what `_ERRORS` names.
    """
    operation = operation_traits(operation_model)
    if operation.service.is_s3 or operation.input is None:
        return None
    check = _Compiler().structure(operation.input)
    if check is None:
        return None
    default = ValidationError if protocol in ("query", "ec2") else ValidationException
    error = _ERRORS.get(operation.service.name, default)

    def validate(request: Mapping[str, Any]) -> None:
        failures: _Failures = []
        check(request, None, failures)
        if failures:
            raise error(_message(failures))

    return validate


def _message(failures: _Failures) -> str:
    count = len(failures)
    noun = "error" if count == 1 else "errors"
    return f"{count} validation {noun} detected: {'; '.join(failures[:MAXIMUM_FAILURES])}"


class _Compiler:
    """Compiles checks; None for a shape that has nothing to check."""

    def __init__(self) -> None:
        self._structures: dict[str, _Check | None] = {}

    def compile(self, shape: Shape) -> _Check | None:
        if shape.is_streaming or shape.is_event_stream or shape.is_document:
            return None
        if shape.kind == "structure":
            return self._shared_structure(shape)
        own = _own_check(shape)
        if shape.kind == "list":
            return _list_check(shape, own, self._item(shape.element))
        if shape.kind == "map":
            return _map_check(shape, own, self._item(shape.value))
        return own

    def _item(self, shape: Shape) -> _Check | None:
        """The check of an entry that has names of its own; others are the list's affair."""
        return self.compile(shape) if shape.kind in ("structure", "list", "map") else None

    def _shared_structure(self, shape: Shape) -> _Check | None:
        structures = self._structures
        name = shape.name
        if name not in structures:
            # What recurs is checked through the table, where the finished check will stand.
            structures[name] = lambda value, path, failures: _run(
                structures[name], value, path, failures
            )
            structures[name] = self.structure(shape)
        return structures[name]

    def structure(self, shape: Shape) -> _Check | None:
        required = [
            name
            for name in cast("list[str]", shape.traits.get("required", []))
            if name in shape.members and not shape.members[name].is_streaming
        ]
        checks: dict[str, tuple[str, _Check]] = {}
        for name, member in shape.members.items():
            check = self.compile(member)
            if check is not None:
                checks[name] = (_lower_camel(name), check)
        if not required and not checks:
            return None
        return _structure_check(required, checks)


def _run(check: _Check | None, value: Any, path: _Path, failures: _Failures) -> None:
    if check is not None:
        check(value, path, failures)


def _structure_check(required: list[str], checks: dict[str, tuple[str, _Check]]) -> _Check:
    find = checks.get

    def check(value: Any, path: _Path, failures: _Failures) -> None:
        for name in required:
            if name not in value or value[name] is None:
                where = _where((path, _lower_camel(name)))
                failures.append(
                    f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
                )
        for name, item in value.items():
            found = find(name)
            if found is not None and item is not None:
                found[1](item, (path, found[0]), failures)

    return check


def _own_check(shape: Shape) -> _Check | None:
    constraints = constraints_of(shape)
    if not constraints:
        return None
    satisfies_all = compile_test(shape, constraints)

    def check(value: Any, path: _Path, failures: _Failures) -> None:
        if satisfies_all(value):
            return
        for constraint in constraints:
            if not constraint.is_satisfied(value):
                failures.append(_failure(shape, value, path, constraint.text))

    return check


def _list_check(shape: Shape, own: _Check | None, nested: _Check | None) -> _Check | None:
    constraints = [] if nested else constraints_of(shape.element)
    if own is None and nested is None and not constraints:
        return None
    text = f"Member must satisfy constraint: [{_texts(constraints)}]"

    def check(value: Any, path: _Path, failures: _Failures) -> None:
        if own is not None:
            own(value, path, failures)
        if nested is not None:
            for index, item in enumerate(value, 1):
                if item is not None:
                    nested(item, ((path, index), "member"), failures)
        elif not _all_satisfy(value, constraints):
            failures.append(_failure(shape, value, path, text))

    return check


def _map_check(shape: Shape, own: _Check | None, nested: _Check | None) -> _Check | None:
    keys = constraints_of(shape.key)
    values = [] if nested else constraints_of(shape.value)
    if own is None and nested is None and not keys and not values:
        return None
    parts = (("Map keys", keys), ("Map value", values))
    texts = [f"{part} must satisfy constraint: [{_texts(found)}]" for part, found in parts]

    def check(value: Any, path: _Path, failures: _Failures) -> None:
        if own is not None:
            own(value, path, failures)
        if not _all_satisfy(value, keys):
            failures.append(_failure(shape, value, path, texts[0]))
        if not _all_satisfy(value.values(), values):
            failures.append(_failure(shape, value, path, texts[1]))
        if nested is not None:
            for key, item in value.items():
                if item is not None:
                    nested(item, ((path, key), "member"), failures)

    return check


def _all_satisfy(items: Any, constraints: list[Constraint]) -> bool:
    return all(
        constraint.is_satisfied(item)
        for constraint in constraints
        for item in items
        if item is not None
    )


def _texts(constraints: list[Constraint]) -> str:
    return ", ".join(constraint.text for constraint in constraints)


def _hides(shape: Shape, seen: set[str]) -> bool:
    """Whether there is anything sensitive in a shape's values."""
    if shape.traits.get("sensitive"):
        return True
    if shape.kind == "list":
        return _hides(shape.element, seen)
    if shape.kind == "map":
        return _hides(shape.key, seen) or _hides(shape.value, seen)
    if shape.kind != "structure" or shape.name in seen:
        return False
    seen.add(shape.name)
    return any(_hides(member, seen) for member in shape.members.values())


def _failure(shape: Shape, value: Any, path: _Path, constraint: str) -> str:
    shown = "" if _hides(shape, set()) else f" '{_render(value)[:MAXIMUM_VALUE_CHARACTERS]}'"
    return f"Value{shown} at '{_where(path)}' failed to satisfy constraint: {constraint}"


def _where(path: _Path) -> str:
    names: list[str] = []
    while path is not None:
        path, name = path
        names.append(str(name))
    return ".".join(reversed(names))


def _lower_camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _render(value: Any) -> str:
    """A value as AWS's messages, which are Java's, show it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        length = len(value)
        return f"java.nio.HeapByteBuffer[pos=0 lim={length} cap={length}]"
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value).items()
        return "{" + ", ".join(f"{key}={_render(item)}" for key, item in entries) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_render(item) for item in cast("list[Any]", value)) + "]"
    return str(value)
