"""The catalog as other services use it, on each store of documents."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from cloche.core.documents import Documents
from cloche.services.glue import catalog, orphans
from cloche.services.glue.catalog_records import partitions, table_versions, tables
from cloche.services.glue.errors import (
    AlreadyExistsException,
    ConcurrentModificationException,
    EntityNotFoundException,
    InvalidInputException,
)
from cloche.services.glue.stored_databases import find_database
from cloche.services.glue.stored_tables import drop_table
from tests.services.glue.conftest import partition_input, table_input

HERE = ("000000000000", "us-east-1")
FLIGHTS = (*HERE, "air", "flights")


@pytest.fixture
def lake(documents: Documents) -> Documents:
    """A catalog with one partitioned table."""
    catalog.create_database(documents, *HERE, {"Name": "Air", "Description": "d"}, 5.0)
    catalog.create_table(documents, *HERE, "AIR", table_input("Flights"), 6.5, created_by="me")
    return documents


def test_databases(lake: Documents) -> None:
    found = catalog.get_database(lake, *HERE, "aiR")
    assert (found["Name"], found["Description"], found["CreateTime"]) == ("air", "d", 5.0)
    catalog.create_database(lake, *HERE, {"Name": "sea"}, 7.0)
    assert [each["Name"] for each in catalog.list_databases(lake, *HERE)] == ["air", "sea"]
    assert catalog.list_databases(lake, "111111111111", "us-east-1") == []
    assert catalog.list_databases(lake, "000000000000", "eu-west-1") == []
    with pytest.raises(AlreadyExistsException):
        catalog.create_database(lake, *HERE, {"Name": "SEA"}, 8.0)
    catalog.delete_database(lake, *HERE, "Sea")
    with pytest.raises(EntityNotFoundException):
        catalog.delete_database(lake, *HERE, "sea")


def test_tables(lake: Documents) -> None:
    found = catalog.get_table(lake, *HERE, "Air", "FLIGHTS")
    assert (found["CreateTime"], found["CreatedBy"], found["VersionId"]) == (6.5, "me", "0")
    assert catalog.find_table(lake, *FLIGHTS) == found
    assert catalog.find_table(lake, *HERE, "air", "planes") is None
    assert catalog.find_table(lake, *HERE, "sea", "planes") is None
    assert catalog.list_tables(lake, *HERE, "air") == [found]
    given = table_input(Description="new")
    catalog.update_table(lake, *HERE, "air", given, 9.0, version_id="0")
    with pytest.raises(ConcurrentModificationException):
        catalog.update_table(lake, *HERE, "air", given, 9.0, version_id="0")
    found = catalog.get_table(lake, *FLIGHTS)
    assert (found["Description"], found["UpdateTime"], found["VersionId"]) == ("new", 9.0, "1")
    catalog.delete_table(lake, *FLIGHTS)
    with pytest.raises(EntityNotFoundException):
        catalog.get_table(lake, *FLIGHTS)


def test_one_of_many_who_make_the_same_table_wins(lake: Documents) -> None:
    def create(number: int) -> bool:
        given = table_input("same", Description=str(number))
        try:
            catalog.create_table(lake, *HERE, "air", given, 1.0)
        except AlreadyExistsException:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(create, range(8))) == 1


def test_partitions(lake: Documents) -> None:
    inputs = [partition_input(year, "UA") for year in ("2013", "2014", "9")]
    assert catalog.create_partitions(lake, *FLIGHTS, inputs, 3.0) == []
    again = catalog.create_partitions(lake, *FLIGHTS, inputs[:1], 4.0)
    assert [(values, error.code) for values, error in again] == [
        (["2013", "UA"], "AlreadyExistsException")
    ]
    more = [*inputs[:1], partition_input("2015", "UA")]
    assert catalog.create_partitions(lake, *FLIGHTS, more, 4.0, if_not_exists=True) == []
    found = catalog.get_partition(lake, *FLIGHTS, ["2013", "UA"])
    assert found["CreationTime"] == 3.0
    listed = catalog.list_partitions(lake, *FLIGHTS, "year < 2014")
    assert [each["Values"] for each in listed] == [["2013", "UA"], ["9", "UA"]]
    with pytest.raises(InvalidInputException):
        catalog.list_partitions(lake, *FLIGHTS, "month = 1")
    catalog.update_partition(
        lake, *FLIGHTS, ["2013", "UA"], partition_input("2013", "UA", Parameters={"a": "b"}), 5.0
    )
    assert catalog.get_partition(lake, *FLIGHTS, ["2013", "UA"])["Parameters"] == {"a": "b"}
    failures = catalog.delete_partitions(lake, *FLIGHTS, [["2014", "UA"], ["1", "UA"]])
    assert [values for values, _ in failures] == [["1", "UA"]]
    assert [each["Values"][0] for each in catalog.iterate_partitions(lake, *FLIGHTS)] == [
        "2013",
        "2015",
        "9",
    ]
    with pytest.raises(EntityNotFoundException):
        catalog.get_partition(lake, *FLIGHTS, ["2014", "UA"])
    with pytest.raises(EntityNotFoundException):
        catalog.iterate_partitions(lake, *HERE, "air", "planes")


def test_leading_values_narrow_what_is_read_and_nothing_else(documents: Documents) -> None:
    catalog.create_database(documents, *HERE, {"Name": "air"}, 1.0)
    keys = [{"Name": name, "Type": "string"} for name in ("a", "b")]
    catalog.create_table(documents, *HERE, "air", table_input(PartitionKeys=keys), 1.0)
    long = "ä" * 1000
    pairs = [["x", "1"], ["x", "2"], ["xx", "1"], ["x/", "1"], [long, long], [long, long + "a"]]
    inputs = [{"Values": pair} for pair in pairs]
    assert catalog.create_partitions(documents, *FLIGHTS, inputs, 1.0) == []

    def found(expression: str) -> list[list[str]]:
        listed = catalog.list_partitions(documents, *FLIGHTS, expression)
        return [each["Values"] for each in listed]

    assert found("a = 'x'") == [["x", "1"], ["x", "2"]]
    assert found("a = 'x' and b = '2'") == [["x", "2"]]
    assert found(f"a = '{long}' and b = '{long}'") == [[long, long]]
    assert found("b = '1'") == [["x", "1"], ["x/", "1"], ["xx", "1"]]


def test_what_a_dropped_table_held_is_removed_after_a_crash(lake: Documents) -> None:
    """As a server leaves it that is killed between the drop and the removal."""
    inputs = [partition_input(str(year), "UA") for year in range(1200)]
    catalog.create_partitions(lake, *FLIGHTS, inputs, 3.0)
    catalog.update_table(lake, *HERE, "air", table_input(), 4.0)
    lake.transact(lambda tx: drop_table(tx, *FLIGHTS))
    catalog.create_table(lake, *HERE, "air", table_input(), 5.0)
    assert catalog.list_partitions(lake, *FLIGHTS) == []
    catalog.create_partitions(lake, *FLIGHTS, inputs[:1], 6.0)
    assert len(list(lake.iterate(partitions, *HERE))) == 1201
    orphans.remove_all(lake)
    assert len(list(lake.iterate(partitions, *HERE))) == 1
    assert list(lake.iterate(table_versions, *HERE)) == []
    assert list(lake.iterate(orphans.orphans, *HERE)) == []


def test_dropped_database_leaves_nothing_behind(lake: Documents) -> None:
    for number in range(3):
        catalog.create_table(lake, *HERE, "air", table_input(f"t{number}"), 1.0)
    catalog.create_partitions(lake, *FLIGHTS, [partition_input("2013", "UA")], 1.0)
    assert find_database(lake, *HERE, "air")
    catalog.delete_database(lake, *HERE, "air")
    for table in (tables, partitions, orphans.orphans):
        assert list(lake.iterate(table, *HERE)) == []


def test_all_partitions_of_a_large_table_are_given_once_and_in_order(lake: Documents) -> None:
    inputs = [{"Values": [f"{number:05}", "UA"]} for number in range(3000)]
    catalog.create_partitions(lake, *FLIGHTS, inputs, 1.0)
    found = [each["Values"] for each in catalog.iterate_partitions(lake, *FLIGHTS)]
    assert found == [each["Values"] for each in inputs]
    listed = catalog.list_partitions(lake, *FLIGHTS, "year >= 2998")
    assert [each["Values"][0] for each in listed] == ["02998", "02999"]
