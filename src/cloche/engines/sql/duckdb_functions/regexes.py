"""Java's regular expressions where DuckDB's engine (RE2) lacks something.

That is look-around, back-references, possessive quantifiers, groups that took no part.
"""

from __future__ import annotations

from functools import lru_cache

import regex

from cloche.engines.sql.duckdb_functions.failures import invalid


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> regex.Pattern[str]:
    try:
        return regex.compile(
            pattern.replace(r"\Z", r"(?=\n?\z)").replace(r"\z", r"\Z"),
            # Classes that intersect, as in [a-z&&[^b]], are the second version's.
            (regex.VERSION1 if "&&" in pattern else regex.VERSION0) | regex.ASCII,
        )
    except regex.error as error:
        raise invalid(f"Invalid regular expression: {error}") from None


def _extract(text: str, pattern: str, group: int) -> str | None:
    compiled = _compiled(pattern)
    if not 0 <= group <= compiled.groups:
        raise invalid(f"Pattern has {compiled.groups} groups. Cannot access group {group}")
    found = compiled.search(text)
    return found.group(group) if found else None


def _extract_all(text: str, pattern: str, group: int) -> list[str | None]:
    compiled = _compiled(pattern)
    if not 0 <= group <= compiled.groups:
        raise invalid(f"Pattern has {compiled.groups} groups. Cannot access group {group}")
    return [found.group(group) for found in compiled.finditer(text)]


def _replace(text: str, pattern: str, replacement: str) -> str:
    return _compiled(pattern).sub(lambda found: _expanded(found, replacement), text)


def _expanded(found: regex.Match[str], replacement: str) -> str:
    made, at = "", 0
    while at < len(replacement):
        character = replacement[at]
        at += 1
        if character == "\\" and at < len(replacement):
            made += replacement[at]
            at += 1
        elif character == "$":
            name = regex.match(r"\{(\w+)\}|(\d)", replacement[at:])
            if name is None:
                raise invalid("Illegal replacement sequence: illegal group reference")
            at += name.end()
            reference = name[1] or int(name[2])
            try:
                made += found.group(reference) or ""
            except IndexError:
                raise invalid(f"Illegal replacement sequence: unknown group {reference}") from None
        else:
            made += character
    return made


def _split(text: str, pattern: str) -> list[str]:
    parts, at = [], 0
    for found in _compiled(pattern).finditer(text):
        parts.append(text[at : found.start()])
        at = found.end()
    return [*parts, text[at:]]


def _position(text: str, pattern: str, start: int, occurrence: int) -> int:
    if start < 1:
        raise invalid("start position cannot be smaller than 1")
    if occurrence < 1:
        raise invalid("occurrence cannot be smaller than 1")
    for index, found in enumerate(_compiled(pattern).finditer(text, start - 1)):
        if index + 1 == occurrence:
            return found.start() + 1
    return -1


FUNCTIONS = {
    "py_regexp_like": (
        lambda s, p: _compiled(p).search(s) is not None,
        ["VARCHAR", "VARCHAR"],
        "BOOLEAN",
    ),
    "py_regexp_extract": (_extract, ["VARCHAR", "VARCHAR", "BIGINT"], "VARCHAR"),
    "py_regexp_extract_all": (_extract_all, ["VARCHAR", "VARCHAR", "BIGINT"], "VARCHAR[]"),
    "py_regexp_replace": (_replace, ["VARCHAR", "VARCHAR", "VARCHAR"], "VARCHAR"),
    "py_regexp_split": (_split, ["VARCHAR", "VARCHAR"], "VARCHAR[]"),
    "py_regexp_count": (
        lambda s, p: len(_compiled(p).findall(s)),
        ["VARCHAR", "VARCHAR"],
        "BIGINT",
    ),
    "py_regexp_position": (_position, ["VARCHAR", "VARCHAR", "BIGINT", "BIGINT"], "BIGINT"),
}
