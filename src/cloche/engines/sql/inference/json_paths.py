"""JsonPath as far as Glue's classifiers know it: `$`, names, numbers and `*`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

_STEP = re.compile(
    r"""\.(?P<name>[^.\[\]'"*\s]+)
      | \.(?P<any>\*)
      | \[\s*(?P<anything>\*)\s*\]
      | \[\s*(?P<numbers>\d+(\s*,\s*\d+)*)\s*\]
      | \[\s*(?P<names>(?:'[^']*'|"[^"]*")(\s*,\s*(?:'[^']*'|"[^"]*"))*)\s*\]""",
    re.VERBOSE,
)
_NAME = re.compile(r"'([^']*)'|\"([^\"]*)\"")

Step = tuple[str, ...] | tuple[int, ...] | None
"""Names, places in an array, or None for all."""


class NotAJsonPath(ValueError):
    """A text is no JsonPath, or one that Glue does not know."""


class JsonPath(msgspec.Struct, frozen=True):
    """A path to the records in a JSON document.

    Attributes:
        text: as it was given.
    """

    text: str
    steps: tuple[Step, ...]

    @property
    def begins_with_elements(self) -> bool:
        """Whether its first step leads to all elements of the array at the top."""
        return bool(self.steps) and self.steps[0] is None

    @property
    def last_name(self) -> str:
        """What a column of values is called that are no objects."""
        for step in reversed(self.steps):
            if step and isinstance(step[0], str):
                return step[0]
        return "array"

    def without_first_step(self) -> JsonPath:
        """The path seen from where the first step leads."""
        return JsonPath(self.text, self.steps[1:])

    def select(self, document: Any) -> Iterator[Any]:
        """What it leads to in a document; an array that it ends at counts as its elements."""
        found: list[Any] = [document]
        for step in self.steps:
            found = [each for value in found for each in _children(value, step)]
        for value in found:
            if isinstance(value, list):
                yield from value
            else:
                yield value


def parse_json_path(text: str) -> JsonPath:
    """A path as a classifier has it.

    Raises:
        NotAJsonPath: it is none.
    """
    if not text.startswith("$"):
        raise NotAJsonPath(f"JsonPath must begin with $: {text}")
    steps: list[Step] = []
    at = 1
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise NotAJsonPath(f"JsonPath is not valid at {text[at:]}: {text}")
        steps.append(_step(match))
        at = match.end()
    return JsonPath(text, tuple(steps))


def _step(match: re.Match[str]) -> Step:
    if match["name"] is not None:
        return (match["name"],)
    if match["numbers"] is not None:
        return tuple(int(number) for number in match["numbers"].split(","))
    if match["names"] is not None:
        return tuple(single or double for single, double in _NAME.findall(match["names"]))
    return None


def _children(value: Any, step: Step) -> Iterable[Any]:
    if step is None:
        if isinstance(value, dict):
            return list(value.values())
        return value if isinstance(value, list) else []
    if isinstance(value, dict):
        return [value[name] for name in step if name in value]
    if isinstance(value, list):
        return [value[at] for at in step if isinstance(at, int) and at < len(value)]
    return []
