"""Functions of texts: URLs, normal forms, stems, sounds, durations."""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from urllib.parse import quote_plus, unquote_plus, urlsplit

from cloche.engines.sql.duckdb_functions.failures import invalid
from cloche.engines.sql.duckdb_functions.stemming import stem

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ns|us|ms|s|m|h|d)\s*")
_MICROSECONDS = {
    "ns": Decimal("0.001"),
    "us": Decimal(1),
    "ms": Decimal(1000),
    "s": Decimal(1_000_000),
    "m": Decimal(60_000_000),
    "h": Decimal(3_600_000_000),
    "d": Decimal(86_400_000_000),
}
_SOUNDS = {
    c: d
    for d, cs in zip("123456", ("BFPV", "CGJKQSXZ", "DT", "L", "MN", "R"), strict=True)
    for c in cs
}


def _url_encode(text: str) -> str:
    return quote_plus(text, safe="*-._").replace("~", "%7E")


def _url_part(text: str, part: str) -> str | None:
    try:
        found = urlsplit(text)
        port = found.port
    except ValueError:
        return None
    if any(c in text for c in ' <>"{}|\\^`'):
        return None
    if part == "port":
        return None if port is None else str(port)
    if part == "host":
        match = re.fullmatch(r"(?:.*@)?(\[[^\]]*\]|[^:]*)(?::\d*)?", found.netloc)
        return (match[1] if match else None) or None
    made = {
        "protocol": found.scheme,
        "path": unquote_path(found.path),
        "query": found.query,
        "fragment": found.fragment,
    }[part]
    if part in {"protocol", "query", "fragment", "path"}:
        return made
    return made or None


def unquote_path(text: str) -> str:
    """A path with its escapes resolved, as Java's URI gives it."""
    return unquote_plus(text.replace("+", "%2B"))


def _url_parameter(text: str, name: str) -> str | None:
    try:
        query = urlsplit(text).query
    except ValueError:
        return None
    for part in query.split("&"):
        key, equals, value = part.partition("=")
        if key == name:
            return unquote_plus(value.replace("+", "%2B")) if equals else ""
    return None


def _url_decode(text: str) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise invalid("URLDecoder: Illegal hex characters in escape (%) pattern")
    return unquote_plus(text)


def _normalize(text: str, form: str) -> str:
    return unicodedata.normalize(form, text)  # pyright: ignore[reportArgumentType]


def _soundex(text: str) -> str:
    letters = [c for c in text.upper() if c.isalpha()]
    if any(not c.isascii() for c in letters):
        raise invalid(f"The character is not mapped: {text}")
    if not letters:
        return ""
    made, before = letters[0], _SOUNDS.get(letters[0], "")
    for letter in letters[1:]:
        code = _SOUNDS.get(letter, "")
        if code and code != before:
            made += code
        if letter not in "HW":
            before = code
    return (made + "000")[:4]


def _luhn(text: str) -> bool:
    if not text.isdigit():
        raise invalid("Input must contain digits only")
    total = 0
    for index, digit in enumerate(reversed(text)):
        number = int(digit) * (1 + index % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def _duration(text: str) -> int:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise invalid(f"duration is not a valid data duration string: {text}")
    milliseconds = Decimal(match[1]) * _MICROSECONDS[match[2]] / 1000
    return int(milliseconds.to_integral_value(ROUND_HALF_UP)) * 1000


def _human_seconds(seconds: float) -> str:
    left = round(abs(seconds))
    parts = []
    for name, size in (("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}{'s' if count != 1 else ''}")
    if left or not parts:
        parts.append(f"{left} second{'s' if left != 1 else ''}")
    return ", ".join(parts)


def _format_number(number: float) -> str:
    size, unit = Decimal(repr(number)), ""
    for unit in ("", "K", "M", "B", "T", "Q"):
        if abs(size) < 1000:
            break
        if unit != "Q":
            size /= 1000
    digits = 2 if abs(size) < 10 else 1 if abs(size) < 100 else 0
    text = f"{size.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + unit


def _translate(text: str, source: str, target: str) -> str:
    table: dict[int, str | None] = {}
    for index, character in enumerate(source):
        table.setdefault(ord(character), target[index] if index < len(target) else None)
    return text.translate(table)


FUNCTIONS = {
    "py_url_encode": (_url_encode, ["VARCHAR"], "VARCHAR"),
    "py_url_decode": (_url_decode, ["VARCHAR"], "VARCHAR"),
    "py_url_part": (_url_part, ["VARCHAR", "VARCHAR"], "VARCHAR"),
    "py_url_parameter": (_url_parameter, ["VARCHAR", "VARCHAR"], "VARCHAR"),
    "py_normalize": (_normalize, ["VARCHAR", "VARCHAR"], "VARCHAR"),
    "py_soundex": (_soundex, ["VARCHAR"], "VARCHAR"),
    "py_luhn": (_luhn, ["VARCHAR"], "BOOLEAN"),
    "py_word_stem": (stem, ["VARCHAR"], "VARCHAR"),
    "py_parse_duration": (_duration, ["VARCHAR"], "BIGINT"),
    "py_human_seconds": (_human_seconds, ["DOUBLE"], "VARCHAR"),
    "py_format_number": (_format_number, ["DOUBLE"], "VARCHAR"),
    "py_translate": (_translate, ["VARCHAR", "VARCHAR", "VARCHAR"], "VARCHAR"),
}
