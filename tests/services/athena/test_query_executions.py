from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

from cloche.core.event import Event
from cloche.engines.sql.engine import SqlEngine
from cloche.services.athena.query_records import queries
from tests.core.conftest import until
from tests.live_server import LiveServer
from tests.services.athena.conftest import Lake, refused

ENDLESS = (
    "SELECT count(*) FROM unnest(sequence(1, 100000)) a(x), unnest(sequence(1, 100000)) b(y)"
    " WHERE (x * y) % 7 = 3 AND x + y <> 12"
)


def test_a_result_is_quoted_and_null_is_nothing(lake: Lake) -> None:
    shown = lake.run("SELECT 1 AS a, 'say \"x\"' AS b, NULL AS c, '' AS d")
    location = shown["ResultConfiguration"]["OutputLocation"]
    assert location == f"{lake.output}{shown['QueryExecutionId']}.csv"
    assert lake.body(location) == b'"a","b","c","d"\n"1","say ""x""",,""\n'
    assert lake.results(shown["QueryExecutionId"]) == [
        ["a", "b", "c", "d"],
        ["1", 'say "x"', None, ""],
    ]


def test_the_file_of_columns_is_next_to_the_result(lake: Lake) -> None:
    shown = lake.run("SELECT 1 AS num")
    content = lake.body(shown["ResultConfiguration"]["OutputLocation"] + ".metadata")
    assert b"num" in content
    assert b"integer" in content


def test_columns_are_described(lake: Lake) -> None:
    shown = lake.run("SELECT CAST(1.5 AS decimal(5,2)) AS d, 'x' AS v, 1 AS i")
    result = lake.athena.get_query_results(QueryExecutionId=shown["QueryExecutionId"])
    columns = result["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert [(each["Name"], each["Type"]) for each in columns] == [
        ("d", "decimal"),
        ("v", "varchar"),
        ("i", "integer"),
    ]
    assert (columns[0]["Precision"], columns[0]["Scale"]) == (5, 2)
    assert [each["CaseSensitive"] for each in columns] == [False, True, False]
    assert result["UpdateCount"] == 0


def test_results_are_paged_from_the_stored_file(lake: Lake) -> None:
    rows = 2500
    shown = lake.run(f"SELECT x, 'a,\"\nb' AS y FROM unnest(sequence(1, {rows})) t(x) ORDER BY x")
    query_id = shown["QueryExecutionId"]
    first = lake.athena.get_query_results(QueryExecutionId=query_id, MaxResults=10)
    assert len(first["ResultSet"]["Rows"]) == 10
    found = lake.results(query_id)
    assert found[0] == ["x", "y"]
    assert [row[0] for row in found[1:]] == [str(each) for each in range(1, rows + 1)]
    assert {row[1] for row in found[1:]} == {'a,"\nb'}
    refused(
        "InvalidRequestException",
        lake.athena.get_query_results,
        QueryExecutionId=lake.run("SELECT 1")["QueryExecutionId"],
        NextToken=first["NextToken"],
    )


def test_times_add_up(lake: Lake) -> None:
    shown = lake.run("SELECT 1")
    statistics = shown["Statistics"]
    parts = (
        "QueryQueueTimeInMillis",
        "EngineExecutionTimeInMillis",
        "ServiceProcessingTimeInMillis",
    )
    assert sum(statistics[part] for part in parts) == statistics["TotalExecutionTimeInMillis"]
    status = shown["Status"]
    assert status["SubmissionDateTime"] <= status["CompletionDateTime"]
    runtime = lake.athena.get_query_runtime_statistics(QueryExecutionId=shown["QueryExecutionId"])
    assert runtime["QueryRuntimeStatistics"]["Rows"]["OutputRows"] == 1


def test_scanned_bytes_are_those_of_the_files(lake: Lake) -> None:
    lake.put("t/a.csv", "1\n2\n")
    lake.put("t/_not", "3\n")
    lake.run(f"CREATE EXTERNAL TABLE t (a int) LOCATION 's3://{lake.name}/t/'")
    shown = lake.run("SELECT sum(a) AS s FROM t")
    assert shown["Statistics"]["DataScannedInBytes"] == 4
    assert lake.results(shown["QueryExecutionId"])[1:] == [["3"]]


def test_the_same_token_runs_once(lake: Lake) -> None:
    token = uuid4().hex
    one = lake.start("SELECT 1", ClientRequestToken=token)
    assert lake.start("SELECT 1", ClientRequestToken=token) == one
    message = refused(
        "InvalidRequestException",
        lake.athena.start_query_execution,
        QueryString="SELECT 2",
        ClientRequestToken=token,
        ResultConfiguration={"OutputLocation": lake.output},
    )
    assert message == "Idempotent parameters do not match"


def test_a_query_without_a_place_for_its_result_is_refused(lake: Lake) -> None:
    message = refused(
        "InvalidRequestException", lake.athena.start_query_execution, QueryString="SELECT 1"
    )
    assert message.startswith("No output location provided.")


def test_one_statement_at_a_time(lake: Lake) -> None:
    message = refused(
        "InvalidRequestException",
        lake.athena.start_query_execution,
        QueryString="SELECT 1; SELECT 2",
        ResultConfiguration={"OutputLocation": lake.output},
    )
    assert message.startswith("Only one sql statement is allowed.")


def test_a_bucket_that_is_not_there_fails_the_query(lake: Lake) -> None:
    reason = lake.fail("SELECT 1", ResultConfiguration={"OutputLocation": "s3://no-such-b/x/"})
    assert reason.startswith("Unable to verify/create output bucket no-such-b")


def test_an_enforced_workgroup_says_where_results_go(lake: Lake) -> None:
    name = f"g{uuid4().hex[:8]}"
    place = f"s3://{lake.name}/enforced/"
    lake.athena.create_work_group(
        Name=name, Configuration={"ResultConfiguration": {"OutputLocation": place}}
    )
    shown = lake.run("SELECT 1", WorkGroup=name)
    assert shown["ResultConfiguration"]["OutputLocation"].startswith(place)
    assert lake.athena.list_query_executions(WorkGroup=name)["QueryExecutionIds"] == [
        shown["QueryExecutionId"]
    ]


def test_lists_begin_with_the_newest(lake: Lake) -> None:
    name = f"g{uuid4().hex[:8]}"
    lake.athena.create_work_group(
        Name=name, Configuration={"ResultConfiguration": {"OutputLocation": lake.output}}
    )
    started = [lake.start("SELECT 1", WorkGroup=name) for _ in range(3)]
    page = lake.athena.list_query_executions(WorkGroup=name, MaxResults=2)
    rest = lake.athena.list_query_executions(WorkGroup=name, NextToken=page["NextToken"])
    assert page["QueryExecutionIds"] + rest["QueryExecutionIds"] == started[::-1]
    batch = lake.athena.batch_get_query_execution(QueryExecutionIds=[*started, "nobody"])
    assert {each["QueryExecutionId"] for each in batch["QueryExecutions"]} == set(started)
    assert batch["UnprocessedQueryExecutionIds"][0]["QueryExecutionId"] == "nobody"


def test_stopping_a_query_stops_the_engine(lake: Lake) -> None:
    query_id = lake.start(ENDLESS)
    engine: Any = lake.server.runtime.engine(SqlEngine)
    until(lambda: bool(engine._running))
    lake.athena.stop_query_execution(QueryExecutionId=query_id)
    status = lake.wait(query_id)["Status"]
    assert status["State"] == "CANCELLED"
    until(lambda: not engine._running)
    message = refused(
        "InvalidRequestException", lake.athena.get_query_results, QueryExecutionId=query_id
    )
    assert "CANCELLED" in message


def test_results_of_a_query_that_runs_are_not_there_yet(lake: Lake) -> None:
    query_id = lake.start(ENDLESS)
    try:
        message = refused(
            "InvalidRequestException", lake.athena.get_query_results, QueryExecutionId=query_id
        )
        assert message.startswith("Query has not yet finished.")
    finally:
        lake.athena.stop_query_execution(QueryExecutionId=query_id)
        lake.wait(query_id)


def test_a_result_is_reused_while_it_is_young(lake: Lake) -> None:
    reuse = {
        "ResultReuseConfiguration": {
            "ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 10}
        }
    }
    sql = "SELECT random() AS r"
    first = lake.run(sql, **reuse)
    again = lake.run(sql, **reuse)
    assert not first["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"]
    assert again["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"]
    assert lake.results(first["QueryExecutionId"]) == lake.results(again["QueryExecutionId"])
    lake.server.advance(11 * 60)
    later = lake.run(sql, **reuse)
    assert not later["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"]


def test_queries_are_kept_for_45_days(fresh_server: LiveServer) -> None:
    lake = Lake(fresh_server).prepare()
    token = uuid4().hex
    first = lake.run("SELECT 1", ClientRequestToken=token)
    query_id = first["QueryExecutionId"]
    fresh_server.advance(44 * 86_400)
    assert lake.wait(query_id)["Status"]["State"] == "SUCCEEDED"
    second = lake.run("SELECT 2")["QueryExecutionId"]
    fresh_server.advance(2 * 86_400)
    for operation in (lake.athena.get_query_execution, lake.athena.get_query_results):
        message = refused("InvalidRequestException", operation, QueryExecutionId=query_id)
        assert message == f"QueryExecution {query_id} was not found"
    assert lake.athena.list_query_executions()["QueryExecutionIds"] == [second]
    assert lake.body(first["ResultConfiguration"]["OutputLocation"]) == b'"_col0"\n"1"\n'
    # The next one takes its place, and the same token starts a new one.
    third = lake.start("SELECT 1", ClientRequestToken=token)
    assert third != query_id
    assert lake.wait(third)["Status"]["State"] == "SUCCEEDED"
    account = fresh_server.root["AccountId"]
    documents = fresh_server.runtime.documents
    assert documents.get(queries, account, "us-east-1", query_id) is None
    assert documents.get(queries, account, "us-east-1", second) is not None


def test_a_scan_beyond_the_cutoff_is_cancelled(lake: Lake) -> None:
    name = f"g{uuid4().hex[:8]}"
    lake.athena.create_work_group(
        Name=name,
        Configuration={
            "ResultConfiguration": {"OutputLocation": lake.output},
            "BytesScannedCutoffPerQuery": 10_000_000,
        },
    )
    lake.put("big/a.csv", b"1234567\n" * 1_500_000)
    lake.run(f"CREATE EXTERNAL TABLE big (a int) LOCATION 's3://{lake.name}/big/'")
    status = lake.end("SELECT sum(a) FROM big", WorkGroup=name)["Status"]
    assert status["State"] == "CANCELLED"
    assert "Bytes scanned limit was exceeded" in status["StateChangeReason"]
    assert lake.rows("SELECT sum(a) FROM big") == [[str(1234567 * 1_500_000)]]


def test_state_changes_are_told(fresh_server: LiveServer) -> None:
    lake = Lake(fresh_server).prepare()
    events: list[Event] = []
    seen = threading.Event()

    def take(event: Event) -> None:
        events.append(event)
        if event.detail["currentState"] == "SUCCEEDED":
            seen.set()

    fresh_server.runtime.events.subscribe("test", "aws.athena", take)
    query_id = lake.run("SELECT 1")["QueryExecutionId"]
    assert seen.wait(10)
    mine = [each for each in events if each.detail["queryExecutionId"] == query_id]
    assert [each.detail["currentState"] for each in mine] == ["QUEUED", "RUNNING", "SUCCEEDED"]
    assert mine[-1].detail["previousState"] == "RUNNING"
    assert mine[-1].detail_type == "Athena Query State Change"
    assert mine[-1].detail["workgroupName"] == "primary"
