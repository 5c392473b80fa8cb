"""Runs Spark SQL over Parquet files: a text as JSON on each line of its input, answers on output.

Started by `benchmarks.athena_engines` in an environment that has pyspark and nothing of Cloche.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from pyspark.sql import SparkSession  # type: ignore[import-not-found]


def main() -> None:
    folder, threads = Path(sys.argv[1]), int(sys.argv[2])
    session = (
        SparkSession.builder.master(f"local[{threads}]")
        .config("spark.driver.memory", "4g")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", str(threads * 2))
        .getOrCreate()
    )
    for file in folder.glob("*.parquet"):
        session.read.parquet(str(file)).createOrReplaceTempView(file.stem)
    for line in sys.stdin:
        begun = time.perf_counter()
        try:
            found = session.sql(json.loads(line)).collect()
            rows = [[None if cell is None else str(cell) for cell in row] for row in found]
            answer = {"seconds": time.perf_counter() - begun, "rows": rows}
        except Exception as error:  # noqa: BLE001  # whatever it is, the table shows it
            answer = {"error": str(error)[:300]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
