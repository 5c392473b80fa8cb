from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.live_server import LiveServer
from tests.services.glue.crawling.conftest import Lake, columns, refused


@pytest.fixture
def lake(server: LiveServer) -> Lake:
    return Lake(server)


def classifier(lake: Lake, kind: str, **settings: Any) -> str:
    name = f"classifier-{uuid4().hex[:12]}"
    lake.glue.create_classifier(**{kind: {"Name": name, **settings}})
    return name


def test_create_get_update_delete(lake: Lake) -> None:
    name = classifier(lake, "CsvClassifier", Delimiter="^", Header=["a", "b"])
    found = lake.glue.get_classifier(Name=name)["Classifier"]["CsvClassifier"]
    assert (found["Delimiter"], found["Header"], found["Version"]) == ("^", ["a", "b"], 1)
    lake.glue.update_classifier(CsvClassifier={"Name": name, "Delimiter": "~"})
    found = lake.glue.get_classifier(Name=name)["Classifier"]["CsvClassifier"]
    assert (found["Delimiter"], found["Header"], found["Version"]) == ("~", ["a", "b"], 2)
    listed = lake.glue.get_paginator("get_classifiers").paginate(PaginationConfig={"PageSize": 1})
    names = [next(iter(each.values()))["Name"] for page in listed for each in page["Classifiers"]]
    assert name in names
    again = {"CsvClassifier": {"Name": name}}
    refused("AlreadyExistsException", lake.glue.create_classifier, **again)
    other = {"JsonClassifier": {"Name": name, "JsonPath": "$.a"}}
    refused("EntityNotFoundException", lake.glue.update_classifier, **other)
    lake.glue.delete_classifier(Name=name)
    refused("EntityNotFoundException", lake.glue.get_classifier, Name=name)
    refused("EntityNotFoundException", lake.glue.delete_classifier, Name=name)


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("InvalidInputException", {}),
        ("InvalidInputException", {"JsonClassifier": {"Name": "x", "JsonPath": "a"}}),
        (
            "InvalidInputException",
            {"CsvClassifier": {"Name": "x", "Delimiter": "'", "QuoteSymbol": "'"}},
        ),
        ("InvalidInputException", {"CsvClassifier": {"Name": "x", "CustomDatatypes": ["INT"]}}),
        (
            "InvalidInputException",
            {
                "CsvClassifier": {
                    "Name": "x",
                    "CustomDatatypeConfigured": True,
                    "CustomDatatypes": ["MONEY"],
                }
            },
        ),
        (
            "InvalidInputException",
            {"GrokClassifier": {"Name": "x", "Classification": "c", "GrokPattern": "%{NONE:x}"}},
        ),
        (
            "NotImplementedException",
            {"XMLClassifier": {"Name": "x", "Classification": "c", "RowTag": "r"}},
        ),
    ],
)
def test_what_is_refused(lake: Lake, code: str, given: dict[str, Any]) -> None:
    refused(code, lake.glue.create_classifier, **given)


def test_a_csv_classifier(lake: Lake) -> None:
    name = classifier(
        lake,
        "CsvClassifier",
        Delimiter="^",
        QuoteSymbol="'",
        ContainsHeader="ABSENT",
        Header=["Id", "When", "Text"],
        CustomDatatypeConfigured=True,
        CustomDatatypes=["INT", "TIMESTAMP", "STRING"],
        Serde="LazySimpleSerDe",
    )
    lake.put("t/a.csv", "1^2024-01-01 00:00:00^'a^b'\n")
    table = lake.crawl("t", Classifiers=[name])["t"]
    assert columns(table) == {"id": "int", "when": "timestamp", "text": "string"}
    serde = table["StorageDescriptor"]["SerdeInfo"]
    assert serde["SerializationLibrary"].endswith("LazySimpleSerDe")
    assert serde["Parameters"] == {"field.delim": "^"}


def test_a_json_classifier(lake: Lake) -> None:
    name = classifier(lake, "JsonClassifier", JsonPath="$.Records[*]")
    lake.put("t/a.json", '{"Records": [{"id": 1, "who": {"name": "x"}}, {"id": 2}]}')
    table = lake.crawl("t", Classifiers=[name])["t"]
    assert columns(table) == {"id": "int", "who": "struct<name:string>"}
    assert table["Parameters"]["jsonPath"] == "$.Records[*]"
    assert table["Parameters"]["recordCount"] == "2"


def test_a_grok_classifier_and_the_built_in_ones_after_it(lake: Lake) -> None:
    name = classifier(
        lake,
        "GrokClassifier",
        Classification="applog",
        GrokPattern="%{TIMESTAMP_ISO8601:at} %{LEVEL:level} %{INT:code:int} %{GREEDYDATA:text}",
        CustomPatterns="LEVEL (LOW|HIGH)",
    )
    lake.put("log/a.log", "2024-01-01T00:00:00Z LOW 1 started\n2024-01-01T00:00:01Z HIGH 2 broke\n")
    lake.put_csv("csv/a.csv", "id,name", "1,x")
    tables = lake.crawl("log", "csv", Classifiers=[name])
    assert columns(tables["log"]) == {
        "at": "string",
        "level": "string",
        "code": "int",
        "text": "string",
    }
    assert tables["log"]["Parameters"]["classification"] == "applog"
    serde = tables["log"]["StorageDescriptor"]["SerdeInfo"]
    assert serde["SerializationLibrary"] == "com.amazonaws.glue.serde.GrokSerDe"
    assert serde["Parameters"]["input.grokCustomPatterns"] == "LEVEL (LOW|HIGH)"
    assert tables["csv"]["Parameters"]["classification"] == "csv"


def test_a_classifier_that_is_gone_fails_the_crawl(lake: Lake) -> None:
    name = classifier(lake, "JsonClassifier", JsonPath="$.a")
    crawler = lake.create("t", Classifiers=[name])
    lake.glue.delete_classifier(Name=name)
    last = lake.run(crawler)["LastCrawl"]
    assert last["Status"] == "FAILED"
    assert name in last["ErrorMessage"]
