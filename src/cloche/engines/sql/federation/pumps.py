"""Reads rows from elsewhere in a thread of its own.

Who waits for a socket can't be interrupted: so the one that waits is not the one that runs the
query, which looks up from time to time whether it is cancelled. It also has the next rows come
while the last ones are worked on.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

import duckdb
import pyarrow as pa

from cloche.engines.sql.federation.threads import Threads

ROWS_AT_A_TIME = 2048
"""DuckDB's vector: a scanner has never fewer in memory."""

_BATCH_ROWS = 32_768
_BATCH_BYTES = 16 * 1024 * 1024
_AHEAD = 4
_LOOK_SECONDS = 0.05
_GRACE_SECONDS = 0.2


class Pump:
    """One query under way.

    Args:
        threads: where it runs.
        cursor: is closed by the thread at its end.
        sql: DuckDB's.
        parameters: of it.
        kill: has the other side end it; blocks.
    """

    def __init__(
        self,
        threads: Threads,
        cursor: duckdb.DuckDBPyConnection,
        sql: str,
        parameters: Sequence[str],
        kill: Callable[[], None],
    ) -> None:
        self._threads = threads
        self._cursor = cursor
        self._sql = sql
        self._parameters = parameters
        self._kill = kill
        self._batches: queue.Queue[pa.RecordBatch | BaseException | None] = queue.Queue(_AHEAD)
        self._stopped = threading.Event()
        self._ended = threading.Event()
        self._ending = threading.Lock()

    def start(self) -> None:
        """Begin to read."""
        self._threads.start(self._run)

    def take(self, check: Callable[[], None]) -> pa.RecordBatch | None:
        """The next batch, None at the end or after `stop`; what ended the reading is raised."""
        while True:
            try:
                got = self._batches.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                if self._stopped.is_set():
                    return None
                check()
                continue
            if isinstance(got, BaseException):
                raise got
            return got

    def stop(self) -> None:
        """Let it end, here and there; doesn't wait."""
        with self._ending:
            if self._stopped.is_set() or self._ended.is_set():
                return
            self._stopped.set()
            self._cursor.interrupt()
        self._threads.start(self._see_to_its_end)

    def has_ended(self, seconds: float | None) -> bool:
        """Whether it has, after some time; None is for ever."""
        return self._ended.wait(seconds)

    def _see_to_its_end(self) -> None:
        if not self._ended.wait(_GRACE_SECONDS):
            self._kill()

    def _run(self) -> None:
        try:
            result = self._cursor.execute(self._sql, list(self._parameters))
            with result.to_arrow_reader(ROWS_AT_A_TIME) as reader:
                for batch in _gathered(reader):
                    if not self._put(batch):
                        return
            self._put(None)
        except Exception as error:  # noqa: BLE001  # it is raised where batches are taken
            self._put(error)
        finally:
            with self._ending:
                self._cursor.close()
                self._ended.set()

    def _put(self, item: pa.RecordBatch | BaseException | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._batches.put(item, timeout=_LOOK_SECONDS)
            except queue.Full:
                continue
            return True
        return False


def _gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in larger batches, bounded by their number and by their bytes.

    A reader of DuckDB's counts rows alone: batches of many would take gigabytes of wide ones.
    """
    held: list[pa.RecordBatch] = []
    rows = taken = 0
    for batch in batches:
        if held and (rows + batch.num_rows > _BATCH_ROWS or taken + batch.nbytes > _BATCH_BYTES):
            yield from _joined(held)
            held, rows, taken = [], 0, 0
        held.append(batch)
        rows += batch.num_rows
        taken += batch.nbytes
    if held:
        yield from _joined(held)


def _joined(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    return pa.Table.from_batches(batches).combine_chunks().to_batches()
