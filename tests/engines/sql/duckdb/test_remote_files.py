"""Files behind URLs, where the object store is another server's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest

from cloche.engines.sql.duckdb import DuckDBEngine
from cloche.engines.sql.engine import DataFile, ErrorKind, QueryError
from tests.engines.sql.running import HIVE_JSON, LAZY, ORC, PARQUET, Lake

pytest.importorskip("duckdb_extension_httpfs")


class _Ranges(SimpleHTTPRequestHandler):
    """Serves files, and parts of them."""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        asked = self.headers.get("Range")
        if asked is None or not path.is_file():
            super().do_GET()
            return
        first, _, last = asked.removeprefix("bytes=").partition("-")
        content = path.read_bytes()
        part = content[int(first) : int(last) + 1 if last else None]
        self.send_response(206)
        self.send_header("Content-Length", str(len(part)))
        end = int(first) + len(part) - 1
        self.send_header("Content-Range", f"bytes {first}-{end}/{len(content)}")
        self.end_headers()
        self.wfile.write(part)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "lake").mkdir()
    handler = partial(_Ranges, directory=str(tmp_path / "lake"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()
        thread.join()


@pytest.fixture
def lake(server: str, tmp_path: Path) -> Iterator[Lake]:
    engine = DuckDBEngine(tmp_path / "engine", [server], memory_bytes=2**30, threads=2)
    yield Lake(engine, tmp_path / "lake")
    engine.close()


def remote(lake: Lake, server: str, name: str) -> DataFile:
    size = (lake.folder / name).stat().st_size if (lake.folder / name).exists() else 0
    return DataFile(server + name, f"s3://far/{name}", size)


def test_every_kind_of_format(lake: Lake, server: str) -> None:
    rows = pa.table({"n": [1, 2], "s": ["a", "b"]})
    pq.write_table(rows, lake.folder / "t.parquet")
    orc.write_table(rows, lake.folder / "t.orc")
    (lake.folder / "t.txt").write_text("1,a\n2,b\n")
    (lake.folder / "t.json").write_text('{"n":1,"s":"a"}\n{"n":2,"s":"b"}\n')
    for serde, name in ((PARQUET, "t.parquet"), (ORC, "t.orc"), (HIVE_JSON, "t.json")):
        lake.table("t", serde, "n bigint; s string; more date", remote(lake, server, name))
        assert lake.rows('SELECT n, s, more, "$path" FROM t') == [
            (1, "a", None, f"s3://far/{name}"),
            (2, "b", None, f"s3://far/{name}"),
        ]
    lake.table("t", LAZY, "n bigint; s string", remote(lake, server, "t.txt"), field__delim=",")
    assert lake.rows("SELECT sum(n), max(s) FROM t") == [(3, "b")]


@pytest.mark.parametrize(("serde", "name"), [(PARQUET, "x.parquet"), (ORC, "x.orc")])
def test_a_file_that_is_not_there(lake: Lake, server: str, serde: str, name: str) -> None:
    lake.table("t", serde, "n bigint", remote(lake, server, name))
    with pytest.raises(QueryError) as caught:
        lake.rows("SELECT n FROM t")
    assert caught.value.kind == ErrorKind.HIVE_CANNOT_OPEN_SPLIT
    assert f"s3://far/{name}" in caught.value.message
    assert server not in caught.value.message
