"""EXPLAIN and EXPLAIN ANALYZE: the engine's own plans in each form."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.services.athena.conftest import Lake


@pytest.fixture
def table(lake: Lake) -> str:
    lake.put("t/a.csv", "".join(f"{n},{n % 3}\n" for n in range(1000)))
    lake.run(
        "CREATE EXTERNAL TABLE t (n int, k int) ROW FORMAT DELIMITED FIELDS TERMINATED BY ','"
        f" LOCATION 's3://{lake.name}/t/'"
    )
    return "SELECT k, sum(n) AS s FROM t WHERE n >= 400 GROUP BY k"


def test_a_plan_is_shown_and_nothing_is_scanned(lake: Lake, table: str) -> None:
    shown = lake.run(f"EXPLAIN {table}")
    text = "\n".join(row[0] or "" for row in lake.results(shown["QueryExecutionId"]))
    assert "GROUP_BY" in text
    assert f"s3://{lake.name}/t/" in text or "/t/" not in text
    assert str(lake.server.settings.data_directory) not in text
    assert "output rows" not in text


def test_analyze_runs_the_query(lake: Lake, table: str) -> None:
    shown = lake.run(f"EXPLAIN ANALYZE {table}")
    assert shown["Statistics"]["DataScannedInBytes"] == len(lake.body(f"s3://{lake.name}/t/a.csv"))
    text = "\n".join(row[0] or "" for row in lake.results(shown["QueryExecutionId"]))
    assert re.search(r"GROUP_BY \[output rows: 3, time: \d+\.\d+s\]", text)
    assert "[output rows: 600, " in text
    assert lake.fail(f"EXPLAIN ANALYZE {table.replace('sum(n)', 'sum(n / (n - 500))')}").startswith(
        "DIVISION_BY_ZERO: "
    )


def test_plans_as_json_and_as_a_graph(lake: Lake, table: str) -> None:
    plan = json.loads("\n".join(lake.lines(f"EXPLAIN (FORMAT JSON) {table}")))
    assert "outputRows" not in json.dumps(plan)
    ran = json.loads("\n".join(lake.lines(f"EXPLAIN ANALYZE (FORMAT JSON) {table}")))

    def rows(node: dict[str, Any]) -> list[int]:
        return [node["outputRows"], *(n for child in node["children"] for n in rows(child))]

    assert {3, 600} <= {n for root in ran for n in rows(root)}
    graph = lake.lines(f"EXPLAIN (FORMAT GRAPHVIZ, TYPE LOGICAL) {table}")
    assert graph[0].startswith("digraph ")
    assert graph[-1] == "}"
    assert any("->" in line for line in graph)


def test_a_statement_is_validated(lake: Lake, table: str) -> None:
    shown = lake.run(f"EXPLAIN (TYPE VALIDATE) {table}")
    assert lake.results(shown["QueryExecutionId"])[-1] == ["true"]
    assert lake.fail("EXPLAIN (TYPE VALIDATE) SELECT nope FROM t").startswith("COLUMN_NOT_FOUND: ")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("(TYPE IO, FORMAT JSON)", "NOT_SUPPORTED: EXPLAIN (TYPE IO) exists in Athena engine"),
        ("ANALYZE (FORMAT GRAPHVIZ)", "NOT_SUPPORTED: EXPLAIN does not support the format"),
        ("(FORMAT XML)", "SYNTAX_ERROR: line 1:17: mismatched input 'XML'"),
        ("(TYPE NOPE)", "SYNTAX_ERROR: line 1:15: mismatched input 'NOPE'"),
        ("ANALYZE (TYPE LOGICAL)", "SYNTAX_ERROR: line 1:18: mismatched input 'TYPE'"),
    ],
)
def test_what_athena_does_not_explain(lake: Lake, options: str, reason: str) -> None:
    assert lake.fail(f"EXPLAIN {options} SELECT 1").startswith(reason)
