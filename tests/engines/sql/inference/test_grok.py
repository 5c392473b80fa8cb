from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloche.engines.sql.formats.grok import NotAGrokPattern, compile_grok
from cloche.engines.sql.formats.grok_patterns import PATTERNS
from cloche.engines.sql.inference.classifying import GrokOptions
from tests.engines.sql.inference.files import columns, inferred

APACHE = (
    '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326'
    ' "http://example.com/start" "Mozilla/4.08 [en]"'
)


@pytest.mark.parametrize(
    ("name", "matching", "other"),
    [
        ("INT", "-12", "x"),
        ("NUMBER", "1.5", "x"),
        ("IPV4", "10.0.0.255", "10.0.0.256"),
        ("IPV6", "2001:db8::1", "2001"),
        ("IP", "::1", "host"),
        ("UUID", "550e8400-e29b-41d4-a716-446655440000", "550e8400"),
        ("TIMESTAMP_ISO8601", "2024-01-31T12:30:59.123Z", "2024-13-01"),
        ("HTTPDATE", "10/Oct/2000:13:55:36 -0700", "10/Foo/2000"),
        ("SYSLOGTIMESTAMP", "Jan  5 01:02:03", "Foo 5"),
        ("LOGLEVEL", "WARN", "quiet"),
        ("MAC", "00:1a:2b:3c:4d:5e", "00:1a"),
        ("EMAILADDRESS", "a.b@example.com", "a.b"),
        ("URI", "https://u:p@example.com:8080/a/b?c=d", "a b"),
        ("QS", '"a \\" b"', "a"),
        ("PATH", "/var/log/x.log", "x"),
        ("BASE16NUM", "0xff", "zz"),
        ("DAY", "Tuesday", "Someday"),
        ("TIME", "23:59:60", "24"),
        ("WORD", "abc", "--"),
    ],
)
def test_patterns_by_name(name: str, matching: str, other: str) -> None:
    grok = compile_grok(f"^%{{{name}:it}}$")
    assert grok.match(matching) == (matching,)
    assert grok.match(other) is None


def test_every_pattern_compiles() -> None:
    for name in PATTERNS:
        compile_grok(f"%{{{name}}}")


def test_the_fields_of_patterns_within_are_fields() -> None:
    grok = compile_grok("%{COMBINEDAPACHELOG}")
    found = dict(zip([name for name, _ in grok.fields], grok.match(APACHE) or (), strict=True))
    assert found["clientip"] == "127.0.0.1"
    assert found["verb"] == "GET"
    assert found["bytes"] == "2326"
    assert found["agent"] == '"Mozilla/4.08 [en]"'


def test_logs_of_web_servers_are_known() -> None:
    combined = inferred(f"{APACHE}\n{APACHE}\n")
    assert combined.classification == "combined_apache"
    assert columns(combined)["clientip"] == "string"
    common = inferred(APACHE.partition(' "http')[0])
    assert common.classification == "apache"
    assert "agent" not in columns(common)


def test_types_and_custom_patterns() -> None:
    custom = "# comment\nLEVEL (?:LOW|HIGH)\nPAIR %{LEVEL:level}=%{NUMBER:value:double}\n"
    grok = compile_grok("%{INT:id:int} %{PAIR} %{GREEDYDATA:rest}", custom)
    assert grok.fields == (
        ("id", "int"),
        ("level", "string"),
        ("value", "double"),
        ("rest", "string"),
    )
    assert grok.match("7 LOW=1.5 a b") == ("7", "LOW", "1.5", "a b")


@pytest.mark.parametrize(
    ("pattern", "custom"),
    [
        ("%{NOPE:x}", ""),
        ("%{INT:x:date}", ""),
        ("(", ""),
        ("%{A}", "A %{B}\nB %{A}"),
        ("%{A}", "A"),
        ("%{A}", "A-B x"),
    ],
)
def test_what_is_no_pattern(pattern: str, custom: str) -> None:
    with pytest.raises(NotAGrokPattern):
        compile_grok(pattern, custom)


def test_a_pattern_that_grows_without_end() -> None:
    lines = ["A x"]
    for before, name in itertools.pairwise("ABCDEFGHIJKL"):
        lines.append(f"{name} " + f"%{{{before}}}" * 20)
    custom = "\n".join(lines)
    with pytest.raises(NotAGrokPattern):
        compile_grok("%{L}", custom)


def test_lines_of_a_classifier() -> None:
    grok = compile_grok("^%{TIMESTAMP_ISO8601:at} %{LOGLEVEL:level} %{INT:code:int}$")
    options = GrokOptions("applog", grok)
    found = inferred("2024-01-01T00:00:00Z INFO 1\n2024-01-01T00:00:01Z WARN 2\n", options)
    assert found.classification == "applog"
    assert columns(found) == {"at": "string", "level": "string", "code": "int"}
    assert found.serde_parameters["input.format"] == grok.text
    assert found.parameters == {"grokPattern": grok.text}
    assert found.record_count == 2
    assert inferred("a,b\n1,2\n", options).classification == "csv"


@given(st.text("%{}ABINT:int()[]|*+?\\", max_size=30))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    try:
        compile_grok(text).match("INT 12")
    except NotAGrokPattern:
        return
