"""Why a query fails, in Athena's words and with its numbers.

Source: "Athena error catalog" in Athena's user guide. Which of its types stands for which of
Trino's errors is not documented.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from cloche.core.errors import AWSError
from cloche.engines.sql.engine import ErrorKind, QueryError

SYSTEM, USER, OTHER = 1, 2, 3

_TYPES = {
    ErrorKind.SYNTAX_ERROR: 1006,
    ErrorKind.TABLE_NOT_FOUND: 1110,
    ErrorKind.SCHEMA_NOT_FOUND: 1301,
    ErrorKind.CATALOG_NOT_FOUND: 1301,
    ErrorKind.COLUMN_NOT_FOUND: 1006,
    ErrorKind.COLUMN_TYPE_UNKNOWN: 1006,
    ErrorKind.MISSING_COLUMN_NAME: 1006,
    ErrorKind.FUNCTION_NOT_FOUND: 1303,
    ErrorKind.TYPE_MISMATCH: 1006,
    ErrorKind.INVALID_CAST_ARGUMENT: 1100,
    ErrorKind.INVALID_FUNCTION_ARGUMENT: 1106,
    ErrorKind.DIVISION_BY_ZERO: 1001,
    ErrorKind.NUMERIC_VALUE_OUT_OF_RANGE: 1001,
    ErrorKind.NOT_SUPPORTED: 1200,
    ErrorKind.JDBC_ERROR: 1000,
    ErrorKind.HIVE_BAD_DATA: 1001,
    ErrorKind.HIVE_CANNOT_OPEN_SPLIT: 1002,
    ErrorKind.CONSTRAINT_VIOLATION: 1001,
    ErrorKind.MERGE_TARGET_ROW_MULTIPLE_MATCHES: 1001,
    ErrorKind.EXCEEDED_MEMORY_LIMIT: 0,
    ErrorKind.EXCEEDED_SCAN_LIMIT: 1008,
    ErrorKind.GENERIC_USER_ERROR: 1000,
    ErrorKind.GENERIC_INTERNAL_ERROR: 200,
}
_NAMED = re.compile(r"(?:HIVE|INVALID|ICEBERG)_[A-Z_]+: ")
_TOO_LARGE = "statement is too large (stack overflow during analysis)"
_EXHAUSTED = "Query exhausted resources at this scale factor"


class QueryFailed(Exception):
    """A query fails for a reason that is not the engine's.

    Attributes:
        reason: Athena's StateChangeReason.
        category: `SYSTEM`, `USER` or `OTHER`.
        type: of Athena's error catalog.
        state: `FAILED`, or `CANCELLED` where Athena itself cancels.
    """

    def __init__(
        self,
        reason: str,
        *,
        category: int = USER,
        type: int = 1003,
        state: Literal["FAILED", "CANCELLED"] = "FAILED",
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.category = category
        self.type = type
        self.state = state


def ddl_failed(message: str) -> QueryFailed:
    """A DDL statement fails as Hive's does."""
    return QueryFailed(f"FAILED: {message}", type=1003)


def not_built(what: str) -> QueryFailed:
    """What Athena has and Cloche does not run yet."""
    return QueryFailed(f"NOT_SUPPORTED: Cloche does not run {what} yet.", type=1200)


def permission_denied(message: str, *, is_s3: bool = False) -> QueryFailed:
    """The caller may not do what the query needs."""
    return QueryFailed(f"PERMISSION_DENIED: {message}", type=1501 if is_s3 else 1500)


def as_failure(error: BaseException) -> QueryFailed:
    """What to tell of an error that ended a query."""
    if isinstance(error, QueryFailed):
        return error
    if isinstance(error, QueryError):
        return _of_engine(error)
    if isinstance(error, RecursionError):
        return _of_engine(QueryError(ErrorKind.SYNTAX_ERROR, _TOO_LARGE, line=1, column=1))
    if isinstance(error, AWSError):
        return QueryFailed(f"{error.code}: {error.message}", type=1009)
    return QueryFailed(
        f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}", category=SYSTEM, type=200
    )


def athena_error(failure: QueryFailed) -> dict[str, Any]:
    """`AthenaError` as in the model."""
    return {
        "ErrorCategory": failure.category,
        "ErrorType": failure.type,
        "Retryable": failure.category == SYSTEM,
        "ErrorMessage": failure.reason,
    }


def _of_engine(error: QueryError) -> QueryFailed:
    if error.kind == ErrorKind.EXCEEDED_SCAN_LIMIT:
        return QueryFailed(
            "Query cancelled! : Bytes scanned limit was exceeded", type=1008, state="CANCELLED"
        )
    if error.kind == ErrorKind.EXCEEDED_MEMORY_LIMIT:
        return QueryFailed(f"{_EXHAUSTED}: {error.message}", type=0)
    category = SYSTEM if error.kind == ErrorKind.GENERIC_INTERNAL_ERROR else USER
    # A message that begins with a name of Trino's own (HIVE_PATH_ALREADY_EXISTS) needs no other.
    reason = error.message if _NAMED.match(error.message) else str(error)
    return QueryFailed(reason, category=category, type=_TYPES[error.kind])
