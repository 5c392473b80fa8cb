"""Views as Presto keeps them in the catalog: JSON in base64 within a comment."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cloche.engines.sql.engine import Column, ErrorKind, QueryError, View
from cloche.services.athena.data_catalog_records import AWS_DATA_CATALOG

_TEXT = re.compile(r"/\*\s*Presto View:\s*([A-Za-z0-9+/=\s]+?)\s*\*/")
EXPANDED_TEXT = "/* Presto View */"


def is_view(table: Mapping[str, Any]) -> bool:
    """Whether a table of the catalog is a view."""
    return table.get("TableType") == "VIRTUAL_VIEW"


def view_text(sql: str, catalog: str, schema: str, columns: Sequence[Column]) -> str:
    """The catalog's `ViewOriginalText`, columns with types in Trino's names."""
    content = {
        "originalSql": sql,
        "catalog": catalog,
        "schema": schema,
        "columns": [{"name": each.name, "type": each.type} for each in columns],
    }
    return f"/* Presto View: {base64.b64encode(msgspec.json.encode(content)).decode()} */"


def read_view(table: Mapping[str, Any]) -> View:
    """A view of the catalog.

    Raises:
        QueryError: it is not one of Presto's.
    """
    match = _TEXT.fullmatch((table.get("ViewOriginalText") or "").strip())
    try:
        if match is None:
            raise ValueError
        content: dict[str, Any] = msgspec.json.decode(base64.b64decode(match[1]))
        columns = tuple(Column(each["name"], each["type"]) for each in content["columns"])
        return View(
            sql=content["originalSql"],
            catalog=(content.get("catalog") or AWS_DATA_CATALOG).lower(),
            schema=(content.get("schema") or table["DatabaseName"]).lower(),
            columns=columns,
        )
    except (ValueError, binascii.Error, msgspec.DecodeError, KeyError, TypeError):
        raise QueryError(
            ErrorKind.NOT_SUPPORTED,
            f"INVALID_VIEW: {table['DatabaseName']}.{table['Name']} is not a Presto view",
        ) from None
