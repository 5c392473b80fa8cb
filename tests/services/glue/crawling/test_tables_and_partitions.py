"""Which folders become tables, which partitions, and what they are called."""

from __future__ import annotations

import hashlib
import json

import pyarrow as pa

from tests.services.glue.crawling.conftest import Lake, columns, keys, parquet_bytes


def test_hive_style_folders_are_partitions(lake: Lake) -> None:
    for year, month in ((2013, 1), (2013, 2), (2014, 1)):
        lake.put_csv(f"sales/year={year}/month={month}/a.csv", "id,name", f"{year},x")
    tables = lake.crawl("sales")
    assert tables.keys() == {"sales"}
    assert keys(tables["sales"]) == ["year", "month"]
    assert {key["Type"] for key in tables["sales"]["PartitionKeys"]} == {"string"}
    found = lake.partitions("sales")
    assert found.keys() == {("2013", "1"), ("2013", "2"), ("2014", "1")}
    storage = found["2013", "2"]["StorageDescriptor"]
    assert storage["Location"] == f"s3://{lake.bucket}/sales/year=2013/month=2/"
    assert columns(found["2013", "2"]) == {"id": "bigint", "name": "string"}
    assert tables["sales"]["Parameters"]["objectCount"] == "3"
    assert tables["sales"]["Parameters"]["recordCount"] == "3"


def test_values_in_folders_are_unescaped(lake: Lake) -> None:
    lake.put_csv("t/at=2024-01-01 10%3A00/a.csv", "id,name", "1,x")
    lake.crawl("t")
    assert lake.partitions("t").keys() == {("2024-01-01 10:00",)}


def test_plain_folders_are_numbered_partitions(lake: Lake) -> None:
    for folder in ("2013/01", "2013/02", "2014/01"):
        lake.put_csv(f"logs/{folder}/a.csv", "id,name", "1,x")
    # 2014 has a single month, which is a partition only with others beside it
    lake.put_csv("logs/2014/02/a.csv", "id,name", "1,x")
    tables = lake.crawl("logs")
    assert tables.keys() == {"logs"}
    assert keys(tables["logs"]) == ["partition_0", "partition_1"]
    assert ("2014", "02") in lake.partitions("logs")


def test_folders_of_other_schemas_are_tables(lake: Lake) -> None:
    lake.put_csv("db/orders/a.csv", "id,total", "1,2.5")
    lake.put_csv("db/customers/a.csv", "customer,city,zip", "x,y,1")
    lake.put("db/events/a.json", '{"id": 1, "total": 2.5}')
    tables = lake.crawl("db")
    assert tables.keys() == {"orders", "customers", "events"}
    assert not any(keys(table) for table in tables.values())
    assert columns(tables["orders"]) == {"id": "bigint", "total": "double"}


def test_the_documented_similarity(lake: Lake) -> None:
    lake.put("table1/year=2017/data1.json", '{"A": 1, "B": 2}')
    lake.put("table1/year=2018/data2.json", '{"C": 3, "D": 4}')
    tables = lake.crawl("table1")
    assert tables.keys() == {"year_2017", "year_2018"}


def test_compatible_schemas_can_be_combined(lake: Lake) -> None:
    lake.put("table1/year=2017/data1.json", '{"A": 1, "B": 2}')
    lake.put("table1/year=2018/data2.json", '{"C": 3, "D": 4}')
    grouping = {"Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas"}}
    tables = lake.crawl("table1", configuration=grouping)
    assert tables.keys() == {"table1"}
    assert keys(tables["table1"]) == ["year"]
    assert columns(tables["table1"]) == {"a": "int", "b": "int", "c": "int", "d": "int"}


def test_most_of_the_folders_are_similar(lake: Lake) -> None:
    for day in range(9):
        lake.put(f"t/day={day}/a.json", '{"a": 1, "b": 2}')
    lake.put("t/day=9/a.json", '{"c": 1}')
    tables = lake.crawl("t")
    assert tables.keys() == {"t"}
    assert columns(lake.partitions("t")["9",]) == {"c": "int"}


def test_the_level_of_tables(lake: Lake) -> None:
    for store in ("store1", "store2"):
        for year in ("2013", "2014"):
            lake.put_csv(f"sales/{store}/{year}/a.csv", "id,name", "1,x")
    level = {"Grouping": {"TableLevelConfiguration": 3}}
    tables = lake.crawl("sales", configuration=level)
    assert tables.keys() == {"store1", "store2"}
    assert keys(tables["store1"]) == ["partition_0"]


def test_files_of_other_formats_in_a_folder_are_tables_of_their_own(lake: Lake) -> None:
    lake.put_csv("mixed/a.csv", "id,name", "1,x")
    lake.put("mixed/b.json", '{"x": 1}')
    tables = lake.crawl("mixed")
    assert tables.keys() == {"a_csv", "b_json"}
    location = tables["a_csv"]["StorageDescriptor"]["Location"]
    assert location == f"s3://{lake.bucket}/mixed/a.csv"


def test_a_bucket_and_a_single_file_as_targets(lake: Lake) -> None:
    lake.put_csv("only.csv", "id,name", "1,x")
    assert lake.crawl("").keys() == {lake.bucket.replace("-", "_")}
    assert "only_csv" not in lake.tables()
    other = Lake(lake.server)
    other.put_csv("folder/only.csv", "id,name", "1,x")
    other.put_csv("folder/only.csv.old", "other,columns,here", "x,y,1")
    tables = other.crawl("folder/only.csv")
    assert tables.keys() == {"only_csv"}


def test_an_object_called_as_the_targets_folder(lake: Lake) -> None:
    lake.put("t", "not in the folder")
    lake.put_csv("t/a.csv", "id,name", "1,x")
    assert columns(lake.crawl("t")["t"]) == {"id": "bigint", "name": "string"}


def test_names_that_are_taken_get_a_digest(lake: Lake) -> None:
    lake.put_csv("a/Data Set/a.csv", "id,name", "1,x")
    lake.put_csv("b/Data Set/a.csv", "when,what,who", "1,x,y")
    tables = lake.crawl("a/Data Set", "b/Data Set", TablePrefix="raw_")
    location = f"s3://{lake.bucket}/b/Data Set/"
    digest = hashlib.md5(location.encode(), usedforsecurity=False).hexdigest()
    assert tables.keys() == {"raw_data_set", f"raw_data_set_{digest}"}
    assert tables[f"raw_data_set_{digest}"]["StorageDescriptor"]["Location"] == location


def test_exclusions_hidden_objects_and_empty_ones(lake: Lake) -> None:
    lake.put_csv("t/a.csv", "id,name", "1,x")
    lake.put("t/notes.txt", "words")
    lake.put("t/old/deep/b.json", '{"x": 1}')
    lake.put("t/_SUCCESS", "done")
    lake.put("t/_temporary/x.json", '{"y": 1}')
    lake.put("t/empty.csv", "")
    lake.put("t/folder/", "")
    lake.put_csv("tother/a.csv", "other,columns", "1,2")
    target = {"Path": f"s3://{lake.bucket}/t", "Exclusions": ["*.txt", "old/**"]}
    tables = lake.crawl(targets=[target])
    assert tables.keys() == {"t"}
    assert tables["t"]["Parameters"]["objectCount"] == "1"


def test_a_sample_of_each_folder_is_read(lake: Lake) -> None:
    lake.put_csv("t/a.csv", "id,name", "1,x")
    lake.put("t/b.csv", "words that are no CSV")
    target = {"Path": f"s3://{lake.bucket}/t", "SampleSize": 1}
    tables = lake.crawl(targets=[target])
    assert tables.keys() == {"t"}
    assert tables["t"]["Parameters"]["objectCount"] == "2"


def test_files_beside_folders_that_are_alike_are_one_table(lake: Lake) -> None:
    lake.put_csv("t/a.csv", "id,name", "1,x")
    lake.put_csv("t/more/b.csv", "id,name", "2,y")
    tables = lake.crawl("t")
    assert tables.keys() == {"t"}
    assert keys(tables["t"]) == []
    assert tables["t"]["Parameters"]["recordCount"] == "2"


def test_a_column_called_as_the_partition_key(lake: Lake) -> None:
    for year in (2013, 2014):
        lake.put(f"p/year={year}/a.parquet", parquet_bytes(pa.table({"year": [1], "x": [1]})))
        lake.put_csv(f"c/year={year}/a.csv", "year,x", "1,2")
    tables = lake.crawl("p", "c")
    assert columns(tables["p"]) == {"x": "bigint"}
    assert columns(tables["c"]) == {"year_1": "bigint", "x": "bigint"}


def test_an_index_of_partitions(lake: Lake) -> None:
    for year in (2013, 2014):
        lake.put_csv(f"t/year={year}/a.csv", "id,name", "1,x")
    tables = lake.crawl("t", configuration={"CreatePartitionIndex": True})
    assert tables["t"]["Parameters"]["partition_filtering.enabled"] == "true"
    found = lake.glue.get_partition_indexes(DatabaseName=lake.database, TableName="t")
    assert [each["Keys"] for each in found["PartitionIndexDescriptorList"]] == [
        [{"Name": "year", "Type": "string"}]
    ]


def test_a_threshold_of_tables(lake: Lake) -> None:
    lake.put_csv("a/x.csv", "id,name", "1,x")
    lake.put_csv("b/x.csv", "when,what,who", "1,x,y")
    output = {"CrawlerOutput": {"Tables": {"TableThreshold": 1}}}
    ran = lake.run(lake.create("a", "b", configuration=output))
    assert ran["LastCrawl"]["Status"] == "FAILED"
    assert "table threshold value provided: 1" in ran["LastCrawl"]["ErrorMessage"]
    assert lake.tables() == {}


def test_partitions_can_inherit_their_tables_schema(lake: Lake) -> None:
    lake.put("t/day=1/a.json", '{"a": 1, "b": 2}')
    lake.put("t/day=2/a.json", '{"a": 1, "b": 2, "c": "x"}')
    inherit = {"CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}}}
    lake.crawl("t", configuration=inherit)
    assert columns(lake.partitions("t")["1",]) == {"a": "int", "b": "int", "c": "string"}


def test_an_unchanged_place_changes_nothing(lake: Lake) -> None:
    for day in (1, 2):
        lake.put_csv(f"t/day={day}/a.csv", "id,name", "1,x")
    name = lake.create("t")
    lake.run(name)
    before = lake.tables()["t"]
    lake.run(name)
    assert lake.tables()["t"] == before
    latest = lake.glue.list_crawls(CrawlerName=name)["Crawls"][0]
    assert json.loads(latest["Summary"]) == {}
