"""Names of documents: made of any texts, safe, and in the order of those texts.

Parts are put together by a character that sorts before all others, so that all names of a prefix
follow each other, ordered part by part.
"""

from __future__ import annotations

import hashlib

from cloche.core.tables import NAME_LIMIT_BYTES
from cloche.services.glue.errors import InvalidInputException

SEPARATOR = "\x01"
_ESCAPE = "\x02"
_ESCAPED = str.maketrans({"\x00": f"{_ESCAPE}a", SEPARATOR: f"{_ESCAPE}b", _ESCAPE: f"{_ESCAPE}c"})
_DIGEST = f"{_ESCAPE}z"
_KEPT_BYTES = NAME_LIMIT_BYTES - 128


def folded(name: str) -> str:
    """A name of a database or table as Glue keeps it."""
    return name.lower()


def key_of(*parts: str) -> str:
    """The name of the document of these parts.

    What is too long for a name keeps its beginning, and a digest tells it from others.

    Raises:
        InvalidInputException: a part is no Unicode text.
    """
    key, encoded = _joined(parts)
    if len(encoded) <= _KEPT_BYTES:
        return key
    return f"{_kept(encoded)}{_DIGEST}{hashlib.sha256(encoded).hexdigest()}"


def prefix_of(*parts: str) -> str:
    """What the names of all documents that have these parts and more begin with.

    Others begin with it only where the parts are too long for a name.

    Raises:
        InvalidInputException: a part is no Unicode text.
    """
    return _kept(_joined((*parts, ""))[1])


def _joined(parts: tuple[str, ...]) -> tuple[str, bytes]:
    key = SEPARATOR.join(part.translate(_ESCAPED) for part in parts)
    try:
        return key, key.encode()
    except UnicodeEncodeError:
        raise InvalidInputException("A name or value is not valid Unicode.") from None


def _kept(encoded: bytes) -> str:
    return encoded[:_KEPT_BYTES].decode(errors="ignore")
