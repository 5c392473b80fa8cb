"""A crawl where the objects are kept by another S3 endpoint: only parts of them are read."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pyarrow as pa
import pytest

from tests.live_server import LiveServer
from tests.services.glue.crawling.conftest import Lake, columns, parquet_bytes


@pytest.fixture
def remote_lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    back = LiveServer(tmp_path_factory.mktemp("back")).start()
    keys = f"{back.root['AccessKeyId']}:{quote(back.root['SecretAccessKey'], safe='')}"
    url = f"http://{keys}@127.0.0.1:{back.port}/front-"
    front = LiveServer(tmp_path_factory.mktemp("front"), object_store_url=url).start()
    yield Lake(front)
    front.stop()
    back.stop()


def test_a_crawl_over_another_endpoint(remote_lake: Lake) -> None:
    table = pa.table({"n": range(300_000), "text": ["x" * 20] * 300_000})
    remote_lake.put("p/a.parquet", parquet_bytes(table, use_dictionary=False, compression="none"))
    remote_lake.put_csv("c/day=1/a.csv", "id,name", "1,x")
    tables = remote_lake.crawl("p", "c")
    assert columns(tables["p"]) == {"n": "bigint", "text": "string"}
    assert tables["p"]["Parameters"]["recordCount"] == "300000"
    assert columns(tables["c"]) == {"id": "bigint", "name": "string"}
    assert remote_lake.partitions("c").keys() == {("1",)}
