"""AWS's Signature Version 4 test suite (`../shared/vectors/sigv4`, see its NOTICE)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from cloche.core.errors import AWSError
from cloche.gateway.http.messages import Request
from cloche.gateway.signing import Parsed, check, parse
from cloche.gateway.signing.canonical import string_to_sign
from tests.gateway.signing.requests import ACCESS_KEY_ID, Key, Pieces, clock_at, digest

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "sigv4"

SIGNED_BEFORE_TOKEN = "get-vanilla-with-session-token"
"""Its signature is that of get-vanilla, made before the token was added, while its canonical
request holds the token: AWS's own post-sts-header-before shows that such a request is wrong."""

TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfI"
    "eoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0"
    "wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDry"
    "pNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)


class Message(NamedTuple):
    request: Request
    body: bytes


def cases() -> list[Path]:
    if not VECTORS.is_dir():
        return []
    return sorted(path.with_suffix("") for path in VECTORS.rglob("*.sreq"))


CASES = [pytest.param(path, id=path.name) for path in cases()]
if not CASES:
    pytest.skip(f"no vectors in {VECTORS}", allow_module_level=True)


def read_message(raw: bytes) -> Message:
    """Read a request as an HTTP/1.1 server does, folded and repeated headers included."""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, rest = first.partition(b" ")
    target = rest.rpartition(b" ")[0].decode("latin-1")
    path, _, query = target.partition("?")
    headers: dict[str, str] = {}
    name = ""
    for line in lines:
        text = line.decode("utf-8", "surrogateescape")
        if text.startswith(" "):
            headers[name] += text
            continue
        name, _, value = text.partition(":")
        name = name.lower()
        value = value.strip()
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return Message(Request(method.decode("latin-1"), path, query, headers, Pieces([body])), body)


def accepts(raw: bytes, key: Key) -> Parsed | None:
    """Whether a message is accepted; None for an anonymous one, which is as good as refused."""
    request, body = read_message(raw)
    parsed = parse(request)
    if parsed is None or parsed.access_key_id != ACCESS_KEY_ID:
        return None
    check(parsed, key, clock_at(), body_sha256=digest(body))
    return parsed


@pytest.mark.parametrize("case", CASES)
def test_canonical_request_and_string_to_sign_are_those_of_the_vector(case: Path) -> None:
    request, body = read_message(case.with_suffix(".sreq").read_bytes())
    parsed = parse(request)
    assert parsed is not None
    key = Key(session_token=request.headers.get("x-amz-security-token"))
    if case.name == SIGNED_BEFORE_TOKEN:
        with pytest.raises(AWSError) as refused:
            check(parsed, key, clock_at(), body_sha256=digest(body))
        members = refused.value.message
        assert case.with_suffix(".creq").read_text() in members
        assert case.with_suffix(".sts").read_text() in members
        return
    verified = check(parsed, key, clock_at(), body_sha256=digest(body))
    assert verified.canonical_request == case.with_suffix(".creq").read_bytes()
    text = string_to_sign(verified.timestamp, verified.scope, verified.canonical_request)
    assert text == case.with_suffix(".sts").read_text()
    assert case.with_suffix(".authz").read_text().endswith(f"Signature={verified.signature}")


def test_all_cases_of_the_suite_are_there() -> None:
    assert len(CASES) == 34


@pytest.mark.parametrize("case", [case for case in CASES if case.id != SIGNED_BEFORE_TOKEN])
def test_a_message_with_any_byte_changed_is_refused(case: Path) -> None:
    raw = case.with_suffix(".sreq").read_bytes()
    key = Key(session_token=TOKEN if TOKEN.encode() in raw else None)
    assert accepts(raw, key) is not None
    for index, byte in enumerate(raw):
        if index in bytes_without_meaning(raw):
            continue
        other = b"z" if byte == ord("q") else b"q"
        changed = raw[:index] + other + raw[index + 1 :]
        try:
            assert accepts(changed, key) is None, (index, changed)
        except AWSError:
            continue


def bytes_without_meaning(raw: bytes) -> range:
    """The protocol's version, which is not signed, and segments that a `..` takes out of a path."""
    version = raw.index(b" HTTP/1.1")
    dots = raw.find(b"..", 0, version)
    return range(version if dots < 0 else raw.index(b"/"), version + len(b" HTTP/1.1\n"))
