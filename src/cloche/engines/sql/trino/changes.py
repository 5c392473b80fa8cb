"""UPDATE, DELETE and MERGE as a query for what is to change.

Its rows have `$file` and `$row` of the target's row, `$change` (see `engine.Change`), and then
the target's columns with the values of the row that comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from cloche.engines.sql.engine import Change, ErrorKind
from cloche.engines.sql.trino.casts import coerce
from cloche.engines.sql.trino.queries import Compiler
from cloche.engines.sql.trino.storing import can_be_stored
from cloche.engines.sql.trino.types import BIGINT, INTEGER, Type, quoted, to_duckdb_type
from cloche.engines.sql.trino.values import Scope, Source, Value

_FILE, _ROW, _CHANGE = "$file", "$row", "$change"
_OF_TARGET = frozenset({"this", "db", "catalog", "alias"})
_VOLATILE = frozenset({"rand", "random", "uuid", "shuffle"})


@dataclass(frozen=True, slots=True)
class Clause:
    """One way in which rows change.

    Attributes:
        change: what becomes of a row.
        condition: besides that the row is there (or, for an INSERT, is not); None is always.
        columns: those that get values; empty for an INSERT of all.
        values: one for each column.
        node: for the place of errors.
    """

    change: Change
    condition: exp.Expr | None
    columns: tuple[exp.Expr, ...]
    values: tuple[exp.Expr, ...]
    node: exp.Expr


@dataclass(frozen=True, slots=True)
class RowChange:
    """A statement that changes rows.

    Attributes:
        verb: `UPDATE`, `DELETE` or `MERGE`.
        select: has the statement's FROM, joins and WHERE.
        target: the table that is changed, within `select`.
        clauses: the first that fits a row is what happens to it.
    """

    verb: str
    select: exp.Select
    target: exp.Table
    clauses: tuple[Clause, ...]


def row_change(sql: str, node: exp.Update | exp.Delete | exp.Merge) -> RowChange:
    """A parsed statement in its parts.

    Raises:
        QueryError: it has a clause that Trino doesn't have.
    """
    source = Source(sql)
    target: Any = node.this
    if not isinstance(target, exp.Table) or not isinstance(target.this, exp.Identifier):
        source.unsupported("this target", node)
    if {key for key, value in target.args.items() if value} - _OF_TARGET:
        raise source.error(ErrorKind.SYNTAX_ERROR, "mismatched input after the table", target)
    if isinstance(node, exp.Merge):
        return _merge(source, node, target)
    is_update = isinstance(node, exp.Update)
    known = {"this", "expressions", "where"} if is_update else {"this", "where"}
    for key, value in node.args.items():
        if value and key not in known:
            message = f"mismatched input: {key.rstrip('_').upper()} is no part of the statement"
            raise source.error(ErrorKind.SYNTAX_ERROR, message, node)
    if target.args.get("alias"):
        raise source.error(ErrorKind.SYNTAX_ERROR, "mismatched input: the table's alias", target)
    verb, change = ("UPDATE", Change.UPDATE) if is_update else ("DELETE", Change.DELETE)
    columns, values = _assignments(source, node) if is_update else ((), ())
    clause = Clause(change, None, columns, values, node)
    select = exp.Select(expressions=_outputs([clause], target))
    select.set("from_", exp.From(this=target))
    select.set("where", node.args.get("where"))
    return RowChange(verb, select, target, (clause,))


def _merge(source: Source, node: exp.Merge, target: exp.Table) -> RowChange:
    for key, value in node.args.items():
        if value and key not in ("this", "using", "on", "whens"):
            source.unsupported(f"{key.rstrip('_').upper()} of MERGE", node)
    if node.args.get("on") is None:
        raise source.error(ErrorKind.SYNTAX_ERROR, "MERGE needs ON", node)
    clauses = tuple(_when(source, when) for when in node.args["whens"].expressions)
    adds = any(clause.change is Change.INSERT for clause in clauses)
    join = exp.Join(this=target, on=node.args["on"], side="LEFT" if adds else None)
    select = exp.Select(expressions=_outputs(clauses, target))
    select.set("from_", exp.From(this=node.args["using"]))
    select.set("joins", [join])
    return RowChange("MERGE", select, target, clauses)


def _when(source: Source, when: Any) -> Clause:
    then, condition = when.args["then"], when.args.get("condition")
    if when.args.get("source"):
        source.unsupported("WHEN NOT MATCHED BY SOURCE", when)
    is_matched = bool(when.args.get("matched"))
    if isinstance(then, exp.Update) and is_matched:
        columns, values = _assignments(source, then)
        return Clause(Change.UPDATE, condition, columns, values, when)
    if isinstance(then, exp.Insert) and not is_matched:
        names, given = then.this, then.expression
        columns = tuple(names.expressions) if isinstance(names, exp.Tuple) else ()
        if isinstance(given, exp.Tuple):
            return Clause(Change.INSERT, condition, columns, tuple(given.expressions), when)
        if isinstance(given, exp.Paren):
            return Clause(Change.INSERT, condition, columns, (given.this,), when)
    if isinstance(then, exp.Var) and then.name.upper() == "DELETE" and is_matched:
        return Clause(Change.DELETE, condition, (), (), when)
    raise source.error(ErrorKind.SYNTAX_ERROR, "mismatched input after THEN", when)


def _assignments(source: Source, node: Any) -> tuple[tuple[exp.Expr, ...], tuple[exp.Expr, ...]]:
    pairs: list[tuple[exp.Expr, exp.Expr]] = []
    for each in node.expressions:
        if not isinstance(each, exp.EQ) or not isinstance(each.this, exp.Column):
            raise source.error(ErrorKind.SYNTAX_ERROR, "mismatched input in SET", each)
        pairs.append((each.this, each.expression))
    if not pairs:
        raise source.error(ErrorKind.SYNTAX_ERROR, "mismatched input: SET is empty", node)
    return tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)


def _outputs(clauses: Sequence[Clause], target: exp.Table) -> list[exp.Expr]:
    """What the SELECT mentions, so that it is known which columns are read."""
    outputs: list[exp.Expr] = [exp.column(exp.to_identifier(name)) for name in (_FILE, _ROW)]
    if any(clause.change is not Change.DELETE for clause in clauses):
        own = exp.to_identifier(target.alias_or_name, quoted=True)
        outputs.append(exp.Column(this=exp.Star(), table=own))
    for clause in clauses:
        outputs += [] if clause.condition is None else [clause.condition]
        outputs += clause.values
    return outputs


class ChangeCompiler(Compiler):
    """Compiles one statement that changes rows."""

    def changes(self, change: RowChange) -> tuple[str, list[tuple[str, Type]]]:
        """Its SQL and columns.

        Raises:
            QueryError: Trino wouldn't run it, or we can't.
        """
        block = Scope()
        source = self.from_clause(change.select, block)
        where = self.condition(change.select, "where", block)
        relation = self.relations[self.tables[id(change.target)]]
        width = len(relation.columns)
        # The target is the last relation, so that what it has comes last.
        others, own = block.fields[:-width], block.fields[-width:]
        places = {field.name: field.value for field in own if field.hidden}
        target = {(f.name or "").lower(): f.value for f in own if not f.hidden}
        file, row = places[_FILE].sql, places[_ROW].sql
        inner = Scope(others, stored=block.stored, variables=block.variables)
        tests = [self._test(clause, block, inner, row, change) for clause in change.clauses]
        made = [
            self._values(clause, number, target, inner if _adds(clause) else block, change)
            for number, clause in enumerate(change.clauses, 1)
        ]
        picks = " ".join(
            f"WHEN {test} THEN {clause.change.value}"
            for test, clause in zip(tests, change.clauses, strict=True)
        )
        outputs = [
            f"{file} AS {quoted(_FILE)}",
            f"{row} AS {quoted(_ROW)}",
            f"CAST(CASE {picks} END AS INTEGER) AS {quoted(_CHANGE)}",
        ]
        for name, value in target.items():
            arms = " ".join(
                f"WHEN {test} THEN {values[name]}" for test, values in zip(tests, made, strict=True)
            )
            kind = to_duckdb_type(value.type)
            outputs.append(f"CAST(CASE {arms} END AS {kind}) AS {quoted(name)}")
        sql = f"SELECT {', '.join(outputs)}{source}{where}"
        if change.verb == "MERGE":
            sql = f"SELECT * FROM ({sql}) AS changes WHERE {quoted(_CHANGE)} IS NOT NULL"
        columns = [(_FILE, BIGINT), (_ROW, BIGINT), (_CHANGE, INTEGER)]
        return sql, [*columns, *((name, value.type) for name, value in target.items())]

    def _test(
        self, clause: Clause, block: Scope, others: Scope, row: str, change: RowChange
    ) -> str:
        """When a clause is the one for a row, if none before it is."""
        if change.verb != "MERGE":
            return "true"
        adds = _adds(clause)
        test = f"{row} IS {'NULL' if adds else 'NOT NULL'}"
        if clause.condition is None:
            return test
        for node in clause.condition.find_all(exp.Anonymous):
            if node.name.lower() in _VOLATILE:
                self.source.unsupported(f"{node.name.lower()}() in WHEN", node)
        scope = others if adds else block
        return f"({test} AND {self.boolean(clause.condition, scope, 'WHEN clause').sql})"

    def _values(
        self,
        clause: Clause,
        number: int,
        target: Mapping[str, Value],
        scope: Scope,
        change: RowChange,
    ) -> dict[str, str]:
        """The new value of each of the target's columns."""
        if clause.change is Change.DELETE:
            return dict.fromkeys(target, "NULL")
        names = self._names(clause, target, change)
        values = [self.expression(value, scope) for value in clause.values]
        self._check_types(names, values, number, target, clause, change)
        kept = clause.change is Change.UPDATE
        made = {name: value.sql if kept else "NULL" for name, value in target.items()}
        for name, value in zip(names, values, strict=True):
            made[name] = coerce(value, target[name].type)
        return made

    def _names(
        self, clause: Clause, target: Mapping[str, Value], change: RowChange
    ) -> Sequence[str]:
        if not clause.columns:
            return tuple(target)
        names: list[str] = []
        for column in clause.columns:
            name = column.name.lower()
            if name not in target:
                message = (
                    f"The UPDATE SET target column {column.name} doesn't exist"
                    if change.verb == "UPDATE"
                    else f"Merge column name does not exist in target table: {column.name}"
                )
                raise self.source.error(ErrorKind.COLUMN_NOT_FOUND, message, column)
            if name in names:
                words = "Merge column" if change.verb == "MERGE" else "Column"
                message = f"{words} name is specified more than once: {column.name}"
                raise self.source.error(ErrorKind.SYNTAX_ERROR, message, column)
            names.append(name)
        return names

    def _check_types(
        self,
        names: Sequence[str],
        values: Sequence[Value],
        number: int,
        target: Mapping[str, Value],
        clause: Clause,
        change: RowChange,
    ) -> None:
        wanted = [str(target[name].type) for name in names]
        given = [str(value.type) for value in values]
        if len(given) == len(wanted) and all(map(can_be_stored, given, wanted)):
            return
        told = f"Table: [{', '.join(wanted)}], Expressions: [{', '.join(given)}]"
        if change.verb == "UPDATE":
            message = f"UPDATE table column types don't match SET expressions: {told}"
        else:
            message = (
                f"MERGE table column types don't match for MERGE case {number - 1}, "
                f"SET expressions: {told}"
            )
        raise self.source.mismatch(message, clause.node)


def _adds(clause: Clause) -> bool:
    return clause.change is Change.INSERT
