from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloche.services.glue.crawling.exclusions import NotAPattern, compile_exclusions


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("*.csv", ["a.csv", ".csv"], ["a.txt", "folder/a.csv"]),
        ("**.csv", ["a.csv", "folder/a.csv"], ["a.csvx"]),
        ("*.*", ["a.b", "."], ["ab", "x/a.b"]),
        ("*.{csv,avro}", ["a.csv", "a.avro"], ["a.orc"]),
        ("foo.?", ["foo.a"], ["foo.ab", "foo.", "foo./"]),
        ("myfolder/*", ["myfolder/a"], ["myfolder/b/a", "myfolder"]),
        ("myfolder/*/*", ["myfolder/b/a"], ["myfolder/a"]),
        ("myfolder/**", ["myfolder/a", "myfolder/b/c"], ["other/a"]),
        ("/myfolder/", [], ["myfolder/"]),
        ("departments/[a-c]*", ["departments/b1"], ["departments/d1"]),
        ("[!ab]", ["c"], ["a", "/"]),
        ("month=1[02]", ["month=10"], ["month=11"]),
        (r"\*\{a\}", ["*{a}"], ["xa"]),
        ("a}b,c", ["a}b,c"], ["a"]),
    ],
)
def test_patterns(pattern: str, matching: list[str], others: list[str]) -> None:
    is_excluded = compile_exclusions([pattern])
    assert all(is_excluded(path) for path in matching)
    assert not any(is_excluded(path) for path in others)


@pytest.mark.parametrize("pattern", ["{a", "[a", "a\\", "{a,{b}}", "[z-a]"])
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(NotAPattern):
        compile_exclusions([pattern])


plain = st.text("abc.+()$^|#&~ /-", max_size=12)


@given(plain, plain)
def test_other_characters_stand_for_themselves(pattern: str, path: str) -> None:
    assert compile_exclusions([pattern])(path) == (pattern == path)


@given(st.text("ab/*?[]{},!\\-^", max_size=15), st.text("ab/", max_size=8))
def test_any_text_is_a_pattern_or_refused(pattern: str, path: str) -> None:
    try:
        compile_exclusions([pattern])(path)
    except NotAPattern:
        return


@given(st.text("ab*?/", max_size=8), st.text("ab/", max_size=6))
def test_against_a_plain_matcher(pattern: str, path: str) -> None:
    def matches(pattern: str, path: str) -> bool:
        if not pattern:
            return not path
        if pattern.startswith("**"):
            return any(matches(pattern[2:], path[at:]) for at in range(len(path) + 1))
        if pattern[0] == "*":
            end = re.match("[^/]*", path)
            return end is not None and any(
                matches(pattern[1:], path[at:]) for at in range(end.end() + 1)
            )
        if not path:
            return False
        fits = path[0] != "/" if pattern[0] == "?" else pattern[0] == path[0]
        return fits and matches(pattern[1:], path[1:])

    assert compile_exclusions([pattern])(path) == matches(pattern, path)
