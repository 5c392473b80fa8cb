"""Which tables a query names, and what it wants of each: its columns, and conditions on them.

The schema of tables isn't known yet. A name without a qualifier is taken for a column of each
table of its FROM: in the one that has it, it is; those that don't have it ignore it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from sqlglot import exp

from cloche.engines.sql.engine import Comparison, ErrorKind, Filter, QueryError
from cloche.engines.sql.trino.instants import is_moment, moment_of
from cloche.engines.sql.trino.literals import typed_literal
from cloche.engines.sql.trino.references import TableUse
from cloche.engines.sql.trino.types import TIMESTAMPTZ, TypeNameError
from cloche.engines.sql.trino.values import Source

_COMPARISONS: dict[type, Comparison] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_MIRRORED: dict[Comparison, Comparison] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def table_uses(
    sql: str, query: exp.Expr, catalog: str, schema: str, now: float | None = None
) -> dict[int, TableUse]:
    """The use that each table's node is, by the node's id."""
    finder = _Finder(sql, catalog, schema, now)
    finder.visit(query, frozenset())
    columns = _Columns(query)
    found: dict[int, TableUse] = {}
    for table in finder.tables:
        filters = _filters(table)
        found[id(table)] = finder.use(table, filters, columns.of(table))
    return found


class _Finder:
    """Finds the tables: names of WITH that are in sight are none."""

    def __init__(self, sql: str, catalog: str, schema: str, now: float | None) -> None:
        self.source = Source(sql)
        self.now = now
        self.catalog = catalog
        self.schema = schema
        self.tables: list[exp.Table] = []

    def visit(self, node: exp.Expr, hidden: frozenset[str]) -> None:
        clause = node.args.get("with_")
        if clause is not None:
            recursive = bool(clause.args.get("recursive"))
            for cte in clause.expressions:
                own = (
                    frozenset({cte.alias.lower()})
                    if recursive and cte.args["alias"].columns
                    else frozenset()
                )
                self.visit(cte.this, hidden | own)
                hidden |= {cte.alias.lower()}
        if (
            isinstance(node, exp.Table)
            and isinstance(node.this, exp.Identifier)
            and (node.db or node.name.lower() not in hidden)
        ):
            self.tables.append(node)
        for child in node.iter_expressions():
            if child is not clause:
                self.visit(child, hidden)

    def use(
        self, table: exp.Table, filters: tuple[Filter, ...], columns: tuple[str, ...] | None
    ) -> TableUse:
        timestamp, version = self.travel(table)
        return TableUse(
            (table.catalog or self.catalog).lower(),
            (table.db or self.schema).lower(),
            table.name.lower(),
            filters,
            timestamp,
            version,
            columns,
            _limit(table),
        )

    def travel(self, table: exp.Table) -> tuple[str | None, str | None]:
        """FOR TIMESTAMP AS OF and FOR VERSION AS OF."""
        clause = table.args.get("version")
        if clause is None:
            return None, None
        if clause.args.get("kind") != "AS OF":
            self.source.unsupported("this kind of time travel", table)
        value = clause.expression.unnest()  # a parameter is put in parentheses
        if clause.name.upper() == "VERSION":
            if isinstance(value, exp.Literal):
                return None, value.name
            self.source.unsupported("a version that is no constant", table)
        if isinstance(value, exp.Cast) and isinstance(value.this, exp.Literal):
            return self.instant(value.this.name, table), None
        if is_moment(value):
            return self.instant(moment_of(self.source.sql, value, self.now), table), None
        self.source.unsupported("a timestamp that is no constant", table)

    def instant(self, text: str, table: exp.Table) -> str:
        """A timestamp's text in ISO 8601, in UTC."""
        from datetime import UTC, datetime

        try:
            made = typed_literal(text, TIMESTAMPTZ, "UTC").sql
        except TypeNameError as error:
            raise self.source.error(ErrorKind.SYNTAX_ERROR, str(error), table) from None
        stamp = made.partition("'")[2].partition("'")[0]
        if len(stamp) > 3 and stamp[-3] in "+-":
            stamp += ":00"
        try:
            moment = datetime.fromisoformat(stamp).astimezone(UTC)
        except ValueError:
            message = f"'{text}' is not a valid timestamp"
            raise QueryError(ErrorKind.SYNTAX_ERROR, message) from None
        return moment.isoformat().replace("+00:00", "Z")


class _Columns:
    """Names that a statement mentions, by their qualifier."""

    def __init__(self, query: exp.Expr) -> None:
        self.names: set[str] = set()
        self.qualified: dict[str, set[str]] = {}
        self.stars: set[str] = set()
        for node in query.walk():
            if isinstance(node, exp.Identifier) and not isinstance(
                node.parent, exp.Table | exp.TableAlias
            ):
                if isinstance(node.parent, exp.Column) and node.parent.table:
                    continue
                self.names.add(node.name.lower())
            if isinstance(node, exp.Column) and node.table:
                parts = [p.name.lower() for p in node.parts if isinstance(p, exp.Identifier)]
                # `a.b.c` is a column of a table, or a field of a row: all parts are noted.
                self.names.update(parts[:1])
                for qualifier, name in pairwise(parts):
                    self.qualified.setdefault(qualifier, set()).add(name)

    def of(self, table: exp.Table) -> tuple[str, ...] | None:
        """What is used of a table; may name columns that it doesn't have."""
        select = table.find_ancestor(exp.Select)
        alias = table.args.get("alias")
        if select is None or (alias is not None and alias.columns):
            return None
        own = {table.alias_or_name.lower()}
        for item in select.expressions:
            if isinstance(item, exp.Star):
                return None
            if (
                isinstance(item, exp.Column)
                and isinstance(item.this, exp.Star)
                and item.table.lower() in own
            ):
                return None
        names = self.names | self.qualified.get(table.alias_or_name.lower(), set())
        return tuple(sorted(names))


# ── Filters ───────────────────────────────────────────────────────────────────────────────────


_NESTED_MAXIMUM = 8


def _filters(table: exp.Expr, depth: int = 0) -> tuple[Filter, ...]:
    """Conditions that the rows needed of a table or subquery meet."""
    holder = table.parent
    if isinstance(holder, exp.Join):
        join, select = holder, holder.parent
    else:
        join, select = None, holder.parent if holder is not None else None
    if not isinstance(select, exp.Select):
        return ()
    conditions: list[exp.Expr] = []
    where = select.args.get("where")
    if where is not None:
        conditions.extend(_conjunction(where.this))
    joins = select.args.get("joins") or []
    inner = all(not j.args.get("side") for j in joins)
    for one in joins:
        # ON of an inner join holds for each row; that of a LEFT JOIN limits its right side.
        limits_own = one is join and (one.args.get("side") or "").upper() == "LEFT"
        if one.args.get("on") is not None and (inner or limits_own):
            conditions.extend(_conjunction(one.args["on"]))
    own = table.alias_or_name.lower()
    found: list[Filter] = []
    for condition in conditions:
        for made in _filter(condition, own):
            if made.operator == "is null" and not inner:
                continue
            found.append(made)
    if depth < _NESTED_MAXIMUM:
        found.extend(_filters_from_outside(select, own, inner, depth))
    return tuple(dict.fromkeys(found))


def _limit(table: exp.Table) -> int | None:
    """How many rows a statement needs of a table, where any will do."""
    select = table.parent.parent if isinstance(table.parent, exp.From) else None
    if not isinstance(select, exp.Select) or table.args.get("sample"):
        return None
    others = ("joins", "laterals", "where", "group", "having", "distinct", "order", "windows")
    if any(select.args.get(key) for key in (*others, "qualify", "sample")):
        return None
    # A function may be an aggregate, which needs all rows.
    if any(item.find(exp.Func, exp.Window, exp.Query) for item in select.expressions):
        return None
    limit, offset = select.args.get("limit"), select.args.get("offset")
    if not isinstance(limit, exp.Limit):
        return None
    counts = [limit.expression, *([offset.expression] if offset is not None else [])]
    if not all(isinstance(c, exp.Literal) and c.name.isdigit() for c in counts):
        return None
    return sum(int(c.name) for c in counts)


def _filters_from_outside(
    select: exp.Select, own: str, inner: bool, depth: int
) -> Iterator[Filter]:
    """Conditions on a subquery's columns that are plain columns of a table in it."""
    stands = _stands_as(select)
    keeps_rows = not any(select.args.get(k) for k in ("group", "limit", "offset", "having"))
    if stands is None or not keeps_rows or any(select.find_all(exp.Window)):
        return
    names: dict[str, str] = {}
    for item in select.expressions:
        column = _column(item.this if isinstance(item, exp.Alias) else item, own)
        if column is not None:
            names[item.alias_or_name.lower()] = column
        elif item.alias_or_name:
            names.pop(item.alias_or_name.lower(), None)
    for made in _filters(stands, depth + 1):
        if made.column in names and (inner or made.operator != "is null"):
            yield Filter(names[made.column], made.operator, made.values)


def _stands_as(select: exp.Select) -> exp.Expr | None:
    """What stands in FROM for a subquery, or for a WITH query that is named once."""
    holder = select.parent
    if isinstance(holder, exp.Subquery) and isinstance(holder.parent, exp.From | exp.Join):
        alias = holder.args.get("alias")
        plain = not any(holder.args.get(k) for k in ("limit", "offset", "sample"))
        return holder if plain and alias is not None and not alias.columns else None
    if not isinstance(holder, exp.CTE) or holder.args["alias"].columns:
        return None
    clause = holder.parent
    if clause is None or clause.parent is None or clause.args.get("recursive"):
        return None
    named = [
        t
        for t in clause.parent.find_all(exp.Table)
        if t.name.lower() == holder.alias.lower() and not t.db
    ]
    if len(named) != 1 or named[0].args.get("sample"):
        return None
    alias = named[0].args.get("alias")
    return named[0] if alias is None or not alias.columns else None


def _conjunction(node: exp.Expr) -> list[exp.Expr]:
    parts: list[exp.Expr] = []
    stack = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, exp.And):
            stack.extend((one.expression, one.this))
        elif isinstance(one, exp.Paren):
            stack.append(one.this)
        else:
            parts.append(one)
    return parts


def _column(node: Any, own: str) -> str | None:
    if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star) or node.db:
        return None
    return node.name.lower() if not node.table or node.table.lower() == own else None


def _constant(node: Any) -> str | None:
    if isinstance(node, exp.Paren):
        return _constant(node.this)
    if isinstance(node, exp.Literal):
        return node.this
    if isinstance(node, exp.Boolean):
        return "true" if node.this else "false"
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string:
        return f"-{node.this.this}"
    if isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast):
        return _constant_cast(node)
    return None


_TEXT_KINDS = frozenset({exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.VARCHAR})
_INTEGER_KINDS = frozenset({exp.DType.INT, exp.DType.BIGINT, exp.DType.SMALLINT, exp.DType.TINYINT})


def _constant_cast(node: Any) -> str | None:
    """A cast that keeps the constant's text; a time with a zone's would be another."""
    kind, inner = node.args["to"].this, node.this
    if not isinstance(inner, exp.Literal):
        return None
    if inner.is_string and kind in _TEXT_KINDS:
        return (
            inner.this if kind is not exp.DType.VARCHAR or not node.args["to"].expressions else None
        )
    return inner.this if kind in _INTEGER_KINDS and inner.this.isdigit() else None


def _filter(node: Any, own: str) -> list[Filter]:
    negated = isinstance(node, exp.Not)
    inner = node.this if negated else node
    while isinstance(inner, exp.Paren):
        inner = inner.this
    if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
        column = _column(inner.this, own)
        return [Filter(column, "is not null" if negated else "is null")] if column else []
    if negated:
        return []
    if type(inner) in _COMPARISONS:
        return _comparison(inner, own)
    column = _column(getattr(inner, "this", None), own)
    if column is None:
        return []
    if isinstance(inner, exp.Between):
        low, high = _constant(inner.args["low"]), _constant(inner.args["high"])
        if inner.args.get("symmetric"):
            return []
        made = [Filter(column, ">=", (low,))] if low is not None else []
        return [*made, Filter(column, "<=", (high,))] if high is not None else made
    if isinstance(inner, exp.In) and inner.expressions:
        values = [_constant(e) for e in inner.expressions]
        known = tuple(v for v in values if v is not None)
        return [Filter(column, "in", known)] if len(known) == len(values) else []
    if isinstance(inner, exp.Like) and not inner.args.get("negate"):
        pattern = _constant(inner.expression)
        return [Filter(column, "like", (pattern,))] if pattern is not None else []
    return []


def _comparison(node: Any, own: str) -> list[Filter]:
    operator = _COMPARISONS[type(node)]
    column, value = _column(node.this, own), _constant(node.expression)
    if column is None:
        column, value = _column(node.expression, own), _constant(node.this)
        operator = _MIRRORED.get(operator, operator)
    return [Filter(column, operator, (value,))] if column and value is not None else []
