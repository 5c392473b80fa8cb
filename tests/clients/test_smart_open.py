"""smart_open: objects as files, by their URL."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from smart_open import open as open_url

from tests.live_server import LiveServer


@pytest.fixture
def through(server: LiveServer) -> dict[str, Any]:
    return {"client": server.client("s3"), "min_part_size": 5 * 1024 * 1024}


def test_large_file_is_written_and_read_as_a_stream(
    through: dict[str, Any], bucket: str, tables: Path
) -> None:
    content = (tables / "flights.csv").read_bytes()
    url = f"s3://{bucket}/flights.csv"

    with open_url(url, "wb", transport_params=through) as file:
        for start in range(0, len(content), 1_000_000):
            file.write(content[start : start + 1_000_000])
    with open_url(url, "rb", transport_params={"client": through["client"]}) as file:
        file.seek(10_000_000)
        assert file.read(100) == content[10_000_000:10_000_100]
        file.seek(-50, 2)
        assert file.read() == content[-50:]
        file.seek(0)
        assert file.read() == content


def test_compressed_text_line_by_line(through: dict[str, Any], bucket: str, tables: Path) -> None:
    lines = (tables / "airports.csv").read_text().splitlines(keepends=True)
    url = f"s3://{bucket}/airports.csv.gz"

    with open_url(url, "w", transport_params=through) as file:
        file.writelines(lines)
    with open_url(url, "r", transport_params={"client": through["client"]}) as file:
        assert list(file) == lines

    stored = through["client"].get_object(Bucket=bucket, Key="airports.csv.gz")["Body"].read()
    assert gzip.decompress(stored).decode() == "".join(lines)


def test_failed_writer_leaves_nothing(through: dict[str, Any], bucket: str) -> None:
    url = f"s3://{bucket}/never"

    def write() -> None:
        with open_url(url, "wb", transport_params=through) as file:
            file.write(bytes(6 * 1024 * 1024))
            raise RuntimeError("the writer fails")

    with pytest.raises(RuntimeError, match="the writer fails"):
        write()
    s3 = through["client"]
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
