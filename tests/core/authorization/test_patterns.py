from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloche.core.authorization.patterns import Patterns


def matches(pattern: str, text: str, context: dict[str, tuple[str, ...]] | None = None) -> bool:
    return Patterns([pattern], has_variables=True).matches(text, context or {})


def reference(pattern: str, text: str) -> bool:
    """Wildcard matching by dynamic programming, row by row."""
    row = [True] + [False] * len(text)
    for symbol in pattern:
        following = [row[0] and symbol == "*"]
        for index, character in enumerate(text):
            if symbol == "*":
                following.append(row[index + 1] or following[index])
            else:
                following.append(row[index] and symbol in ("?", character))
        row = following
    return row[-1]


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.text("ab*?\n.", max_size=12), st.text("ab\n.", max_size=14))
def test_wildcards_match_as_the_reference_does(pattern: str, text: str) -> None:
    assert matches(pattern, text) == reference(pattern, text)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.text("ab*?", max_size=6), max_size=5), st.text("ab", max_size=8))
def test_alternatives_match_if_one_does(patterns: list[str], text: str) -> None:
    compiled = Patterns(patterns, has_variables=False)
    assert compiled.matches(text, {}) == any(reference(one, text) for one in patterns)


def test_many_stars_do_not_take_long() -> None:
    started = time.perf_counter()
    assert not matches("*a" * 40 + "b", "a" * 2000)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("home/${aws:username}/*", "home/jane/x", True),
        ("home/${aws:username}/*", "home/john/x", False),
        ("home/${AWS:UserName}/*", "home/jane/x", True),
        ("${aws:PrincipalTag/team}", "red", True),
        ("${aws:PrincipalTag/none}", "red", False),
        ("${aws:PrincipalTag/none, 'blue'}/*", "blue/1", True),
        ("${aws:PrincipalTag/none,'blue'}", "red", False),
        ("a${*}b", "a*b", True),
        ("a${*}b", "axb", False),
        ("a${?}b", "axb", False),
        ("a${$}b", "a$b", True),
        ("${aws:PrincipalTag/star}", "anything", False),
        ("${aws:PrincipalTag/star}", "*", True),
        ("${not a variable}", "${not a variable}", True),
        ("${aws:many}", "one", False),
    ],
)
def test_variables(pattern: str, text: str, expected: bool) -> None:
    context = {
        "aws:username": ("jane",),
        "aws:principaltag/team": ("red",),
        "aws:principaltag/star": ("*",),
        "aws:many": ("one", "two"),
    }
    assert matches(pattern, text, context) is expected


def test_variables_are_text_in_policies_of_2008() -> None:
    patterns = Patterns(["${aws:username}"], has_variables=False)
    assert patterns.matches("${aws:username}", {"aws:username": ("jane",)})


def test_case_is_ignored_where_asked() -> None:
    patterns = Patterns(["S3:Get*", "${aws:username}"], has_variables=True, ignores_case=True)
    assert patterns.matches("s3:getobject", {})
    assert patterns.matches("jane", {"aws:username": ("JANE",)})
