from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloche.gateway.signing.canonical import (
    canonical_headers,
    canonical_path,
    canonical_query,
    printable,
)

BYTES_AS_TEXT = st.text(st.characters(max_codepoint=255))


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("", "/"),
        ("/", "/"),
        ("/bucket//a/../b/./c", "/bucket//a/../b/./c"),
        ("/bucket/a%20b%2Fc%C3%A9", "/bucket/a%20b%2Fc%C3%A9"),
        ("/bucket/a%2fb", "/bucket/a%2Fb"),
        ("/bucket/%61=b+c", "/bucket/a%3Db%2Bc"),
        ("/bucket/100%", "/bucket/100%25"),
        ("/bucket/é".encode().decode("latin-1"), "/bucket/%C3%A9"),
    ],
)
def test_s3_signs_the_path_as_it_is_sent(raw: str, canonical: str) -> None:
    assert canonical_path(raw, is_s3=True) == canonical


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("//a//b/", "/a/b/"),
        ("/a/./b/..", "/a"),
        ("/../..", "/"),
        (
            "/functions/arn%3Aaws%3Alambda/invocations",
            "/functions/arn%253Aaws%253Alambda/invocations",
        ),
        ("/tags/a:b", "/tags/a%3Ab"),
        ("/.hidden", "/.hidden"),
    ],
)
def test_other_services_sign_the_path_normalised_and_encoded_again(
    raw: str, canonical: str
) -> None:
    assert canonical_path(raw, is_s3=False) == canonical


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("acl", "acl="),
        ("b=2&a=1&b=1&b", "a=1&b=&b=1&b=2"),
        ("Param-3=3&Param=2", "Param=2&Param-3=3"),
        ("a=b=c&prefix=x/y", "a=b%3Dc&prefix=x%2Fy"),
        ("a=%2f%7e+%20", "a=%2F~%20%20"),
        ("&&a=1&", "a=1"),
        ("a=%zz", "a=%25zz"),
    ],
)
def test_query_is_encoded_anew_and_sorted(raw: str, canonical: str) -> None:
    assert canonical_query(raw) == canonical


def test_only_a_presigned_url_leaves_its_signature_out() -> None:
    assert canonical_query("X-Amz-Signature=00&a=1", is_presigned=True) == "a=1"
    assert canonical_query("X-Amz-Signature=00&a=1") == "X-Amz-Signature=00&a=1"


@settings(derandomize=True, deadline=None)
@given(BYTES_AS_TEXT)
def test_a_canonical_path_stays_what_it_is(raw: str) -> None:
    canonical = canonical_path("/" + raw, is_s3=True)
    assert canonical_path(canonical, is_s3=True) == canonical
    assert unquote_to_bytes(canonical) == unquote_to_bytes(("/" + raw).encode("latin-1"))


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.binary(min_size=1, max_size=9), st.binary(max_size=9)), max_size=5))
def test_a_query_encoded_by_a_client_is_canonical_when_sorted(
    pairs: list[tuple[bytes, bytes]],
) -> None:
    encoded = [(quote(name, safe=""), quote(value, safe="")) for name, value in pairs]
    query = "&".join(f"{name}={value}" for name, value in encoded)
    expected = "&".join(f"{name}={value}" for name, value in sorted(encoded))
    assert canonical_query(query) == expected


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("plain", "x:plain\n"),
        ("  a \t b  ", "x:a b\n"),
        ("a: b", "x:a: b\n"),
        ("one\r\n   two", "x:one two\n"),
        ("a\u00a0\u00a0b", "x:a\u00a0\u00a0b\n"),
        ("", "x:\n"),
    ],
)
def test_white_space_in_headers_is_folded(value: str, line: str) -> None:
    assert canonical_headers({"x": value}, ["x"]) == line


def test_authority_is_the_host() -> None:
    headers = {"host": "localhost:4566", "x": "1"}
    assert canonical_headers(headers, [":authority", "x"]) == ":authority:localhost:4566\nx:1\n"


def test_a_signed_header_that_is_absent_counts_as_empty() -> None:
    assert canonical_headers({}, ["x"]) == "x:\n"


def test_printable_replaces_what_an_error_cannot_show() -> None:
    assert printable("a\x00b\udc80c\n") == "a\ufffdb\ufffdc\ufffd"
    assert printable("Grüße aus 東京") == "Grüße aus 東京"
