"""The server is killed in the middle of a crawl, which goes on when it is there again."""

from __future__ import annotations

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.core.conftest import until
from tests.kill.server_process import ServerProcess
from tests.services.glue.crawling.conftest import EVERYTHING, TRUST

BUCKET = "lake-that-is-crawled"
DAYS = 300


@pytest.mark.kill
@pytest.mark.timeout(180)
def test_a_crawl_outlives_kill_9(tmp_path: Path) -> None:
    process = ServerProcess(tmp_path / "data").start()
    try:
        _fill(process.client("s3"))
        role = _role(process.client("iam"))
        process.client("glue").create_crawler(
            Name="crawler",
            Role=role,
            DatabaseName="lake",
            Targets={"S3Targets": [{"Path": f"s3://{BUCKET}/t"}]},
        )
        process.client("glue").start_crawler(Name="crawler")
        time.sleep(random.uniform(0.05, 0.6))
        process.kill()
        process.start()
        glue = process.client("glue")
        until(lambda: glue.get_crawler(Name="crawler")["Crawler"]["State"] == "READY")
        crawler = glue.get_crawler(Name="crawler")["Crawler"]
        assert crawler["LastCrawl"]["Status"] == "SUCCEEDED", crawler["LastCrawl"]
        assert len(glue.list_crawls(CrawlerName="crawler")["Crawls"]) == 1
        assert _partitions(glue) == {(str(day),) for day in range(DAYS)}
        assert len(glue.get_tables(DatabaseName="lake")["TableList"]) == 1
    finally:
        process.kill()


def _fill(s3: Any) -> None:
    s3.create_bucket(Bucket=BUCKET)

    def put(day: int) -> None:
        s3.put_object(Bucket=BUCKET, Key=f"t/day={day}/a.csv", Body=f"id,name\n{day},x\n")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, range(DAYS)))


def _role(iam: Any) -> str:
    made = iam.create_role(RoleName="crawler", AssumeRolePolicyDocument=json.dumps(TRUST))
    policy = {"Version": "2012-10-17", "Statement": EVERYTHING}
    iam.put_role_policy(RoleName="crawler", PolicyName="all", PolicyDocument=json.dumps(policy))
    return made["Role"]["Arn"]


def _partitions(glue: Any) -> set[tuple[str, ...]]:
    pages = glue.get_paginator("get_partitions").paginate(DatabaseName="lake", TableName="t")
    return {tuple(each["Values"]) for page in pages for each in page["Partitions"]}
