from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.services.glue.conftest import partition_input, refused, table_input


def values_of(partitions: list[Any]) -> list[list[str]]:
    return [each["Values"] for each in partitions]


def listed(glue: Any, table: dict[str, str], size: int = 2, **request: Any) -> list[list[str]]:
    pages = glue.get_paginator("get_partitions").paginate(
        **table, **request, PaginationConfig={"PageSize": size}
    )
    return [each["Values"] for page in pages for each in page["Partitions"]]


def test_partition_is_kept_as_it_was_given(glue: Any, table: dict[str, str]) -> None:
    given = partition_input("2013", "UA", Parameters={"a": "b"}, LastAccessTime=1_700_000_000)
    glue.create_partition(**table, PartitionInput=given)
    found = glue.get_partition(**table, PartitionValues=["2013", "UA"])["Partition"]
    assert found["Values"] == ["2013", "UA"]
    assert found["Parameters"] == {"a": "b"}
    assert found["LastAccessTime"].timestamp() == 1_700_000_000
    assert given["StorageDescriptor"].items() <= found["StorageDescriptor"].items()
    assert (found["DatabaseName"], found["TableName"]) == (table["DatabaseName"], "flights")
    assert found["CreationTime"].year > 2000
    message = refused(
        "AlreadyExistsException", glue.create_partition, **table, PartitionInput=given
    )
    assert message == "Partition already exists."
    refused("EntityNotFoundException", glue.get_partition, **table, PartitionValues=["2013", "AA"])


def test_values_are_as_many_as_keys(glue: Any, table: dict[str, str]) -> None:
    for values in ([], ["2013"], ["2013", "UA", "x"]):
        message = refused(
            "InvalidInputException",
            glue.create_partition,
            **table,
            PartitionInput=partition_input(*values),
        )
        assert message == (
            "The number of partition keys do not match the number of partition values"
        )


def test_table_without_keys_has_no_partitions(glue: Any, database: str) -> None:
    table = {"DatabaseName": database, "TableName": "t"}
    glue.create_table(DatabaseName=database, TableInput={"Name": "t"})
    for given in ({"Values": []}, {"Values": ["x"]}, {}):
        refused("InvalidInputException", glue.create_partition, **table, PartitionInput=given)
    assert glue.get_partitions(**table)["Partitions"] == []


def test_batch_adds_what_it_can_and_tells_the_rest(glue: Any, table: dict[str, str]) -> None:
    glue.create_partition(**table, PartitionInput=partition_input("2013", "UA"))
    inputs = [
        partition_input("2013", "AA"),
        partition_input("2013", "UA", Parameters={"changed": "yes"}),
        partition_input("2014"),
        partition_input("2014", "AA"),
        partition_input("2014", "AA"),
    ]
    errors = glue.batch_create_partition(**table, PartitionInputList=inputs)["Errors"]
    assert [(each["PartitionValues"], each["ErrorDetail"]["ErrorCode"]) for each in errors] == [
        (["2013", "UA"], "AlreadyExistsException"),
        (["2014"], "InvalidInputException"),
        (["2014", "AA"], "AlreadyExistsException"),
    ]
    assert listed(glue, table) == [["2013", "AA"], ["2013", "UA"], ["2014", "AA"]]
    kept = glue.get_partition(**table, PartitionValues=["2013", "UA"])["Partition"]
    assert "Parameters" not in kept
    nowhere = {"DatabaseName": table["DatabaseName"], "TableName": "nothing"}
    refused(
        "EntityNotFoundException",
        glue.batch_create_partition,
        **nowhere,
        PartitionInputList=inputs,
    )


AWKWARD = ["/", "a/b", "a", "a b", "Ä", "日本", "😀", "a\tb", "%2F", "..", "x" * 1000, "A", " "]


def test_any_value_is_safe_and_none_is_taken_for_another(glue: Any, database: str) -> None:
    keys = [{"Name": "a", "Type": "string"}, {"Name": "b", "Type": "string"}]
    glue.create_table(DatabaseName=database, TableInput=table_input("t", PartitionKeys=keys))
    table = {"DatabaseName": database, "TableName": "t"}
    pairs = [[one, other] for one in AWKWARD for other in AWKWARD]
    for start in range(0, len(pairs), 100):
        inputs = [{"Values": pair} for pair in pairs[start : start + 100]]
        assert glue.batch_create_partition(**table, PartitionInputList=inputs)["Errors"] == []
    found = listed(glue, table, size=7)
    assert sorted(found) == sorted(pairs)
    assert found == sorted(pairs, key=lambda pair: [each.encode() for each in pair])
    for pair in pairs:
        answer = glue.get_partition(**table, PartitionValues=pair)
        assert answer["Partition"]["Values"] == pair
    glue.delete_partition(**table, PartitionValues=["a/b", "a"])
    assert len(listed(glue, table, size=1000)) == len(pairs) - 1


def test_batch_get_leaves_out_what_is_not_there(glue: Any, table: dict[str, str]) -> None:
    for values in (("2013", "UA"), ("2014", "AA")):
        glue.create_partition(**table, PartitionInput=partition_input(*values))
    answer = glue.batch_get_partition(
        **table,
        PartitionsToGet=[
            {"Values": ["2014", "AA"]},
            {"Values": ["2015", "AA"]},
            {"Values": ["2013", "UA"]},
        ],
    )
    assert values_of(answer["Partitions"]) == [["2014", "AA"], ["2013", "UA"]]
    assert answer["UnprocessedKeys"] == []


def test_update_replaces_a_partition_and_may_move_it(glue: Any, table: dict[str, str]) -> None:
    for values in (("2013", "UA"), ("2014", "AA")):
        glue.create_partition(**table, PartitionInput=partition_input(*values))
    before = glue.get_partition(**table, PartitionValues=["2013", "UA"])["Partition"]
    glue.update_partition(
        **table,
        PartitionValueList=["2013", "UA"],
        PartitionInput={"Values": ["2013", "DL"], "Parameters": {"a": "b"}},
    )
    assert listed(glue, table) == [["2013", "DL"], ["2014", "AA"]]
    found = glue.get_partition(**table, PartitionValues=["2013", "DL"])["Partition"]
    assert found["Parameters"] == {"a": "b"}
    assert "StorageDescriptor" not in found
    assert found["CreationTime"] == before["CreationTime"]
    refused(
        "AlreadyExistsException",
        glue.update_partition,
        **table,
        PartitionValueList=["2013", "DL"],
        PartitionInput={"Values": ["2014", "AA"]},
    )
    refused(
        "EntityNotFoundException",
        glue.update_partition,
        **table,
        PartitionValueList=["2013", "UA"],
        PartitionInput={"Values": ["2013", "UA"]},
    )


def test_batch_update_and_delete_tell_what_they_cannot_do(glue: Any, table: dict[str, str]) -> None:
    for values in (("2013", "UA"), ("2014", "AA"), ("2015", "AA")):
        glue.create_partition(**table, PartitionInput=partition_input(*values))
    entries = [
        {"PartitionValueList": ["2013", "UA"], "PartitionInput": {"Values": ["2012", "UA"]}},
        {"PartitionValueList": ["2019", "UA"], "PartitionInput": {"Values": ["2019", "UA"]}},
    ]
    errors = glue.batch_update_partition(**table, Entries=entries)["Errors"]
    assert [each["PartitionValueList"] for each in errors] == [["2019", "UA"]]
    assert errors[0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    gone = [{"Values": ["2014", "AA"]}, {"Values": ["2019", "AA"]}]
    errors = glue.batch_delete_partition(**table, PartitionsToDelete=gone)["Errors"]
    assert [each["PartitionValues"] for each in errors] == [["2019", "AA"]]
    assert listed(glue, table) == [["2012", "UA"], ["2015", "AA"]]
    refused("EntityNotFoundException", glue.delete_partition, **table, PartitionValues=["1", "x"])


def test_expression_is_about_the_keys_types(glue: Any, table: dict[str, str]) -> None:
    pairs = [[year, carrier] for year in ("9", "10", "2013") for carrier in ("AA", "UA")]
    inputs = [{"Values": pair} for pair in pairs]
    glue.batch_create_partition(**table, PartitionInputList=inputs)
    assert listed(glue, table, Expression="year < 100 AND carrier = 'UA'") == [
        ["10", "UA"],
        ["9", "UA"],
    ]
    assert listed(glue, table, size=1, Expression="carrier LIKE 'A%'") == [
        ["10", "AA"],
        ["2013", "AA"],
        ["9", "AA"],
    ]
    assert "tail" in refused(
        "InvalidInputException", glue.get_partitions, **table, Expression="tail = 'x'"
    )
    refused("InvalidInputException", glue.get_partitions, **table, Expression="year = 'many'")
    message = refused("InvalidInputException", glue.get_partitions, **table, Expression="year = ")
    assert message == (
        "Invalid partition expression! Unexpected end of the expression at position 7."
    )


def test_segments_share_all_partitions_among_them(glue: Any, table: dict[str, str]) -> None:
    pairs = [[str(year), "UA"] for year in range(100)]
    inputs = [{"Values": pair} for pair in pairs]
    glue.batch_create_partition(**table, PartitionInputList=inputs)

    def segment(number: int) -> list[list[str]]:
        return listed(glue, table, size=10, Segment={"SegmentNumber": number, "TotalSegments": 4})

    with ThreadPoolExecutor(4) as threads:
        segments = list(threads.map(segment, range(4)))
    assert all(segments)
    assert sorted(pair for each in segments for pair in each) == sorted(pairs)
    refused(
        "InvalidInputException",
        glue.get_partitions,
        **table,
        Segment={"SegmentNumber": 4, "TotalSegments": 4},
    )


def test_columns_are_left_out_if_asked(glue: Any, table: dict[str, str]) -> None:
    glue.create_partition(**table, PartitionInput=partition_input("2013", "UA"))
    found = glue.get_partitions(**table, ExcludeColumnSchema=True)["Partitions"][0]
    assert "Columns" not in found["StorageDescriptor"]
    assert found["StorageDescriptor"]["Location"] == "s3://lake/flights/2013/UA"
    found = glue.get_partitions(**table)["Partitions"][0]
    assert found["StorageDescriptor"]["Columns"] == [{"Name": "delay", "Type": "double"}]


@pytest.mark.parametrize("member", ["TransactionId", "QueryAsOfTime"])
def test_what_is_not_done_is_refused(glue: Any, table: dict[str, str], member: str) -> None:
    value: Any = "x" if member == "TransactionId" else 1_700_000_000
    message = refused("NotImplementedException", glue.get_partitions, **table, **{member: value})
    assert member in message


def test_partition_indexes(glue: Any, database: str) -> None:
    index = {"IndexName": "by_year", "Keys": ["year"]}
    glue.create_table(DatabaseName=database, TableInput=table_input(), PartitionIndexes=[index])
    table = {"DatabaseName": database, "TableName": "flights"}
    both = {"IndexName": "both", "Keys": ["year", "carrier"]}
    glue.create_partition_index(**table, PartitionIndex=both)
    found = glue.get_partition_indexes(**table)["PartitionIndexDescriptorList"]
    assert found == [
        {
            "IndexName": "by_year",
            "Keys": [{"Name": "year", "Type": "int"}],
            "IndexStatus": "ACTIVE",
        },
        {
            "IndexName": "both",
            "Keys": [{"Name": "year", "Type": "int"}, {"Name": "carrier", "Type": "string"}],
            "IndexStatus": "ACTIVE",
        },
    ]
    refused("AlreadyExistsException", glue.create_partition_index, **table, PartitionIndex=both)
    without = table_input(PartitionKeys=[{"Name": "year", "Type": "int"}])
    refused("InvalidInputException", glue.update_table, DatabaseName=database, TableInput=without)
    for keys in (["tail"], ["carrier", "carrier"]):
        bad = {"IndexName": "x", "Keys": keys}
        refused("InvalidInputException", glue.create_partition_index, **table, PartitionIndex=bad)
    glue.delete_partition_index(**table, IndexName="by_year")
    refused("EntityNotFoundException", glue.delete_partition_index, **table, IndexName="by_year")
