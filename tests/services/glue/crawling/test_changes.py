"""Second crawls: what has changed, under each policy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.glue.crawling.conftest import Lake, columns, refused

LOG = {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}


def policy(update: str, delete: str = "LOG") -> dict[str, str]:
    return {"UpdateBehavior": update, "DeleteBehavior": delete}


def summary(lake: Lake, name: str) -> str:
    return lake.glue.list_crawls(CrawlerName=name)["Crawls"][0]["Summary"]


def test_a_changed_schema_is_updated(lake: Lake) -> None:
    lake.put_csv("t/a.csv", "id,name", "1,x")
    name = lake.create("t", SchemaChangePolicy=policy("UPDATE_IN_DATABASE"))
    lake.run(name)
    table = lake.tables()["t"]
    given = {
        member: table[member]
        for member in ("Name", "PartitionKeys", "StorageDescriptor", "TableType")
    }
    given["StorageDescriptor"]["Columns"][0]["Comment"] = "whose it is"
    given["Parameters"] = {**table["Parameters"], "owner.team": "lake"}
    lake.glue.update_table(DatabaseName=lake.database, TableInput=given)
    lake.put_csv("t/a.csv", "id,name,score", "1,x,2.5")
    lake.run(name)
    table = lake.tables()["t"]
    assert columns(table) == {"id": "bigint", "name": "string", "score": "double"}
    assert table["StorageDescriptor"]["Columns"][0]["Comment"] == "whose it is"
    assert table["Parameters"]["owner.team"] == "lake"
    versions = lake.glue.get_table_versions(DatabaseName=lake.database, TableName="t")
    assert len(versions["TableVersions"]) == 3
    assert summary(lake, name) == '{"TABLE":{"UPDATE":{"Details":{"names":["t"]},"Count":1}}}'


def test_a_changed_schema_is_left_by_policy(lake: Lake) -> None:
    lake.put_csv("t/day=1/a.csv", "id,name", "1,x")
    name = lake.create("t", SchemaChangePolicy=LOG)
    lake.run(name)
    lake.put_csv("t/day=2/a.csv", "id,name,score", "1,x,2.5")
    lake.run(name)
    assert columns(lake.tables()["t"]) == {"id": "bigint", "name": "string"}
    assert lake.partitions("t").keys() == {("1",), ("2",)}  # new ones are still added
    assert summary(lake, name) == '{"PARTITION":{"ADD":{"Count":1}}}'


def test_new_columns_are_merged(lake: Lake) -> None:
    lake.put("t/a.json", '{"id": 1, "gone": "x"}')
    merge = {"CrawlerOutput": {"Tables": {"AddOrUpdateBehavior": "MergeNewColumns"}}}
    name = lake.create("t", configuration=merge)
    lake.run(name)
    lake.put("t/a.json", '{"id": 3000000000, "new": true}')
    lake.run(name)
    assert list(columns(lake.tables()["t"]).items()) == [
        ("id", "int"),
        ("gone", "string"),
        ("new", "boolean"),
    ]


@pytest.mark.parametrize("delete", ["LOG", "DELETE_FROM_DATABASE", "DEPRECATE_IN_DATABASE"])
def test_what_has_vanished(lake: Lake, delete: str) -> None:
    lake.put_csv("a/x.csv", "id,name", "1,x")
    lake.put_csv("b/day=1/x.csv", "when,what,who", "1,x,y")
    lake.put_csv("b/day=2/x.csv", "when,what,who", "1,x,y")
    name = lake.create("a", "b", SchemaChangePolicy=policy("UPDATE_IN_DATABASE", delete))
    lake.run(name)
    own: dict[str, Any] = {
        "Name": "own",
        "StorageDescriptor": {"Location": f"s3://{lake.bucket}/a/own"},
    }
    lake.glue.create_table(DatabaseName=lake.database, TableInput=own)
    lake.s3.delete_object(Bucket=lake.bucket, Key="a/x.csv")
    lake.s3.delete_object(Bucket=lake.bucket, Key="b/day=1/x.csv")
    lake.run(name)
    tables = lake.tables()
    partitions = lake.partitions("b")
    assert "own" in tables
    if delete == "DELETE_FROM_DATABASE":
        assert "a" not in tables
        assert partitions.keys() == {("2",)}
        return
    is_deprecated = delete == "DEPRECATE_IN_DATABASE"
    assert ("DEPRECATED_BY_CRAWLER" in tables["a"]["Parameters"]) is is_deprecated
    assert ("DEPRECATED_BY_CRAWLER" in partitions["1",].get("Parameters", {})) is is_deprecated
    lake.put_csv("a/x.csv", "id,name", "1,x")
    lake.put_csv("b/day=1/x.csv", "when,what,who", "1,x,y")
    lake.run(name)
    assert "DEPRECATED_BY_CRAWLER" not in lake.tables()["a"]["Parameters"]
    assert "DEPRECATED_BY_CRAWLER" not in lake.partitions("b")["1",].get("Parameters", {})


def test_tables_of_another_crawler_are_not_dropped(lake: Lake) -> None:
    lake.put_csv("a/x.csv", "id,name", "1,x")
    lake.crawl("a")
    lake.s3.delete_object(Bucket=lake.bucket, Key="a/x.csv")
    other = lake.create("", SchemaChangePolicy=policy("LOG", "DELETE_FROM_DATABASE"))
    lake.run(other)
    assert "a" in lake.tables()


def test_a_table_that_becomes_partitioned_is_made_anew(lake: Lake) -> None:
    lake.put_csv("t/a.csv", "id,name", "1,x")
    name = lake.create("t")
    lake.run(name)
    lake.s3.delete_object(Bucket=lake.bucket, Key="t/a.csv")
    lake.put_csv("t/day=1/a.csv", "id,name", "1,x")
    lake.run(name)
    assert [key["Name"] for key in lake.tables()["t"]["PartitionKeys"]] == ["day"]
    assert lake.partitions("t").keys() == {("1",)}


def test_only_new_folders(lake: Lake) -> None:
    lake.put_csv("t/day=1/a.csv", "id,name", "1,x")
    name = lake.create(
        "t",
        SchemaChangePolicy=LOG,
        RecrawlPolicy={"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"},
    )
    lake.run(name)
    lake.put("t/day=1/b.csv", "no CSV at all")  # an old folder is not looked into
    lake.put_csv("t/day=2/a.csv", "id,name", "2,y")
    lake.run(name)
    assert lake.tables().keys() == {"t"}
    assert lake.partitions("t").keys() == {("1",), ("2",)}
    assert lake.partitions("t")["1",]["StorageDescriptor"]["Parameters"]["objectCount"] == "1"


def test_only_new_folders_needs_policies_that_log(lake: Lake) -> None:
    message = refused(
        "InvalidInputException",
        lake.glue.create_crawler,
        Name="x",
        Role=lake.role,
        DatabaseName="x",
        Targets={"S3Targets": [{"Path": f"s3://{lake.bucket}/t"}]},
        RecrawlPolicy={"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"},
    )
    assert "SchemaChangePolicy must be LOG" in message
