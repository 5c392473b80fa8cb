from __future__ import annotations

from typing import Any

import pytest

from tests.live_server import LiveServer
from tests.services.glue.conftest import refused, table_input


@pytest.fixture
def glue(fresh_server: LiveServer) -> Any:
    glue = fresh_server.client("glue")
    for database in ("air", "shop"):
        glue.create_database(DatabaseInput={"Name": database})
    glue.create_table(DatabaseName="air", TableInput=table_input("customer-link"))
    glue.create_table(DatabaseName="air", TableInput=table_input("xxlinkyy", Description="Planes"))
    fresh_server.advance(1000)
    json = {"classification": "json"}
    given = {"Name": "orders", "Parameters": json, "Owner": "me"}
    glue.create_table(DatabaseName="shop", TableInput=given)
    return glue


def found(glue: Any, **request: Any) -> list[str]:
    tables: list[str] = []
    token: dict[str, str] = {}
    while True:
        answer = glue.search_tables(**request, **token)
        tables += [each["Name"] for each in answer["TableList"]]
        if "NextToken" not in answer:
            return tables
        token = {"NextToken": answer["NextToken"]}


def test_tables_of_all_databases_are_found_in_pages(glue: Any) -> None:
    assert found(glue, MaxResults=1) == ["customer-link", "xxlinkyy", "orders"]
    assert found(glue, ResourceShareType="FOREIGN") == []


def test_filters_compare_tokens_of_properties(glue: Any) -> None:
    def filtered(*predicates: tuple[str, str]) -> list[str]:
        return found(glue, Filters=[{"Key": key, "Value": value} for key, value in predicates])

    assert filtered(("Name", "link")) == ["customer-link"]
    assert filtered(("DatabaseName", "air")) == ["customer-link", "xxlinkyy"]
    assert filtered(("classification", "json")) == ["orders"]
    assert filtered(("DatabaseName", "air"), ("Description", "planes")) == ["xxlinkyy"]
    assert filtered(("Owner", "you")) == []


def test_times_are_compared(glue: Any) -> None:
    made = glue.get_table(DatabaseName="shop", Name="orders")["Table"]["CreateTime"]
    for comparator, names in (
        ("LESS_THAN", ["customer-link", "xxlinkyy"]),
        ("GREATER_THAN_EQUALS", ["orders"]),
        ("EQUALS", ["orders"]),
        ("GREATER_THAN", []),
    ):
        predicate = {"Key": "CreateTime", "Comparator": comparator}
        iso = {**predicate, "Value": made.replace(microsecond=0).isoformat()}
        assert found(glue, Filters=[iso]) == names
    bad = {"Key": "CreateTime", "Value": "yesterday"}
    refused("InvalidInputException", glue.search_tables, Filters=[bad])


def test_text_may_be_anywhere_and_in_quotes_is_all(glue: Any) -> None:
    assert found(glue, SearchText="LINK") == ["customer-link", "xxlinkyy"]
    assert found(glue, SearchText='"link"') == []
    assert found(glue, SearchText='"orders"') == ["orders"]
    assert found(glue, SearchText="delay") == ["customer-link", "xxlinkyy"]
    assert found(glue, SearchText="json") == ["orders"]


def test_tables_are_sorted(glue: Any) -> None:
    by_name = [{"FieldName": "Name", "Sort": "DESC"}]
    assert found(glue, SortCriteria=by_name) == ["xxlinkyy", "orders", "customer-link"]
    refused(
        "InvalidInputException",
        glue.search_tables,
        SortCriteria=[{"FieldName": "x", "Sort": "ASC"}],
    )
