"""What stands in FROM: tables, WITH queries, subqueries, VALUES, UNNEST, joins."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlglot import exp

from cloche.engines.sql.engine import ErrorKind
from cloche.engines.sql.trino.casts import coerce
from cloche.engines.sql.trino.expressions import Expressions
from cloche.engines.sql.trino.operators import OperatorError, compare
from cloche.engines.sql.trino.references import Relation, TableUse
from cloche.engines.sql.trino.types import (
    BIGINT,
    UNKNOWN,
    Type,
    TypeNameError,
    common,
    parse_type,
    quoted,
)
from cloche.engines.sql.trino.values import Field, Scope, Stored, Value, literal


class Relations(Expressions):
    """Compiles FROM.

    Attributes:
        tables: the use of each table's node, by the node's id.
        relations: what stands for each use.
        taken: names of relations that the text has already.
    """

    tables: Mapping[int, TableUse]
    relations: Mapping[TableUse, Relation]
    taken: set[str]

    @abstractmethod
    def query(self, node: exp.Expr, scope: Scope) -> tuple[str, list[Field]]:
        """Compile a query; the fields' SQL is the name of the output column."""

    def unique(self, name: str) -> str:
        """A name for a relation that nothing else in the text has."""
        made, count = name, 1
        while made.lower() in self.taken:
            count += 1
            made = f"{name}_{count}"
        self.taken.add(made.lower())
        return made

    def from_clause(self, node: Any, scope: Scope) -> str:
        """FROM with its joins; puts its fields into the scope."""
        first = node.args.get("from_")
        if first is None:
            return ""
        sample = node.args.get("sample")
        if sample is not None:
            # The grammar hangs TABLESAMPLE of a subquery to the query around it.
            if node.args.get("joins") or not isinstance(first.this, exp.Values | exp.Subquery):
                self.source.unsupported("TABLESAMPLE here", node)
            first.this.set("sample", sample.copy())
        sql, fields = self.relation(first.this, scope)
        scope.fields = fields
        joins = [*(first.this.args.get("joins") or []), *(node.args.get("joins") or [])]
        laterals = node.args.get("laterals") or []
        joins.extend(exp.Join(this=lateral, kind="CROSS") for lateral in laterals)
        for join in joins:
            sql = self.join(sql, join, scope)
        return f" FROM {sql}"

    def join(self, left: str, node: Any, scope: Scope) -> str:
        """One join onto what is there."""
        if node.args.get("method"):
            self.source.unsupported(f"{node.args['method']} JOIN", node)
        sql, fields = self.relation(node.this, scope)
        side, kind = (node.args.get("side") or "").upper(), (node.args.get("kind") or "").upper()
        if node.args.get("using"):
            return self.join_using(left, sql, fields, node, scope)
        before = scope.fields
        scope.fields = [*before, *fields]
        condition = node.args.get("on")
        if condition is None:
            if side or kind not in {"CROSS", ""}:
                raise self.source.error(ErrorKind.SYNTAX_ERROR, "JOIN needs ON or USING", node)
            return f"{left} CROSS JOIN {sql}"
        on = self.boolean(condition, scope, "JOIN ON clause").sql
        return f"{left} {side or 'INNER'} JOIN {sql} ON {on}"

    def join_using(
        self, left: str, right: str, fields: list[Field], node: Any, scope: Scope
    ) -> str:
        """JOIN … USING: its columns stand once, and first."""
        side = (node.args.get("side") or "").upper()
        before, shared, conditions = scope.fields, [], []
        for identifier in node.args["using"]:
            name = identifier.name.lower()
            ours = [f for f in before if f.answers((), name)]
            theirs = [f for f in fields if f.answers((), name)]
            if len(ours) != 1 or len(theirs) != 1:
                message = (
                    f"Column '{identifier.name}' is missing from a side of the join or ambiguous"
                )
                raise self.source.error(ErrorKind.COLUMN_NOT_FOUND, message, identifier)
            a, b = ours[0].value, theirs[0].value
            try:
                conditions.append(compare("=", a, b).sql)
            except OperatorError as error:
                raise self.source.mismatch(str(error), identifier) from None
            target = common(a.type, b.type) or a.type
            if side == "FULL":
                value = Value(f"coalesce({coerce(a, target)}, {coerce(b, target)})", target)
            else:
                value = Value(coerce(b if side == "RIGHT" else a, target), target)
            shared.append(Field(identifier.name, value))
        names = {f.name.lower() for f in shared if f.name}
        # Qualified, the columns can still be named; they are no part of `*` a second time.
        rest = [
            replace(f, hidden=True, name=f.name) if (f.name or "").lower() in names else f
            for f in (*before, *fields)
        ]
        scope.fields = [
            *shared,
            *(_qualified_only(f) if (f.name or "").lower() in names else f for f in rest),
        ]
        return f"{left} {side or 'INNER'} JOIN {right} ON {' AND '.join(conditions)}"

    # ── One relation ──────────────────────────────────────────────────────────────────────────

    def relation(self, node: Any, scope: Scope) -> tuple[str, list[Field]]:
        """Anything in FROM; the scope has the fields to its left."""
        match node:
            case exp.Table() if isinstance(node.this, exp.Identifier):
                return self.table(node, scope)
            case exp.Table() if isinstance(node.this, exp.Anonymous):
                self.source.unsupported(f"table function {node.this.name}", node)
            case exp.Values():
                sql, types = self.values(node, scope)
                fields = [(None, t) for t in types]
                return self.aliased(f"({sql})", fields, node)
            case exp.Unnest():
                return self.unnest(node, scope)
            case exp.Lateral():
                return self.lateral(node, scope)
            case exp.Subquery() if isinstance(node.this, exp.Table):
                return self.nested_joins(node, scope)
            case exp.Subquery():
                if any(node.args.get(k) for k in ("order", "limit", "offset", "with_")):
                    sql, fields = self.query(_without_alias(node), scope.child())
                else:
                    inner = scope.parent.child() if scope.parent else Scope(stored=scope.stored)
                    inner.stored, inner.variables = scope.stored, scope.variables
                    sql, fields = self.query(node.this, inner)
                return self.aliased(f"({sql})", [(f.name, f.value.type) for f in fields], node)
            case _:
                self.source.unsupported(f"{type(node).__name__.upper()} in FROM", node)

    def nested_joins(self, node: Any, scope: Scope) -> tuple[str, list[Field]]:
        """`(a JOIN b ON …)`."""
        inner = Scope(parent=scope.parent, stored=scope.stored, variables=scope.variables)
        sql, fields = self.relation(node.this, inner)
        inner.fields = fields
        for join in [*(node.this.args.get("joins") or []), *(node.args.get("joins") or [])]:
            sql = self.join(sql, join, inner)
        if node.args.get("alias"):
            self.source.unsupported("an alias of a join in parentheses", node)
        return f"({sql})", inner.fields

    def table(self, node: Any, scope: Scope) -> tuple[str, list[Field]]:
        """A table or a WITH query."""
        for key in ("pivots", "hints", "changes", "rows_from", "when", "only", "partition"):
            if node.args.get(key):
                self.source.unsupported(key, node)
        name = node.name.lower()
        stored = scope.stored.get(name) if not node.db else None
        if stored is not None:
            columns = [(f.name, f.value.type) for f in stored.columns]
            return self.aliased(stored.name, columns, node, default=node.name)
        use = self.tables[id(node)]
        relation = self.relations[use]
        fields: list[Field] = []
        alias = self.unique(node.alias or node.name)
        own = (node.alias.lower(),) if node.alias else (use.name, use.schema, use.catalog)
        for column in relation.columns:
            try:
                type = parse_type(column.type)
            except TypeNameError as error:
                raise self.source.error(ErrorKind.NOT_SUPPORTED, str(error), node) from None
            value = Value(f"{quoted(alias)}.{quoted(column.name)}", type)
            fields.append(Field(column.name, value, own, column.name.startswith("$")))
        renames = node.args["alias"].columns if node.args.get("alias") else []
        if renames:
            fields = self.renamed(fields, renames, node)
        return self.sampled(relation.name, alias, [], node), fields

    def renamed(self, fields: list[Field], renames: Sequence[Any], node: exp.Expr) -> list[Field]:
        """Fields under the names of an alias's column list."""
        shown = [f for f in fields if not f.hidden]
        if len(renames) != len(shown):
            message = (
                f"Column alias list has {len(renames)} entries but relation has "
                f"{len(shown)} columns"
            )
            raise self.source.error(ErrorKind.SYNTAX_ERROR, message, node)
        return [replace(f, name=i.name) for f, i in zip(shown, renames, strict=True)]

    def aliased(
        self,
        sql: str,
        columns: Sequence[tuple[str | None, Type]],
        node: Any,
        default: str = "",
    ) -> tuple[str, list[Field]]:
        """A relation under an alias, its columns renamed to names that are unique in it."""
        name = node.alias or default
        alias = self.unique(name or "q")
        renames = [i.name for i in node.args["alias"].columns] if node.args.get("alias") else []
        if renames and len(renames) != len(columns):
            message = (
                f"Column alias list has {len(renames)} entries but '{name}' has "
                f"{len(columns)} columns available"
            )
            raise self.source.error(ErrorKind.SYNTAX_ERROR, message, node)
        shown = renames or [c[0] for c in columns]
        stored = unique_names(shown)
        own = (name.lower(),) if name else ()
        fields = [
            Field(shown[i], Value(f"{quoted(alias)}.{quoted(stored[i])}", columns[i][1]), own)
            for i in range(len(columns))
        ]
        return self.sampled(sql, alias, stored, node), fields

    def sampled(self, sql: str, alias: str, columns: Sequence[str], node: Any) -> str:
        """`relation AS "alias"("column", …)`, with TABLESAMPLE if it has one."""
        sample = node.args.get("sample")
        if sample is not None:
            method = (sample.args["method"].name if sample.args.get("method") else "").lower()
            share = sample.args.get("percent") or sample.args.get("size")
            if method not in {"bernoulli", "system"} or share is None:
                self.source.unsupported("this TABLESAMPLE", node)
            percentage = self.expression(share, Scope()).sql.strip("()")
            sql = f"(SELECT * FROM {sql} AS s USING SAMPLE {percentage} PERCENT (bernoulli))"
        names = f"({', '.join(map(quoted, columns))})" if columns else ""
        return f"{sql} AS {quoted(alias)}{names}"

    def values(self, node: Any, scope: Scope) -> tuple[str, list[Type]]:
        """VALUES: each column is of the type that all of its values coerce to."""
        rows: list[list[Value]] = []
        for item in node.expressions:
            parts = item.expressions if isinstance(item, exp.Tuple) else [item]
            if (len(parts) == 1 and isinstance(parts[0], exp.Tuple)) or (
                len(parts) == 1
                and isinstance(parts[0], exp.Anonymous)
                and parts[0].name.lower() == "row"
            ):
                parts = parts[0].expressions
            rows.append([self.expression(p, scope.child()) for p in parts])
        if len({len(row) for row in rows}) != 1:
            raise self.source.mismatch("Values rows have mismatched sizes", node)
        types = [
            self.common_type([row[i] for row in rows], "Values in a column", node)
            for i in range(len(rows[0]))
        ]
        made = [
            [
                coerce(value, type) if type != UNKNOWN else value.sql
                for value, type in zip(row, types, strict=True)
            ]
            for row in rows
        ]
        lines = [f"({', '.join(parts)})" for parts in made]
        return f"VALUES {', '.join(lines)}", types

    def lateral(self, node: Any, scope: Scope) -> tuple[str, list[Field]]:
        """LATERAL (query): it sees what stands to its left."""
        if isinstance(node.this, exp.Unnest):
            return self.unnest(node.this, scope)
        inner = node.this.this if isinstance(node.this, exp.Subquery) else node.this
        sql, fields = self.query(inner, scope.child())
        return self.aliased(f"LATERAL ({sql})", [(f.name, f.value.type) for f in fields], node)

    # ── UNNEST ────────────────────────────────────────────────────────────────────────────────

    def unnest(self, node: Any, scope: Scope) -> tuple[str, list[Field]]:
        """UNNEST: columns side by side, the shorter ones padded with NULL."""
        inner: list[str] = []
        outer: list[tuple[str, Type]] = []
        lengths: list[str] = []
        for argument in node.expressions:
            value = self.expression(argument, scope)
            self.unnest_one(value, argument, inner, outer, lengths)
        offset = node.args.get("offset")
        if offset:
            longest = f"greatest({', '.join(lengths)})" if len(lengths) > 1 else lengths[0]
            inner.append(f"unnest(range(1, {longest} + 1)) AS u{len(inner)}")
            outer.append((f"u{len(inner) - 1}", BIGINT))
        body = f"SELECT {', '.join(sql for sql, _ in outer)} FROM (SELECT {', '.join(inner)})"
        lateral = "LATERAL " if scope.fields or scope.parent else ""
        alias = node.args.get("alias")
        if isinstance(offset, exp.Identifier) and alias is not None:
            alias = alias.copy()
            alias.set("columns", [*alias.columns, offset.copy()])
        holder = exp.Subquery(this=exp.Select(), alias=alias)
        return self.aliased(f"{lateral}({body})", [(None, t) for _, t in outer], holder)

    def unnest_one(
        self,
        value: Value,
        node: exp.Expr,
        inner: list[str],
        outer: list[tuple[str, Type]],
        lengths: list[str],
    ) -> None:
        """One argument: an array gives a column, one of rows several, a map two."""
        kind = value.type
        if kind.base == "map":
            for function, type in zip(("map_keys", "map_values"), kind.items, strict=True):
                outer.append((f"u{len(inner)}", type))
                inner.append(f"unnest({function}({value.sql})) AS u{len(inner)}")
            lengths.append(f"len(map_keys({value.sql}))")
            return
        if kind.base != "array":
            raise self.source.mismatch(f"Cannot unnest type: {kind}", node)
        name = f"u{len(inner)}"
        inner.append(f"unnest({value.sql}) AS {name}")
        lengths.append(f"len({value.sql})")
        if kind.items[0].base == "row":
            element = kind.items[0]
            for stored, type in zip(element.field_names(), element.items, strict=True):
                outer.append((f"struct_extract({name}, {literal(stored)})", type))
        else:
            outer.append((name, kind.items[0]))

    def stored(self, node: Any, scope: Scope) -> tuple[str, Scope]:
        """WITH: its SQL, and the scope that sees its queries."""
        clause = node.args.get("with_")
        if clause is None:
            return "", scope
        scope = Scope(
            scope.fields, scope.parent, dict(scope.stored), scope.aliases, scope.variables
        )
        recursive = bool(clause.args.get("recursive"))
        made: list[str] = []
        for cte in clause.expressions:
            # The star keeps it apart from what DuckDB has: relations of tables may name that.
            name = self.unique(f"{cte.alias}*")
            names = [i.name for i in cte.args["alias"].columns]
            if recursive and isinstance(cte.this, exp.Union) and names:
                self.store(cte, name, names, self.anchor_types(cte.this, scope), scope)
            sql, fields = self.query(cte.this, scope.child())
            if names and len(names) != len(fields):
                message = (
                    f"Column alias list has {len(names)} entries but WITH query has "
                    f"{len(fields)} columns"
                )
                raise self.source.error(ErrorKind.SYNTAX_ERROR, message, cte)
            stored = self.store(
                cte, name, names or [f.name for f in fields], [f.value.type for f in fields], scope
            )
            columns = ", ".join(map(quoted, unique_names([f.name for f in stored.columns])))
            made.append(f"{quoted(name)}({columns}) AS ({sql})")
        return f"WITH {'RECURSIVE ' if recursive else ''}{', '.join(made)} ", scope

    def anchor_types(self, union: Any, scope: Scope) -> list[Type]:
        """Types of a recursive query, which its first part tells."""
        taken = set(self.taken)
        _, fields = self.query(union.this, scope.child())
        self.taken = taken
        return [f.value.type for f in fields]

    def store(
        self, cte: Any, name: str, names: Sequence[str | None], types: Sequence[Type], scope: Scope
    ) -> Stored:
        """Note a WITH query in the scope."""
        columns = tuple(Field(n, Value("", t)) for n, t in zip(names, types, strict=True))
        made = Stored(quoted(name), columns)
        assert isinstance(scope.stored, dict)  # noqa: S101 - made by `stored`
        scope.stored[cte.alias.lower()] = made
        return made


def _qualified_only(field: Field) -> Field:
    return (
        replace(field, name=f"\0{field.name}")
        if not field.relation
        else _Qualified(field.name, field.value, field.relation, True)
    )


class _Qualified(Field):
    """A column of a side of JOIN … USING, which only a qualified name reaches."""

    def answers(self, qualifier: Sequence[str], name: str) -> bool:
        return bool(qualifier) and Field.answers(self, qualifier, name)


def _without_alias(node: Any) -> exp.Expr:
    made = node.copy()
    made.set("alias", None)
    return made


def unique_names(names: Sequence[str | None]) -> list[str]:
    """Names for DuckDB's columns: unnamed and repeated ones get one of their own."""
    made: list[str] = []
    taken: set[str] = set()
    for index, name in enumerate(names):
        candidate = name or f"_col{index}"
        while candidate.lower() in taken:
            candidate = f"{candidate}_{index}"
        taken.add(candidate.lower())
        made.append(candidate)
    return made
