"""The SQL/JSON path language: `lax $.a[*].b?(@.c > 1)`, `strict $.a[0 to 2].size()`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

_TOKEN = re.compile(
    r'\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>"(?:[^"\\]|\\.|"")*")|(?P<name>[A-Za-z_]\w*)'
    r"|(?P<sign>\.\*|\[|\]|\(|\)|\?|\.|,|\*|==|=|!=|<>|<=|>=|<|>|&&|\|\||!|@|\$|-))"
)


class PathError(ValueError):
    """A path is wrong, or a strict one doesn't fit its input."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a path: `member`, `members`, `elements`, `all`, `method` or `filter`."""

    kind: str
    argument: Any = None


@dataclass(slots=True)
class _Parser:
    text: str
    tokens: list[tuple[str, str]] = field(default_factory=list)
    at: int = 0

    def tokenize(self) -> None:
        position = 0
        while self.text[position:].strip():
            match = _TOKEN.match(self.text, position)
            if match is None:
                raise PathError(f"Invalid JSON path: {self.text}")
            kind = match.lastgroup or ""
            self.tokens.append((kind, match[kind]))
            position = match.end()

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, text: str) -> bool:
        if self.peek() == text and self.tokens[self.at][0] != "text":
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.take(text):
            raise PathError(f"Invalid JSON path: {self.text}")

    def next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise PathError(f"Invalid JSON path: {self.text}")
        self.at += 1
        return self.tokens[self.at - 1]

    def steps(self) -> list[Step]:
        made: list[Step] = []
        while self.peek() in {".", ".*", "[", "?"}:
            sign = self.next()[1]
            if sign == ".*":
                made.append(Step("members"))
            elif sign == ".":
                made.append(self.member())
            elif sign == "[":
                made.append(self.subscripts())
            else:
                self.expect("(")
                made.append(Step("filter", self.predicate()))
                self.expect(")")
        return made

    def member(self) -> Step:
        kind, text = self.next()
        if kind == "text":
            return Step("member", _unquoted(text))
        if kind != "name":
            raise PathError(f"Invalid JSON path: {self.text}")
        if self.take("("):
            self.expect(")")
            return Step("method", text)
        return Step("member", text)

    def subscripts(self) -> Step:
        if self.take("*"):
            self.expect("]")
            return Step("all")
        parts: list[tuple[Any, Any]] = []
        while True:
            first = self.index()
            last = self.index() if self.take("to") else first
            parts.append((first, last))
            if not self.take(","):
                break
        self.expect("]")
        return Step("elements", parts)

    def index(self) -> Any:
        if self.take("last"):
            if self.take("-"):
                return ("last", int(self.next()[1]))
            return ("last", 0)
        kind, text = self.next()
        if kind != "number" or "." in text:
            raise PathError(f"Invalid JSON path: {self.text}")
        return int(text)

    def predicate(self) -> Any:
        left = self.conjunction()
        while self.take("||"):
            left = ("or", left, self.conjunction())
        return left

    def conjunction(self) -> Any:
        left = self.condition()
        while self.take("&&"):
            left = ("and", left, self.condition())
        return left

    def condition(self) -> Any:
        if self.take("!"):
            self.expect("(")
            inner = self.predicate()
            self.expect(")")
            return ("not", inner)
        if self.take("("):
            inner = self.predicate()
            self.expect(")")
            return inner
        if self.take("exists"):
            self.expect("(")
            inner = self.operand()
            self.expect(")")
            return ("exists", inner)
        left = self.operand()
        if self.take("starts"):
            self.expect("with")
            return ("starts", left, self.operand())
        sign = self.next()[1]
        if sign not in _OPERATIONS:
            raise PathError(f"Invalid JSON path: {self.text}")
        return ("compare", sign, left, self.operand())

    def operand(self) -> Any:
        if self.take("@"):
            return ("path", "@", self.steps())
        if self.take("$"):
            return ("path", "$", self.steps())
        negative = self.take("-")
        kind, text = self.next()
        if kind == "number":
            number = float(text) if "." in text else int(text)
            return ("value", -number if negative else number)
        if kind == "text":
            return ("value", _unquoted(text))
        if text in {"true", "false", "null"}:
            return ("value", {"true": True, "false": False, "null": None}[text])
        raise PathError(f"Invalid JSON path: {self.text}")


def _unquoted(text: str) -> str:
    return re.sub(r'\\(.)|""', lambda m: m[1] or '"', text[1:-1])


@lru_cache(maxsize=512)
def parse(path: str) -> tuple[bool, tuple[Step, ...]]:
    """Whether a path is strict, and its steps.

    Raises:
        PathError: it is no path.
    """
    match = re.match(r"\s*(lax|strict)\b", path)
    body = path[match.end() :] if match else path
    parser = _Parser(body)
    parser.tokenize()
    parser.expect("$")
    steps = parser.steps()
    if parser.at != len(parser.tokens):
        raise PathError(f"Invalid JSON path: {path}")
    return bool(match and match[1] == "strict"), tuple(steps)


def evaluate(root: Any, path: str) -> list[Any]:
    """What a path finds, in order.

    Raises:
        PathError: it is wrong, or strict and doesn't fit.
    """
    strict, steps = parse(path)
    return _walk(root, [root], steps, strict)


def _walk(root: Any, items: list[Any], steps: Any, strict: bool) -> list[Any]:
    for step in steps:
        items = _STEPS[step.kind](root, items, step.argument, strict)
    return items


def _spread(items: list[Any], strict: bool) -> list[Any]:
    if strict:
        return items
    return [inner for item in items for inner in (item if isinstance(item, list) else [item])]


def _member(root: Any, items: list[Any], name: str, strict: bool) -> list[Any]:
    found = []
    for item in _spread(items, strict):
        if isinstance(item, dict) and name in item:
            found.append(item[name])
        elif strict:
            raise PathError(f"member not found: {name}")
    return found


def _members(root: Any, items: list[Any], _: Any, strict: bool) -> list[Any]:
    found: list[Any] = []
    for item in _spread(items, strict):
        if isinstance(item, dict):
            found.extend(item.values())
        elif strict:
            raise PathError("an object is expected")
    return found


def _all(root: Any, items: list[Any], _: Any, strict: bool) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if isinstance(item, list):
            found.extend(item)
        elif strict:
            raise PathError("an array is expected")
        else:
            found.append(item)
    return found


def _elements(root: Any, items: list[Any], parts: Any, strict: bool) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if not isinstance(item, list):
            if strict:
                raise PathError("an array is expected")
            item = [item]
        for first, last in parts:
            low, high = _number(first, len(item)), _number(last, len(item))
            if strict and not 0 <= low <= high < len(item):
                raise PathError("an array's subscript is out of bounds")
            found.extend(item[max(low, 0) : high + 1])
    return found


def _number(index: Any, length: int) -> int:
    return length - 1 - index[1] if isinstance(index, tuple) else index


def _method(root: Any, items: list[Any], name: str, strict: bool) -> list[Any]:
    match name:
        case "size":
            return [len(i) if isinstance(i, list) else 1 for i in items]
        case "type":
            return [_type_name(i) for i in _spread(items, True)]
        case "double":
            return [float(i) for i in _spread(items, strict)]
        case "abs":
            return [abs(i) for i in _spread(items, strict)]
        case "keyvalue":
            return [{"name": k, "value": v} for i in _spread(items, strict) for k, v in i.items()]
        case _:
            raise PathError(f"method {name}() is not supported")


def _type_name(item: Any) -> str:
    if item is None:
        return "null"
    names = (
        (bool, "boolean"),
        (int, "number"),
        (float, "number"),
        (str, "string"),
        (list, "array"),
    )
    return next((name for kind, name in names if isinstance(item, kind)), "object")


def _filter(root: Any, items: list[Any], condition: Any, strict: bool) -> list[Any]:
    return [i for i in _spread(items, strict) if _holds(root, i, condition, strict)]


def _holds(root: Any, item: Any, condition: Any, strict: bool) -> bool:
    match condition:
        case ("or", a, b):
            return _holds(root, item, a, strict) or _holds(root, item, b, strict)
        case ("and", a, b):
            return _holds(root, item, a, strict) and _holds(root, item, b, strict)
        case ("not", a):
            return not _holds(root, item, a, strict)
        case ("exists", a):
            return bool(_operand(root, item, a, strict))
        case ("starts", a, b):
            texts = _operand(root, item, a, strict)
            starts = _operand(root, item, b, strict)
            return any(
                isinstance(t, str) and isinstance(s, str) and t.startswith(s)
                for t in texts
                for s in starts
            )
        case ("compare", sign, a, b):
            lefts, rights = _operand(root, item, a, strict), _operand(root, item, b, strict)
            return any(
                _compare(sign, x, y)
                for x in _spread(lefts, strict)
                for y in _spread(rights, strict)
            )
    return False


def _operand(root: Any, item: Any, operand: Any, strict: bool) -> list[Any]:
    if operand[0] == "value":
        return [operand[1]]
    start = item if operand[1] == "@" else root
    try:
        return _walk(root, [start], operand[2], strict)
    except PathError:
        return []


_OPERATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _compare(sign: str, a: Any, b: Any) -> bool:
    if a is None or b is None or isinstance(a, bool) or isinstance(b, bool):
        if sign in {"==", "="}:
            return a is b
        return sign in {"!=", "<>"} and a is not b
    numbers = isinstance(a, int | float) and isinstance(b, int | float)
    if not numbers and not (isinstance(a, str) and isinstance(b, str)):
        return False
    return _OPERATIONS[sign](a, b)


_STEPS = {
    "member": _member,
    "members": _members,
    "all": _all,
    "elements": _elements,
    "method": _method,
    "filter": _filter,
}
