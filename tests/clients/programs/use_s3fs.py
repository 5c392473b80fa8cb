"""Works on a bucket through s3fs; run by test_s3fs.py in an environment that has it."""

from __future__ import annotations

import sys
from pathlib import Path

import s3fs


def main(bucket: str, folder: Path) -> None:
    """Put the tables into the bucket, read them in several ways, change and remove them."""
    s3 = s3fs.S3FileSystem(default_block_size=5 * 1024 * 1024)
    flights, airports = folder / "flights.csv", folder / "airports.csv"

    s3.put(str(airports), f"{bucket}/tables/airports.csv")
    with s3.open(f"{bucket}/tables/flights.csv", "wb") as file:
        file.write(flights.read_bytes())

    assert s3.ls(f"{bucket}/tables") == [
        f"{bucket}/tables/airports.csv",
        f"{bucket}/tables/flights.csv",
    ]
    assert s3.info(f"{bucket}/tables/flights.csv")["size"] == flights.stat().st_size
    assert s3.isdir(f"{bucket}/tables") and not s3.exists(f"{bucket}/absent")
    with s3.open(f"{bucket}/tables/flights.csv", "rb", cache_type="bytes") as file:
        file.seek(20_000_000)
        assert file.read(1_000) == flights.read_bytes()[20_000_000:20_001_000]
        file.seek(0)
        assert file.read() == flights.read_bytes()
    with s3.open(f"{bucket}/tables/airports.csv", "r") as file:
        assert sum(1 for _ in file) == len(airports.read_text().splitlines())

    names = [f"{bucket}/many/{number}" for number in range(50)]
    s3.pipe({name: name.encode() for name in names})
    assert s3.cat(names) == {name: name.encode() for name in names}
    s3.copy(f"{bucket}/tables/airports.csv", f"{bucket}/copies/airports.csv")
    s3.mv(f"{bucket}/many/0", f"{bucket}/moved")
    assert s3.glob(f"{bucket}/**/airports.csv") == [
        f"{bucket}/copies/airports.csv",
        f"{bucket}/tables/airports.csv",
    ]
    s3.rm(f"{bucket}/many", recursive=True)
    s3.invalidate_cache()
    assert sorted(s3.find(bucket)) == [
        f"{bucket}/copies/airports.csv",
        f"{bucket}/moved",
        f"{bucket}/tables/airports.csv",
        f"{bucket}/tables/flights.csv",
    ]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
