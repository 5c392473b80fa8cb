"""CREATE TABLE AS, INSERT INTO and UNLOAD."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.services.athena.conftest import Lake

ROWS = (
    "(VALUES (1, 'x', 1.50, DATE '2020-01-01', TIMESTAMP '2020-01-02 03:04:05.678', true, 'a'),"
    " (2, NULL, NULL, NULL, NULL, NULL, 'b/c')) t(i, s, d, day, at, b, p)"
)
SHOWN = [
    ["1", "x", "1.50", "2020-01-01", "2020-01-02 03:04:05.678", "true", "a"],
    ["2", None, None, None, None, None, "b/c"],
]


@pytest.fixture
def glue(lake: Lake) -> Any:
    return lake.server.client("glue")


@pytest.mark.parametrize("name", ["PARQUET", "ORC", "AVRO", "JSON", "TEXTFILE"])
def test_a_table_of_each_format_has_its_rows_and_takes_more(lake: Lake, name: str) -> None:
    shown = lake.run(
        f"CREATE TABLE t WITH (format = '{name}', partitioned_by = ARRAY['p'])"
        f" AS SELECT * FROM {ROWS}"
    )
    assert lake.rows("SELECT * FROM t ORDER BY i") == SHOWN
    assert lake.lines("SHOW PARTITIONS t") == ["p=a", "p=b%2Fc"]
    result = lake.athena.get_query_results(QueryExecutionId=shown["QueryExecutionId"])
    assert result["UpdateCount"] == 2
    inserted = lake.run("INSERT INTO t (p, i) VALUES ('a', 3), ('n', 4)")
    result = lake.athena.get_query_results(QueryExecutionId=inserted["QueryExecutionId"])
    assert result["UpdateCount"] == 2
    assert lake.rows("SELECT i, s, p FROM t ORDER BY i") == [
        ["1", "x", "a"],
        ["2", None, "b/c"],
        ["3", None, "a"],
        ["4", None, "n"],
    ]
    assert lake.lines("SHOW PARTITIONS t") == ["p=a", "p=b%2Fc", "p=n"]


def test_what_was_written_is_listed(lake: Lake, glue: Any) -> None:
    shown = lake.run("CREATE TABLE t AS SELECT 1 AS a")
    location = f"{lake.output}tables/{shown['QueryExecutionId']}"
    assert shown["ResultConfiguration"]["OutputLocation"] == location
    manifest = shown["Statistics"]["DataManifestLocation"]
    assert manifest == f"{location}-manifest.csv"
    (url,) = lake.body(manifest).decode().split()
    assert pq.read_table(io.BytesIO(lake.body(url))).to_pylist() == [{"a": 1}]
    table = glue.get_table(DatabaseName=lake.name, Name="t")["Table"]
    assert table["StorageDescriptor"]["Location"] == f"{location}/"
    codec = pq.ParquetFile(io.BytesIO(lake.body(url))).metadata.row_group(0).column(0).compression
    assert codec == "GZIP"


def test_properties_say_where_and_how(lake: Lake, glue: Any) -> None:
    place = f"s3://{lake.name}/chosen/"
    lake.run(
        f"CREATE TABLE t WITH (external_location = '{place}', write_compression = 'SNAPPY')"
        " AS SELECT 1 AS a"
    )
    (key,) = lake.keys("chosen/")
    file = pq.ParquetFile(io.BytesIO(lake.body(f"s3://{lake.name}/{key}")))
    assert file.metadata.row_group(0).column(0).compression == "SNAPPY"
    again = f"CREATE TABLE u WITH (external_location = '{place}') AS SELECT 1 AS a"
    assert lake.fail(again).startswith("HIVE_PATH_ALREADY_EXISTS: ")
    lake.run("CREATE TABLE e AS SELECT 1 AS a WITH NO DATA")
    assert lake.rows("SELECT * FROM e") == []
    lake.run(
        "CREATE TABLE b WITH (bucketed_by = ARRAY['a'], bucket_count = 3)"
        " AS SELECT a FROM unnest(sequence(1, 100)) t(a)"
    )
    table = glue.get_table(DatabaseName=lake.name, Name="b")["Table"]
    assert table["StorageDescriptor"]["NumberOfBuckets"] == 3
    assert lake.rows("SELECT count(*), sum(a) FROM b") == [["100", "5050"]]
    assert lake.fail("INSERT INTO b VALUES 1").startswith("NOT_SUPPORTED: ")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("CREATE TABLE t AS SELECT 1 AS a", "TABLE_ALREADY_EXISTS: "),
        ("CREATE TABLE u WITH (nope = 'x') AS SELECT 1 AS a", "NOT_SUPPORTED: "),
        ("CREATE TABLE u WITH (format = 'XML') AS SELECT 1 AS a", "INVALID_TABLE_PROPERTY: "),
        (
            "CREATE TABLE u WITH (partitioned_by = ARRAY['a']) AS SELECT 1 AS a, 2 AS b",
            "HIVE_COLUMN_ORDER_MISMATCH: ",
        ),
        ("CREATE TABLE u AS SELECT 1 AS a, 2 AS a", "SYNTAX_ERROR: "),
        ("CREATE TABLE u AS SELECT 1 / 0 AS a", "DIVISION_BY_ZERO: "),
        ("CREATE TABLE u AS SELECT now() AS a", "NOT_SUPPORTED: Unsupported Hive type"),
        (
            "INSERT INTO t VALUES ('x')",
            "TYPE_MISMATCH: Insert query has mismatched column types: "
            "Table: [integer], Query: [varchar(1)]",
        ),
        ("INSERT INTO t VALUES (1, 2)", "TYPE_MISMATCH: "),
        ("INSERT INTO t (nope) VALUES (1)", "COLUMN_NOT_FOUND: "),
        ("INSERT INTO none VALUES (1)", "FAILED: SemanticException [Error 10001]"),
        ("UNLOAD (SELECT 1 AS a) TO 's3://no-such-b/x/' WITH (format = 'ORC')", "GENERIC_USER"),
        ("UNLOAD (SELECT 1 AS a) TO 's3://x/' ", "GENERIC_USER_ERROR: "),
    ],
)
def test_what_fails_leaves_nothing(lake: Lake, sql: str, reason: str) -> None:
    lake.run("CREATE TABLE t AS SELECT 1 AS a")
    before = lake.keys("results/tables/")
    assert lake.fail(sql).startswith(reason)
    assert lake.lines("SHOW TABLES") == ["t"]
    assert lake.keys("results/tables/") == before
    assert lake.rows("SELECT * FROM t") == [["1"]]


def test_unload_writes_files_and_no_table(lake: Lake) -> None:
    place = f"s3://{lake.name}/unloaded/"
    shown = lake.run(
        f"UNLOAD (SELECT 1 AS a, 'x' AS b, 'k' AS p) TO '{place}'"
        " WITH (format = 'JSON', partitioned_by = ARRAY['p'])"
    )
    urls = lake.body(shown["Statistics"]["DataManifestLocation"]).decode().split()
    assert [url.rpartition("/")[0] for url in urls] == [f"{place}p=k"]
    assert json.loads(gzip.decompress(lake.body(urls[0]))) == {"a": 1, "b": "x"}
    assert lake.lines("SHOW TABLES") == []


def test_who_may_not_write_there_does_not(lake: Lake) -> None:
    iam = lake.server.client("iam")
    name = f"user-{lake.name}"
    iam.create_user(UserName=name)
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["athena:*", "glue:*"], "Resource": "*"},
            {
                "Effect": "Allow",
                "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{lake.name}", f"arn:aws:s3:::{lake.name}/results/*"],
            },
        ],
    }
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    other = lake.as_other(iam.create_access_key(UserName=name)["AccessKey"])
    other.run("CREATE TABLE mine AS SELECT 1 AS a")
    reason = other.fail(
        f"CREATE TABLE t WITH (external_location = 's3://{lake.name}/x/') AS SELECT 1 AS a"
    )
    assert reason.startswith("PERMISSION_DENIED: ")
    unload = f"UNLOAD (SELECT 1 AS a) TO 's3://{lake.name}/y/' WITH (format = 'ORC')"
    assert other.fail(unload).startswith("PERMISSION_DENIED: ")
    assert lake.keys("x/") + lake.keys("y/") == []


def test_what_a_query_writes_is_encrypted_as_it_asks(lake: Lake) -> None:
    key = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    configuration = {
        "OutputLocation": f"s3://{lake.name}/encrypted/",
        "EncryptionConfiguration": {"EncryptionOption": "SSE_KMS", "KmsKey": key},
    }
    lake.run("CREATE TABLE made AS SELECT 1 AS a", ResultConfiguration=configuration)
    shown = lake.run("SELECT * FROM made", ResultConfiguration=configuration)
    shown_configuration = shown["ResultConfiguration"]["EncryptionConfiguration"]
    assert shown_configuration == configuration["EncryptionConfiguration"]
    keys = lake.keys("encrypted/")
    assert len(keys) == 5  # data, manifest and metadata of the table; rows and metadata
    for each in keys:
        head = lake.s3.head_object(Bucket=lake.name, Key=each)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_a_parameter_that_is_a_bare_word_is_text(lake: Lake) -> None:
    rows = lake.rows(
        "SELECT ?, ?, ?", ExecutionParameters=["Washington", "'Boston'", "DATE '2020-01-01'"]
    )
    assert rows == [["Washington", "Boston", "2020-01-01"]]
    reason = lake.fail("SELECT ?", ExecutionParameters=["1, 2"])
    assert "a parameter is no literal" in reason


@pytest.mark.parametrize("start", ["CREATE TABLE t AS", "CREATE VIEW t AS"])
def test_columns_of_tables_and_views_have_names_and_types(lake: Lake, start: str) -> None:
    reason = lake.fail(f"{start} SELECT 1 AS a, 2")
    assert reason == "MISSING_COLUMN_NAME: line 1:1: Column name not specified at position 2"
    assert "Column type is unknown" in lake.fail(f"{start} SELECT NULL AS a")
    lake.run(f'{start} SELECT 1 AS "_col0"')
    assert lake.rows("SELECT * FROM t") == [["1"]]


@pytest.mark.parametrize(
    "table", ["EXTERNAL TABLE t (d date)", "TABLE t (d date)"], ids=["hive", "iceberg"]
)
def test_a_timestamp_becomes_a_day_in_a_column_of_dates(lake: Lake, table: str) -> None:
    kind = (
        "STORED AS PARQUET {}"
        if "EXTERNAL" in table
        else "{} TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    lake.run(f"CREATE {table} " + kind.format(f"LOCATION 's3://{lake.name}/t/'"))
    lake.run("INSERT INTO t VALUES TIMESTAMP '2012-10-15 12:57:18.396'")
    assert lake.rows("SELECT d FROM t") == [["2012-10-15"]]
    assert "mismatched column types" in lake.fail("INSERT INTO t VALUES TIME '01:02:03'")


def test_a_value_is_looked_for_in_its_bucket_alone(lake: Lake) -> None:
    numbers = "SELECT n, 'text ' || CAST(n AS varchar) AS s FROM UNNEST(sequence(1, 1000)) AS u(n)"
    for column, condition in (("n", "n = 7"), ("s", "s = 'text 7'"), ("s", "s IN ('text 7')")):
        table = f"spread_{column}"
        lake.run(f"DROP TABLE IF EXISTS {table}")
        lake.run(
            f"CREATE TABLE {table} WITH (format = 'TEXTFILE', write_compression = 'NONE',"
            f" bucketed_by = ARRAY['{column}'], bucket_count = 10) AS {numbers}"
        )
        everything = lake.run(f"SELECT * FROM {table}")["Statistics"]["DataScannedInBytes"]
        shown = lake.run(f"SELECT n FROM {table} WHERE {condition}")
        assert lake.results(shown["QueryExecutionId"])[1:] == [["7"]]
        assert 0 < shown["Statistics"]["DataScannedInBytes"] < everything / 5
        for number in range(1, 1001, 111):
            assert lake.rows(f"SELECT s FROM {table} WHERE n = {number}") == [[f"text {number}"]]
