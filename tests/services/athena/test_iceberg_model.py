"""Random INSERTs, UPDATEs, DELETEs and MERGEs give the rows that a plain list gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyiceberg.catalog.glue import GlueCatalog

from tests.services.athena.conftest import Lake

Row = tuple[int, int | None, str]
Test = Callable[[Row], bool | None]


class Step(NamedTuple):
    """A statement, and what it does to rows; `changed` is how many it changes."""

    sql: str
    apply: Callable[[list[Row]], tuple[list[Row], int]]


ids = st.integers(0, 9)
numbers = st.one_of(st.none(), st.integers(-3, 3))
partitions = st.sampled_from(["a", "b", "c d"])
table_rows = st.tuples(ids, numbers, partitions)


def shown(value: Any) -> str:
    if value is None:
        return "CAST(NULL AS integer)"
    return f"'{value}'" if isinstance(value, str) else f"({value})"


@st.composite
def conditions(draw: st.DrawFn) -> tuple[str, Test]:
    kind = draw(st.sampled_from(["id", "v", "p", "null", "in", "or", "all"]))
    number, text = draw(st.integers(-3, 9)), draw(partitions)
    if kind == "id":
        return f"id <= {number}", lambda row: row[0] <= number
    if kind == "v":
        return f"v > ({number})", lambda row: None if row[1] is None else row[1] > number
    if kind == "p":
        return f"p = '{text}'", lambda row: row[2] == text
    if kind == "null":
        return "v IS NULL", lambda row: row[1] is None
    if kind == "in":
        some = draw(st.lists(ids, min_size=1, max_size=3))
        return f"id IN ({', '.join(map(str, some))})", lambda row: row[0] in some
    if kind == "or":
        return (
            f"(p = '{text}' OR id % 2 = 0)",
            lambda row: row[2] == text or row[0] % 2 == 0,
        )
    return "true", lambda row: True


@st.composite
def inserts(draw: st.DrawFn) -> Step:
    added = draw(st.lists(table_rows, min_size=1, max_size=6))
    values = ", ".join(f"({', '.join(map(shown, row))})" for row in added)
    return Step(f"INSERT INTO t VALUES {values}", lambda rows: (rows + added, len(added)))


@st.composite
def deletes(draw: st.DrawFn) -> Step:
    sql, test = draw(conditions())

    def apply(rows: list[Row]) -> tuple[list[Row], int]:
        kept = [row for row in rows if not test(row)]
        return kept, len(rows) - len(kept)

    return Step(f"DELETE FROM t WHERE {sql}", apply)


@st.composite
def updates(draw: st.DrawFn) -> Step:
    sql, test = draw(conditions())
    more, moved = draw(st.integers(-2, 2)), draw(st.one_of(st.none(), partitions))

    def apply(rows: list[Row]) -> tuple[list[Row], int]:
        fits = [bool(test(row)) for row in rows]
        made = [
            (row[0], None if row[1] is None else row[1] + more, moved or row[2]) if fit else row
            for row, fit in zip(rows, fits, strict=True)
        ]
        return made, sum(fits)

    move = f", p = '{moved}'" if moved else ""
    return Step(f"UPDATE t SET v = v + ({more}){move} WHERE {sql}", apply)


@st.composite
def merges(draw: st.DrawFn) -> Step:
    source = draw(st.lists(table_rows, min_size=1, max_size=5, unique_by=lambda row: row[0]))
    limit, adds = draw(st.integers(-3, 3)), draw(st.booleans())
    values = ", ".join(f"({', '.join(map(shown, row))})" for row in source)
    sql = (
        f"MERGE INTO t USING (VALUES {values}) AS s(id, v, p) ON t.id = s.id"
        f" WHEN MATCHED AND s.v > ({limit}) THEN DELETE"
        " WHEN MATCHED AND t.p <> s.p THEN UPDATE SET p = s.p, v = coalesce(t.v, 0) + s.v"
    )
    if adds:
        sql += " WHEN NOT MATCHED AND s.id < 7 THEN INSERT (p, id) VALUES (s.p, s.id)"

    def apply(rows: list[Row]) -> tuple[list[Row], int]:
        by_id = {row[0]: row for row in source}
        made: list[Row] = []
        count = 0
        for row in rows:
            other = by_id.get(row[0])
            if other is not None and other[1] is not None and other[1] > limit:
                count += 1
            elif other is not None and other[2] != row[2]:
                value = None if other[1] is None else (row[1] or 0) + other[1]
                made.append((row[0], value, other[2]))
                count += 1
            else:
                made.append(row)
        there = {row[0] for row in rows}
        new = [(row[0], None, row[2]) for row in source if row[0] not in there and row[0] < 7]
        return (made + new, count + len(new)) if adds else (made, count)

    return Step(sql, apply)


steps = st.lists(st.one_of(inserts(), deletes(), updates(), merges()), min_size=2, max_size=6)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(table_rows, min_size=1, max_size=12), steps)
def test_rows_are_those_of_the_model(
    lake: Lake, catalog: GlueCatalog, first: list[Row], statements: list[Step]
) -> None:
    lake.run("DROP TABLE IF EXISTS t")
    lake.run(
        "CREATE TABLE t (id int, v int, p string) PARTITIONED BY (p, bucket(2, id))"
        f" LOCATION 's3://{lake.name}/t/' TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    values = ", ".join(f"({', '.join(map(shown, row))})" for row in first)
    lake.run(f"INSERT INTO t VALUES {values}")
    rows = first
    for step in statements:
        rows, changed = step.apply(rows)
        done = lake.run(step.sql)
        answer = lake.athena.get_query_results(QueryExecutionId=done["QueryExecutionId"])
        assert answer["UpdateCount"] == changed, step.sql
    expected = sorted(rows, key=str)
    found = [
        (int(row[0] or 0), None if row[1] is None else int(row[1]), row[2])
        for row in lake.rows("SELECT * FROM t")
    ]
    assert sorted(found, key=str) == expected
    scanned = catalog.load_table(f"{lake.name}.t").scan().to_arrow().to_pylist()
    assert sorted(((r["id"], r["v"], r["p"]) for r in scanned), key=str) == expected
