from __future__ import annotations

from typing import Any

from tests.services.glue.conftest import partition_input, refused

DOUBLE = {
    "MinimumValue": -3.5,
    "MaximumValue": 11.0,
    "NumberOfNulls": 1,
    "NumberOfDistinctValues": 2,
}


def statistics(column: str = "delay", **data: Any) -> dict[str, Any]:
    return {
        "ColumnName": column,
        "ColumnType": "double",
        "AnalyzedTime": 1_700_000_000,
        "StatisticsData": data or {"Type": "DOUBLE", "DoubleColumnStatisticsData": DOUBLE},
    }


def test_statistics_of_a_table_come_back(glue: Any, table: dict[str, str]) -> None:
    answer = glue.update_column_statistics_for_table(
        **table, ColumnStatisticsList=[statistics(), statistics("tail")]
    )
    assert [each["ColumnStatistics"]["ColumnName"] for each in answer["Errors"]] == ["tail"]
    assert answer["Errors"][0]["Error"]["ErrorCode"] == "InvalidInputException"
    found = glue.get_column_statistics_for_table(**table, ColumnNames=["delay", "year"])
    (delay,) = found["ColumnStatisticsList"]
    assert delay["StatisticsData"] == {"Type": "DOUBLE", "DoubleColumnStatisticsData": DOUBLE}
    assert delay["AnalyzedTime"].timestamp() == 1_700_000_000
    assert [each["ColumnName"] for each in found["Errors"]] == ["year"]
    glue.delete_column_statistics_for_table(**table, ColumnName="delay")
    refused(
        "EntityNotFoundException",
        glue.delete_column_statistics_for_table,
        **table,
        ColumnName="delay",
    )


def test_binary_and_times_survive(glue: Any, table: dict[str, str]) -> None:
    decimal = {
        "MinimumValue": {"UnscaledValue": b"\x00\xff\x10", "Scale": 2},
        "NumberOfNulls": 0,
        "NumberOfDistinctValues": 1,
    }
    date = {"MaximumValue": 1_600_000_000, "NumberOfNulls": 0, "NumberOfDistinctValues": 1}
    given = [
        statistics(Type="DECIMAL", DecimalColumnStatisticsData=decimal),
        statistics("year", Type="DATE", DateColumnStatisticsData=date),
    ]
    answer = glue.update_column_statistics_for_table(**table, ColumnStatisticsList=given)
    assert not answer.get("Errors")
    found = glue.get_column_statistics_for_table(**table, ColumnNames=["delay", "year"])
    delay, year = (each["StatisticsData"] for each in found["ColumnStatisticsList"])
    assert delay["DecimalColumnStatisticsData"] == decimal
    assert year["DateColumnStatisticsData"]["MaximumValue"].timestamp() == 1_600_000_000


def test_statistics_of_another_type_than_said_are_refused(glue: Any, table: dict[str, str]) -> None:
    wrong = statistics(Type="LONG", DoubleColumnStatisticsData=DOUBLE)
    answer = glue.update_column_statistics_for_table(**table, ColumnStatisticsList=[wrong])
    assert answer["Errors"][0]["Error"]["ErrorCode"] == "InvalidInputException"


def test_statistics_of_a_partition_are_its_own_and_go_with_it(
    glue: Any, table: dict[str, str]
) -> None:
    for carrier in ("UA", "AA"):
        glue.create_partition(**table, PartitionInput=partition_input("2013", carrier))
    ua = {**table, "PartitionValues": ["2013", "UA"]}
    aa = {**table, "PartitionValues": ["2013", "AA"]}
    glue.update_column_statistics_for_partition(**ua, ColumnStatisticsList=[statistics()])
    found = glue.get_column_statistics_for_partition(**ua, ColumnNames=["delay"])
    assert len(found["ColumnStatisticsList"]) == 1
    other = glue.get_column_statistics_for_partition(**aa, ColumnNames=["delay"])
    assert other["ColumnStatisticsList"] == []
    whole = glue.get_column_statistics_for_table(**table, ColumnNames=["delay"])
    assert whole["ColumnStatisticsList"] == []
    refused(
        "EntityNotFoundException",
        glue.get_column_statistics_for_partition,
        **table,
        PartitionValues=["2014", "UA"],
        ColumnNames=["delay"],
    )
    glue.delete_partition(**ua)
    glue.create_partition(**table, PartitionInput=partition_input("2013", "UA"))
    found = glue.get_column_statistics_for_partition(**ua, ColumnNames=["delay"])
    assert found["ColumnStatisticsList"] == []
    glue.update_column_statistics_for_partition(**ua, ColumnStatisticsList=[statistics()])
    glue.delete_column_statistics_for_partition(**ua, ColumnName="DELAY")
    found = glue.get_column_statistics_for_partition(**ua, ColumnNames=["delay"])
    assert found["ColumnStatisticsList"] == []
