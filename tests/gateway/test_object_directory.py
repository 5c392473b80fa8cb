from __future__ import annotations

from pathlib import Path

import pytest

from cloche.gateway.object_directory import ObjectsElsewhere
from tests.live_server import LiveServer
from tests.postgresql import postgresql_server, postgresql_url

__all__ = ["postgresql_server", "postgresql_url"]


def test_two_servers_on_one_database_do_not_have_different_objects(
    postgresql_url: str, tmp_path: Path
) -> None:
    first = LiveServer(tmp_path / "first", database_url=postgresql_url).start()
    try:
        s3 = first.client("s3")
        s3.create_bucket(Bucket="shared")
        s3.put_object(Bucket="shared", Key="k", Body=b"hello")
        with pytest.raises(ObjectsElsewhere, match="first"):
            LiveServer(tmp_path / "second", database_url=postgresql_url).start()
    finally:
        first.stop()
    again = LiveServer(tmp_path / "first", database_url=postgresql_url).start()
    try:
        assert again.client("s3").get_object(Bucket="shared", Key="k")["Body"].read() == b"hello"
    finally:
        again.stop()
