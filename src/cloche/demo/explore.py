"""Second stage: a crawler makes tables of the uploaded Parquet, and Athena answers a question.

The question joins 336,776 flights with the airlines: who was late, and how often.
"""

from __future__ import annotations

import json
import time
from typing import Any

import boto3
from botocore.exceptions import ClientError

from cloche.demo.flights import TABLES
from cloche.demo.reporting import Reporter

DATABASE = "cloche_demo"
_NAME = "cloche-demo"
_PATIENCE_SECONDS = 120.0
_POLL_SECONDS = 0.05
_QUESTION = """
SELECT a.name AS airline,
       count(*) AS flights,
       round(avg(f.dep_delay), 1) AS minutes_late,
       approx_percentile(f.dep_delay, 0.9) AS late_at_worst_tenth
FROM flights f JOIN airlines a ON f.carrier = a.carrier
WHERE f.dep_delay IS NOT NULL
GROUP BY a.name
ORDER BY minutes_late DESC
LIMIT 5
"""


class ExplorationError(Exception):
    """A crawl or a query did not end as it had to; the message says how it ended."""


def explore(session: boto3.Session, bucket: str, reporter: Reporter) -> dict[str, Any]:
    """Crawl the Parquet files, check what was found, and ask Athena.

    Raises:
        ExplorationError: the crawl or a query failed, or found other rows than were sent.
    """
    glue: Any = session.client("glue")
    athena: Any = session.client("athena")
    _crawl(session, glue, bucket, reporter)
    flights, july_bytes = _count(athena, bucket, reporter)
    rows = _ask(athena, bucket, reporter)
    return {
        "database": DATABASE,
        "flights": flights,
        "july_bytes": july_bytes,
        "latest_airlines": rows,
    }


def _crawl(session: boto3.Session, glue: Any, bucket: str, reporter: Reporter) -> None:
    with reporter.step("Crawl the Parquet files", 1, "crawls") as step:
        role = _role(session.client("iam"), bucket)
        target = {
            "Role": role,
            "DatabaseName": DATABASE,
            "Targets": {"S3Targets": [{"Path": f"s3://{bucket}/parquet/"}]},
        }
        try:
            glue.create_crawler(Name=_NAME, **target)
        except glue.exceptions.AlreadyExistsException:
            glue.update_crawler(Name=_NAME, **target)
        glue.start_crawler(Name=_NAME)
        crawler = _until_ready(glue)
        if crawler["LastCrawl"]["Status"] != "SUCCEEDED":
            raise ExplorationError(
                f"the crawl ended as {crawler['LastCrawl']['Status']}: "
                f"{crawler['LastCrawl'].get('ErrorMessage', 'no reason was given')}"
            )
        tables = glue.get_tables(DatabaseName=DATABASE)["TableList"]
        names = sorted(table["Name"] for table in tables)
        if missing := set(TABLES) - set(names):
            raise ExplorationError(f"the crawl found no tables {', '.join(sorted(missing))}")
        columns = sum(len(table["StorageDescriptor"]["Columns"]) for table in tables)
        step.line = (
            f"Crawled s3://{bucket}/parquet/: tables {', '.join(names)} with {columns} columns"
            f" in the catalog's database {DATABASE}."
        )
        step.advance()


def _role(iam: Any, bucket: str) -> str:
    """The role that the crawler acts in: it may read this bucket and nothing else."""
    trusted = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}}
    trust = {"Version": "2012-10-17", "Statement": [{**trusted, "Action": "sts:AssumeRole"}]}
    allowed = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:ListBucket", "glue:*"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*", "arn:aws:glue:*"],
    }
    try:
        iam.create_role(RoleName=_NAME, AssumeRolePolicyDocument=json.dumps(trust))
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "EntityAlreadyExists":
            raise
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    iam.put_role_policy(RoleName=_NAME, PolicyName="read", PolicyDocument=json.dumps(policy))
    role = iam.get_role(RoleName=_NAME)
    return role["Role"]["Arn"]


def _until_ready(glue: Any) -> dict[str, Any]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        crawler: dict[str, Any] = glue.get_crawler(Name=_NAME)["Crawler"]
        if crawler["State"] == "READY" and "LastCrawl" in crawler:
            return crawler
        time.sleep(_POLL_SECONDS)
    raise ExplorationError(f"the crawl has not ended after {_PATIENCE_SECONDS:g} seconds")


def _count(athena: Any, bucket: str, reporter: Reporter) -> tuple[int, int]:
    """Count all flights, and those of July, for which one partition is read: its bytes."""
    with reporter.step("Count the flights in Athena", 1, "queries") as step:
        rows, _ = _query(athena, bucket, "SELECT count(*) FROM flights")
        month, statistics = _query(
            athena, bucket, "SELECT count(*), max(dep_delay) FROM flights WHERE month = '7'"
        )
        count = int(rows[0][0])
        if count != 336_776:
            raise ExplorationError(f"Athena counts {count:,} flights of 336,776")
        step.line = (
            f"Athena counts {count:,} flights; of the {int(month[0][0]):,} in July, which took"
            f" {statistics['DataScannedInBytes'] / 1e3:,.0f} kB to read, the latest left"
            f" {float(month[0][1]) / 60:.0f} hours late."
        )
        step.advance()
    return count, statistics["DataScannedInBytes"]


def _ask(athena: Any, bucket: str, reporter: Reporter) -> list[dict[str, str]]:
    with reporter.step("Ask Athena who is late", 1, "queries") as step:
        rows, statistics = _query(athena, bucket, _QUESTION)
        step.line = (
            f"Who leaves late? Athena joined and sorted it in"
            f" {statistics['TotalExecutionTimeInMillis']} ms:"
        )
        step.advance()
    names = ("airline", "flights", "minutes_late", "late_at_worst_tenth")
    for airline, flights, minutes, worst in rows:
        reporter.console.print(
            f"    {airline:<28} {int(flights):>6,} flights,"
            f" {minutes:>5} minutes late on average, one in ten over {worst}",
            soft_wrap=True,
        )
    return [dict(zip(names, row, strict=True)) for row in rows]


def _query(athena: Any, bucket: str, sql: str) -> tuple[list[list[str]], dict[str, Any]]:
    """Rows and statistics of a query whose result is small and holds no NULL.

    Raises:
        ExplorationError: it failed.
    """
    started = athena.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": DATABASE},
        ResultConfiguration={"OutputLocation": f"s3://{bucket}/athena/"},
    )
    execution = _until_ended(athena, started["QueryExecutionId"])
    status = execution["Status"]
    if status["State"] != "SUCCEEDED":
        reason = status.get("StateChangeReason", "no reason was given")
        raise ExplorationError(f"the query is {status['State']}: {reason}")
    result = athena.get_query_results(QueryExecutionId=started["QueryExecutionId"])
    rows = [
        [cell["VarCharValue"] for cell in row["Data"]] for row in result["ResultSet"]["Rows"][1:]
    ]
    return rows, execution["Statistics"]


def _until_ended(athena: Any, query_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        execution: dict[str, Any] = athena.get_query_execution(QueryExecutionId=query_id)[
            "QueryExecution"
        ]
        if execution["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
            return execution
        time.sleep(_POLL_SECONDS / 5)
    raise ExplorationError(f"the query has not ended after {_PATIENCE_SECONDS:g} seconds")
