"""SearchTables: tables of all databases by their properties.

Source: Glue's API reference, SearchTables: a property's text is split into tokens at punctuation,
and one of them has to be the value; comparators are for times; a search text may be anywhere, or
in quotes has to be a whole property.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cloche.core.documents import Documents
from cloche.core.operations import Call
from cloche.services.glue.arns import arn, catalog_arns, catalog_id
from cloche.services.glue.catalog_records import databases, tables
from cloche.services.glue.errors import InvalidInputException
from cloche.services.glue.keys import prefix_of
from cloche.services.glue.paging import after_token, token_after
from cloche.services.glue.refusals import account_of
from cloche.services.glue.service import service
from cloche.services.glue.stored_tables import shown_table

if TYPE_CHECKING:
    from aws_shapes import glue as shapes

_PAGE = 100
_TIMES = ("CreateTime", "UpdateTime", "LastAccessTime", "LastAnalyzedTime")
_TEXTS = ("Name", "DatabaseName", "Description", "Owner", "TableType", "CreatedBy")
_COMPARATORS: dict[str, Callable[[Any, Any], bool]] = {
    "EQUALS": operator.eq,
    "GREATER_THAN": operator.gt,
    "LESS_THAN": operator.lt,
    "GREATER_THAN_EQUALS": operator.ge,
    "LESS_THAN_EQUALS": operator.le,
}
_PUNCTUATION = re.compile(r"[^\w]+|_")


def _arns(call: Call, request: Mapping[str, Any]) -> list[str]:
    account = catalog_id(call, request)
    below = [arn(call, account, each) for each in ("database/*", "table/*/*")]
    return [*catalog_arns(call, request), *below]


@service.operation(resource=_arns)
def search_tables(call: Call, request: shapes.SearchTablesRequest) -> shapes.SearchTablesResponse:
    """Tables of all databases that have a text and meet all filters.

    Raises InvalidInputException for what is no time, comparator or field to sort by. AWS: Glue
    SearchTables.
    """
    account = account_of(call, request)
    if request.get("ResourceShareType") in ("FOREIGN", "FEDERATED"):
        return {"TableList": []}
    tests = [_predicate(each) for each in request.get("Filters") or []]
    if text := request.get("SearchText"):
        tests.append(_text_test(text))
    found = [
        table
        for table in _all_tables(call.documents, account, call.region)
        if all(test(table) for test in tests)
    ]
    _sort(found, request.get("SortCriteria") or [])
    start, limit = _offset(request.get("NextToken")), request.get("MaxResults", _PAGE)
    answer: Any = {"TableList": found[start : start + limit]}
    if len(found) > start + limit:
        answer["NextToken"] = token_after(str(start + limit))
    return answer


def _all_tables(documents: Documents, account: str, region: str) -> Iterator[dict[str, Any]]:
    for database in documents.iterate(databases, account, region):
        prefix = prefix_of(database.value.id)
        for table in documents.iterate(tables, account, region, prefix):
            yield shown_table(account, database.value.name, table.value)


def _predicate(given: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool]:
    key, value = given.get("Key", ""), given.get("Value", "")
    if key in _TIMES:
        moment, compare = _instant(value), _COMPARATORS[given.get("Comparator", "EQUALS")]
        return lambda table: key in table and compare(int(table[key]), moment)
    if given.get("Comparator", "EQUALS") != "EQUALS":
        raise InvalidInputException("Comparators other than EQUALS are for times.")
    wanted = value.lower()

    def test(table: Mapping[str, Any]) -> bool:
        text = _property(table, key)
        return text is not None and (text == wanted or wanted in _PUNCTUATION.split(text))

    return test


def _property(table: Mapping[str, Any], key: str) -> str | None:
    """A property's text in lower case: the table's own member, or one of its parameters."""
    for holder in (table, table.get("Parameters") or {}):
        for name, value in holder.items():
            if name.lower() == key.lower() and isinstance(value, str):
                return value.lower()
    return None


def _text_test(text: str) -> Callable[[Mapping[str, Any]], bool]:
    is_quoted = len(text) > 2 and text[0] == text[-1] == '"'
    wanted = (text[1:-1] if is_quoted else text).lower()
    if is_quoted:
        return lambda table: wanted in _texts(table)
    return lambda table: any(wanted in each for each in _texts(table))


def _texts(table: Mapping[str, Any]) -> list[str]:
    storage = table.get("StorageDescriptor") or {}
    columns = [*(storage.get("Columns") or ()), *table["PartitionKeys"]]
    found = [table.get(name) for name in _TEXTS]
    found += [column.get(name) for column in columns for name in ("Name", "Comment")]
    found += [storage.get("Location")]
    for name, value in (table.get("Parameters") or {}).items():
        found += [name, value]
    return [each.lower() for each in found if each]


def _sort(found: list[dict[str, Any]], criteria: Sequence[Mapping[str, Any]]) -> None:
    for each in reversed(criteria):
        field = each.get("FieldName", "")
        if field not in (*_TIMES, *_TEXTS):
            raise InvalidInputException(f"Tables cannot be sorted by {field}.")
        nothing: Any = 0 if field in _TIMES else ""
        found.sort(
            key=lambda table, field=field, nothing=nothing: table.get(field, nothing),
            reverse=each.get("Sort") == "DESC",
        )


def _instant(value: str) -> int:
    """Seconds since 1970 of a time in ISO 8601 or in seconds."""
    if value.isascii() and value.isdigit():
        return int(value)
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise InvalidInputException(f"{value} is not a time.") from None
    return int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp())


def _offset(token: str | None) -> int:
    text = after_token(token) or "0"
    if not (text.isascii() and text.isdigit()):
        raise InvalidInputException("Invalid NextToken.")
    return int(text)
