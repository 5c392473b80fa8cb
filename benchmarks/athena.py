"""TPC-H through Athena's API against DuckDB called directly, pyspark and MiniStack; `SELECT 1`.

    python -m benchmarks.athena [--scale 1] [--runs 3] [--peers pyspark,ministack] [--directory DIR]

All read the same Parquet files. Cloche's time is what a user waits for: StartQueryExecution,
GetQueryExecution every two milliseconds, GetQueryResults. The engines take turns at each query;
the median of the runs counts, after one that does not. MiniStack and pyspark run each query once.
Every answer is compared with DuckDB's.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.athena_engines import Answer, Athena, DuckDB, Engine, Failed, spark
from benchmarks.sql_engine import generate, queries

_GIB = 2**30


def main() -> None:
    arguments = _arguments()
    wanted = [name for name in arguments.peers.split(",") if name]
    with tempfile.TemporaryDirectory(prefix="cloche-bench-") as temporary:
        folder = Path(arguments.directory or temporary)
        generate(folder, arguments.scale)
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(peers.cloche())
            peak = stack.enter_context(_peak_memory_mb(server))
            ours = Athena(server)
            ours.load(folder)
            _show_round_trips(ours, arguments.round_trips)
            threads = os.cpu_count() or 1
            others: list[Engine] = []
            if "pyspark" in wanted and (started := stack.enter_context(spark(folder, threads))):
                others.append(started)
            if "ministack" in wanted:
                ministack = Athena(stack.enter_context(peers.ministack()))
                ministack.load(folder)
                others.append(ministack)
            direct = DuckDB(folder, threads, 4 * _GIB)
            _compare(ours, direct, others, arguments.runs)
            print(f"peak memory of the server: {max(peak):.0f} MB")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="TPC-H through Athena's API")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--round-trips", type=int, default=200)
    parser.add_argument("--peers", default="pyspark,ministack")
    parser.add_argument("--directory", help="keeps the files for the next time")
    return parser.parse_args()


@contextlib.contextmanager
def _peak_memory_mb(server: peers.Running) -> Iterator[list[float]]:
    """Resident memory of the server and its children, looked at ten times a second."""
    seen = [0.0]
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            seen[0] = max(seen[0], server.memory_mb())

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def _show_round_trips(ours: Athena, count: int) -> None:
    """`SELECT 1` from StartQueryExecution to the rows of GetQueryResults."""
    for _ in range(10):
        ours.run("SELECT 1")
    before = ours.server.cpu_seconds()
    milliseconds = sorted(ours.run("SELECT 1").seconds * 1e3 for _ in range(count))
    cpu = (ours.server.cpu_seconds() - before) * 1e3 / count
    print(
        f"SELECT 1 by boto3: median {statistics.median(milliseconds):.1f} ms,"
        f" 90 % within {milliseconds[count * 9 // 10]:.1f} ms; server's CPU {cpu:.1f} ms"
    )


def _compare(ours: Athena, direct: DuckDB, others: list[Engine], runs: int) -> None:
    totals: dict[str, float] = {}
    right: dict[str, int] = {}
    reasons: list[str] = []
    ratios: list[float] = []
    engines: list[Engine] = [direct, ours, *others]
    print("| query | " + " | ".join(f"{engine.name}, ms" for engine in engines) + " | ratio |")
    print("|---" * (len(engines) + 2) + "|")
    for number, sql in enumerate(queries(), start=1):
        medians, expected = _medians(direct, ours, sql, runs)
        answers = [Answer(medians[0], expected), Answer(medians[1], ours.run(sql).rows)]
        cells = [f"{median * 1e3:.0f}" for median in medians]
        for engine, answer in zip((direct, ours), answers, strict=True):
            is_right = same(answer.rows, expected)
            right[engine.name] = right.get(engine.name, 0) + is_right
            totals[engine.name] = totals.get(engine.name, 0.0) + answer.seconds
        for engine in others:
            try:
                answer = engine.run(sql)
            except Failed as error:
                cells.append("failed")
                reasons.append(f"{engine.name}, query {number}: {str(error).splitlines()[0][:150]}")
                continue
            is_right = same(answer.rows, expected)
            right[engine.name] = right.get(engine.name, 0) + is_right
            totals[engine.name] = totals.get(engine.name, 0.0) + answer.seconds
            cells.append(f"{answer.seconds * 1e3:.0f}" + ("" if is_right else " WRONG"))
        ratios.append(medians[1] / medians[0])
        print(f"| {number} | {' | '.join(cells)} | {ratios[-1]:.2f} |", flush=True)
    for engine in engines:
        print(
            f"{engine.name}: {right.get(engine.name, 0)} of 22 right,"
            f" {totals.get(engine.name, 0.0):.2f} s"
        )
    ratio = totals[ours.name] / totals[direct.name]
    mean = statistics.geometric_mean(ratios)
    print(f"Cloche / DuckDB: {ratio:.3f} in total, {mean:.3f} geometric mean of the queries")
    print("\n".join(reasons))


def _medians(
    direct: DuckDB, ours: Athena, sql: str, runs: int
) -> tuple[tuple[float, float], list[list[Any]]]:
    """Seconds by DuckDB and by Athena, by turns, and DuckDB's rows."""
    expected = direct.run(sql).rows
    ours.run(sql)
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(runs):
        pair = ((0, direct), (1, ours)) if number % 2 else ((1, ours), (0, direct))
        for place, engine in pair:
            taken[place].append(engine.run(sql).seconds)
    return (statistics.median(taken[0]), statistics.median(taken[1])), expected


def same(rows: list[list[Any]], expected: list[list[Any]]) -> bool:
    """Whether a result, values as text, is DuckDB's, but for the last digits."""

    def is_close(text: Any, value: Any) -> bool:
        if text is None or value is None or isinstance(value, str):
            return text == value
        try:
            return abs(float(text) - float(value)) <= 0.01 + 1e-6 * abs(float(value))
        except (TypeError, ValueError):
            return str(text) == str(value)

    # GetQueryResults gives a thousand rows at once, the row of names among them.
    is_first_page = len(rows) == 999 < len(expected)
    return (is_first_page or len(rows) == len(expected)) and all(
        len(a) == len(b) and all(map(is_close, a, b)) for a, b in zip(rows, expected, strict=False)
    )


if __name__ == "__main__":
    main()
