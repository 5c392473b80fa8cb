"""DDL and utility statements on the catalog, and what Athena answers to them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live_server import LiveServer
from tests.services.athena.conftest import Lake


@pytest.fixture
def glue(lake: Lake) -> Any:
    return lake.server.client("glue")


@pytest.fixture
def table(lake: Lake) -> str:
    """A table over three days of CSV files, whose partitions are not known yet."""
    lake.put("t/day=2020-01-01/a.csv", "1,x\n2,\\N\n")
    lake.put("t/day=2020-01-02/b.csv", "3,z\n")
    lake.put("t/day=2020-01-02/_hidden", "9,z\n")
    lake.put("t/day=2020-01-02/.hidden/c.csv", "9,z\n")
    lake.put("t/other/c.csv", "9,z\n")
    lake.run(
        "CREATE EXTERNAL TABLE t (id int COMMENT 'the id', name string)"
        " COMMENT 'some things' PARTITIONED BY (day date)"
        " ROW FORMAT DELIMITED FIELDS TERMINATED BY ','"
        f" LOCATION 's3://{lake.name}/t/' TBLPROPERTIES ('k'='v')"
    )
    return "t"


def test_a_table_is_glues(lake: Lake, glue: Any, table: str) -> None:
    found = glue.get_table(DatabaseName=lake.name, Name=table)["Table"]
    assert found["TableType"] == "EXTERNAL_TABLE"
    assert found["Parameters"]["EXTERNAL"] == "TRUE"
    assert found["Parameters"]["k"] == "v"
    assert found["Parameters"]["comment"] == "some things"
    descriptor = found["StorageDescriptor"]
    assert descriptor["Columns"][0] == {"Name": "id", "Type": "int", "Comment": "the id"}
    assert descriptor["SerdeInfo"] == {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        "Parameters": {"field.delim": ",", "serialization.format": ","},
    }
    reason = lake.fail(f"CREATE EXTERNAL TABLE t (a int) LOCATION 's3://{lake.name}/t/'")
    assert "AlreadyExistsException(message:Table t already exists.)" in reason
    lake.run(f"CREATE EXTERNAL TABLE IF NOT EXISTS t (a int) LOCATION 's3://{lake.name}/t/'")


def test_repair_finds_folders_and_a_query_reads_what_is_not_hidden(lake: Lake, table: str) -> None:
    assert lake.rows("SELECT count(*) FROM t") == [["0"]]
    assert lake.lines("MSCK REPAIR TABLE t") == [
        "Partitions not in metastore:\tt:day=2020-01-01\tt:day=2020-01-02",
        "Repair: Added partition to metastore t:day=2020-01-01",
        "Repair: Added partition to metastore t:day=2020-01-02",
    ]
    assert lake.lines("MSCK REPAIR TABLE t") == []
    assert lake.lines("SHOW PARTITIONS t") == ["day=2020-01-01", "day=2020-01-02"]
    assert lake.rows("SELECT * FROM t ORDER BY id") == [
        ["1", "x", "2020-01-01"],
        ["2", None, "2020-01-01"],
        ["3", "z", "2020-01-02"],
    ]
    lake.s3.delete_object(Bucket=lake.name, Key="t/day=2020-01-01/a.csv")
    assert lake.lines("MSCK REPAIR TABLE t") == [
        "Partitions missing from filesystem:\tt:day=2020-01-01"
    ]


def test_only_partitions_that_are_asked_for_are_read(lake: Lake, table: str) -> None:
    lake.run("MSCK REPAIR TABLE t")
    shown = lake.run("SELECT id FROM t WHERE day > DATE '2020-01-01'")
    assert lake.results(shown["QueryExecutionId"])[1:] == [["3"]]
    assert shown["Statistics"]["DataScannedInBytes"] == len("3,z\n")
    assert lake.rows('SELECT max(day) FROM "t$partitions"') == [["2020-01-02"]]


def test_partitions_are_added_dropped_moved_and_renamed(lake: Lake, table: str) -> None:
    place = f"s3://{lake.name}/t/day=2020-01-02/"
    lake.run(
        "ALTER TABLE t ADD PARTITION (day='2020-01-01')"
        f" PARTITION (day='2021-01-01') LOCATION '{place}'"
    )
    assert "already exists" in lake.fail("ALTER TABLE t ADD PARTITION (day='2020-01-01')")
    lake.run("ALTER TABLE t ADD IF NOT EXISTS PARTITION (day='2020-01-01')")
    assert lake.rows("SELECT id FROM t WHERE day = DATE '2021-01-01'") == [["3"]]
    lake.run("ALTER TABLE t PARTITION (day='2021-01-01') RENAME TO PARTITION (day='2022-01-01')")
    assert lake.rows("SELECT id FROM t WHERE day = DATE '2022-01-01'") == [["3"]]
    lake.run(f"ALTER TABLE t PARTITION (day='2020-01-01') SET LOCATION '{place}'")
    assert lake.rows("SELECT id, day FROM t ORDER BY day") == [
        ["3", "2020-01-01"],
        ["3", "2022-01-01"],
    ]
    lake.run("ALTER TABLE t DROP PARTITION (day >= '2021-06-01')")
    assert lake.lines("SHOW PARTITIONS t") == ["day=2020-01-01"]
    assert "Partition not found" in lake.fail("ALTER TABLE t DROP PARTITION (day='1999-01-01')")
    lake.run("ALTER TABLE t DROP IF EXISTS PARTITION (day='1999-01-01')")
    assert "partition columns day" in lake.fail("ALTER TABLE t ADD PARTITION (month='1')")
    # Files are never touched.
    assert "t/day=2020-01-02/b.csv" in lake.keys("t/")


def test_columns_change(lake: Lake, glue: Any, table: str) -> None:
    lake.run("ALTER TABLE t ADD COLUMNS (extra double COMMENT 'more', last string)")
    lake.run("ALTER TABLE t CHANGE COLUMN extra other bigint FIRST")
    columns = glue.get_table(DatabaseName=lake.name, Name="t")["Table"]["StorageDescriptor"][
        "Columns"
    ]
    assert [(each["Name"], each["Type"]) for each in columns] == [
        ("other", "bigint"),
        ("id", "int"),
        ("name", "string"),
        ("last", "string"),
    ]
    assert columns[0]["Comment"] == "more"
    lake.run("ALTER TABLE t REPLACE COLUMNS (id int)")
    assert lake.lines("SHOW COLUMNS IN t") == [f"{name:<20}" for name in ("id", "day")]
    assert "Duplicate column name: id" in lake.fail("ALTER TABLE t ADD COLUMNS (id int)")


def test_describe_has_hives_layout(lake: Lake, table: str) -> None:
    def row(*values: str) -> str:
        return "\t".join(f"{each:<20}" for each in values)

    assert lake.lines("DESCRIBE t") == [
        row("id", "int", "the id"),
        row("name", "string", ""),
        row("day", "date", ""),
        "\t \t ",
        "# Partition Information\t \t ",
        "# " + row("col_name", "data_type", "comment"),
        "\t \t ",
        row("day", "date", ""),
    ]
    assert lake.lines("DESCRIBE t id") == [row("id", "int", "the id")]
    assert any(f"s3://{lake.name}/t\t" in line for line in lake.lines("DESCRIBE FORMATTED t"))
    extended = lake.lines("DESCRIBE EXTENDED t")
    assert extended[:-2] == lake.lines("DESCRIBE t")
    assert extended[-1].startswith(
        f"Detailed Table Information\tTable(tableName:t, dbName:{lake.name}, "
    )
    assert f"location:s3://{lake.name}/t," in extended[-1]


def test_show_create_table_makes_the_same_table_again(lake: Lake, glue: Any, table: str) -> None:
    lake.run(
        "CREATE EXTERNAL TABLE r (a string, `b c` array<struct<x:int,y:map<string,double>>>)"
        " ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'"
        r""" WITH SERDEPROPERTIES ('input.regex'='^(\\S+)\t\'(.*)$')"""
        f" LOCATION 's3://{lake.name}/r/'"
    )
    for name in ("t", "r"):
        before = glue.get_table(DatabaseName=lake.name, Name=name)["Table"]
        ddl = "\n".join(lake.lines(f"SHOW CREATE TABLE {lake.name}.{name}"))
        lake.run(f"DROP TABLE {name}")
        lake.run(ddl)
        after = glue.get_table(DatabaseName=lake.name, Name=name)["Table"]
        assert after["StorageDescriptor"] == before["StorageDescriptor"]
        assert after["Parameters"] == before["Parameters"]
        assert after["PartitionKeys"] == before["PartitionKeys"]


def test_show_lists_by_patterns(lake: Lake, table: str) -> None:
    lake.run("CREATE VIEW seen AS SELECT 1 AS one")
    assert lake.lines("SHOW TABLES") == ["seen", "t"]
    assert lake.lines(f"SHOW TABLES IN {lake.name} 's*|x'") == ["seen"]
    assert lake.lines("SHOW VIEWS") == ["seen"]
    assert lake.lines(f"SHOW DATABASES LIKE '{lake.name[:-1]}*'") == [lake.name]
    assert lake.lines("SHOW TBLPROPERTIES t('k')") == ["k\tv"]
    assert "Database does not exist" in lake.fail("SHOW TABLES IN nowhere")


def test_databases_are_dropped_when_empty_or_with_all_in_them(lake: Lake, table: str) -> None:
    assert "already exists" in lake.fail(f"CREATE DATABASE {lake.name}")
    assert "is not empty" in lake.fail(f"DROP DATABASE {lake.name}")
    lake.run(f"DROP DATABASE {lake.name} CASCADE")
    assert "Database does not exist" in lake.fail(f"DROP DATABASE {lake.name}")
    lake.run(f"DROP DATABASE IF EXISTS {lake.name}")
    assert lake.keys("t/day=2020-01-01/") == ["t/day=2020-01-01/a.csv"]


def test_properties_of_a_database(lake: Lake, glue: Any) -> None:
    name = f"{lake.name}_p"
    lake.run(f"CREATE DATABASE {name} COMMENT 'c' WITH DBPROPERTIES ('a'='1', 'b'='2')")
    lake.run(f"ALTER DATABASE {name} SET DBPROPERTIES ('b'='3', 'c'='4')")
    found = glue.get_database(Name=name)["Database"]
    assert found["Parameters"] == {"a": "1", "b": "3", "c": "4"}
    assert found["Description"] == "c"
    reason = lake.fail("ALTER SCHEMA nowhere SET DBPROPERTIES ('a'='1')")
    assert "Database does not exist: nowhere" in reason


def test_views(lake: Lake, glue: Any, table: str) -> None:
    lake.run("MSCK REPAIR TABLE t")
    lake.run("CREATE VIEW v AS\nSELECT id, upper(name) AS n FROM t -- a comment\nWHERE id > 1")
    found = glue.get_table(DatabaseName=lake.name, Name="v")["Table"]
    assert found["TableType"] == "VIRTUAL_VIEW"
    assert found["ViewOriginalText"].startswith("/* Presto View: ")
    assert [(c["Name"], c["Type"]) for c in found["StorageDescriptor"]["Columns"]] == [
        ("id", "int"),
        ("n", "string"),
    ]
    assert lake.rows("SELECT * FROM v ORDER BY id") == [["2", None], ["3", "Z"]]
    assert "View already exists" in lake.fail("CREATE VIEW v AS SELECT 1 AS a")
    lake.run("CREATE OR REPLACE VIEW v AS SELECT count(*) AS c FROM t")
    assert lake.rows("SELECT * FROM v") == [["3"]]
    assert lake.lines("SHOW CREATE VIEW v") == [
        f"CREATE VIEW {lake.name}.v AS",
        "SELECT count(*) AS c FROM t",
    ]
    assert "is not a table" in lake.fail("DROP TABLE v")
    lake.run("DROP VIEW v")
    assert lake.fail("SELECT * FROM v").startswith("TABLE_NOT_FOUND: ")


def test_information_schema(lake: Lake, table: str) -> None:
    found = lake.rows(
        "SELECT column_name, data_type, extra_info FROM information_schema.columns"
        f" WHERE table_schema = '{lake.name}' AND table_name = 't' ORDER BY ordinal_position"
    )
    assert found == [
        ["id", "integer", None],
        ["name", "varchar", None],
        ["day", "date", "partition key"],
    ]
    assert lake.rows(
        "SELECT table_name, table_type FROM information_schema.tables"
        f" WHERE table_schema = '{lake.name}'"
    ) == [["t", "BASE TABLE"]]


def test_projection_needs_no_partitions_in_the_catalog(lake: Lake) -> None:
    for day in ("2020/02/28", "2020/02/29", "2020/03/01"):
        for kind in ("a", "b"):
            lake.put(f"p/{kind}/{day}/x.csv", f"{day}\n")
    lake.run(
        "CREATE EXTERNAL TABLE p (v string) PARTITIONED BY (kind string, day string)"
        f" LOCATION 's3://{lake.name}/p/' TBLPROPERTIES ("
        "'projection.enabled'='true',"
        "'projection.kind.type'='enum','projection.kind.values'='a,b,c',"
        "'projection.day.type'='date','projection.day.format'='yyyy/MM/dd',"
        "'projection.day.range'='2020/01/01,NOW',"
        f"'storage.location.template'='s3://{lake.name}/p/${{kind}}/${{day}}/')"
    )
    shown = lake.run("SELECT kind, day FROM p WHERE day > '2020/02/28' AND kind = 'b' ORDER BY day")
    assert lake.results(shown["QueryExecutionId"])[1:] == [
        ["b", "2020/02/29"],
        ["b", "2020/03/01"],
    ]
    assert shown["Statistics"]["DataScannedInBytes"] == 2 * len("2020/02/29\n")
    assert lake.rows("SELECT count(*) FROM p") == [["6"]]


def test_injected_columns_need_a_value(lake: Lake) -> None:
    lake.put("i/id=7/x.csv", "1\n")
    lake.run(
        "CREATE EXTERNAL TABLE i (v int) PARTITIONED BY (id string)"
        f" LOCATION 's3://{lake.name}/i/' TBLPROPERTIES"
        " ('projection.enabled'='true', 'projection.id.type'='injected')"
    )
    assert lake.rows("SELECT v, id FROM i WHERE id = '7'") == [["1", "7"]]
    assert lake.fail("SELECT v FROM i").startswith("CONSTRAINT_VIOLATION: ")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELEC 1", "SYNTAX_ERROR: line 1:1: mismatched input 'SELEC'"),
        ("SELECT *\nFROM none", "TABLE_NOT_FOUND: line 2:6: Table 'awsdatacatalog.lake"),
        ("SELECT * FROM nowhere.none", "SCHEMA_NOT_FOUND: "),
        ("CREATE EXTERNAL TABLE x (a integre)", "SYNTAX_ERROR: line 1:28: mismatched input"),
        ("DROP TABLE none", "FAILED: SemanticException [Error 10001]: Table not found"),
        ("DELETE FROM x", "TABLE_NOT_FOUND: line 1:13: "),
        ("ALTER TABLE x RENAME TO y", "NOT_SUPPORTED: ALTER TABLE RENAME TO is not supported by"),
        ("ALTER VIEW v DIALECT", "NOT_SUPPORTED: ALTER VIEW is not supported by Athena"),
        ("ALTER TABLE none ADD COLUMNS (a int)", "FAILED: SemanticException [Error 10001]"),
        ("CREATE VIEW x AS SELECT * FROM none", "TABLE_NOT_FOUND: "),
    ],
)
def test_what_fails_says_why(lake: Lake, sql: str, reason: str) -> None:
    assert lake.fail(sql).startswith(reason)


def test_openx_json_keeps_the_output_format_that_athena_gives_it(lake: Lake) -> None:
    openx = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'"
    lake.run(f"CREATE EXTERNAL TABLE a (x int) {openx} LOCATION 's3://{lake.name}/a/'")
    lake.run(
        f"CREATE EXTERNAL TABLE b (x int) {openx} STORED AS TEXTFILE LOCATION 's3://{lake.name}/b/'"
    )
    hive = "org.apache.hadoop.hive.ql.io"
    formats = [
        lake.server.client("glue").get_table(DatabaseName=lake.name, Name=name)["Table"][
            "StorageDescriptor"
        ]["OutputFormat"]
        for name in ("a", "b")
    ]
    assert formats == [f"{hive}.IgnoreKeyTextOutputFormat", f"{hive}.HiveIgnoreKeyTextOutputFormat"]
    lake.put("a/1.json", '{"x": 1}')
    lake.run("INSERT INTO a VALUES 2")
    assert lake.rows("SELECT x FROM a ORDER BY x") == [["1"], ["2"]]


def test_the_default_database_is_there_for_who_names_it(fresh_server: LiveServer) -> None:
    lake = Lake(fresh_server).prepare()
    context = {"QueryExecutionContext": {"Database": "default"}}
    assert lake.rows("SELECT 1", **context) == [["1"]]
    lake.run("CREATE TABLE t AS SELECT 1 AS a", **context)
    assert lake.rows("SELECT a FROM t", **context) == [["1"]]
    assert ["default"] in lake.rows("SHOW DATABASES")
