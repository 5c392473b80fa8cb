"""Works on a bucket through aiobotocore; run by test_s3fs.py in an environment that has it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from aiobotocore.session import get_session
from botocore.exceptions import ClientError


async def main(bucket: str, folder: Path) -> None:
    """Write and read a hundred objects at once, page through them, and upload in parts."""
    async with get_session().create_client("s3") as s3:

        async def store(number: int) -> None:
            key, content = f"many/{number:03}", bytes([number]) * number * 100
            await s3.put_object(Bucket=bucket, Key=key, Body=content)
            answer = await s3.get_object(Bucket=bucket, Key=key)
            async with answer["Body"] as body:
                assert await body.read() == content

        await asyncio.gather(*(store(number) for number in range(100)))
        keys = [
            each["Key"]
            async for page in s3.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix="many/", PaginationConfig={"PageSize": 30}
            )
            for each in page["Contents"]
        ]
        assert keys == [f"many/{number:03}" for number in range(100)]

        content, size = (folder / "flights.csv").read_bytes(), 8 * 1024 * 1024
        upload = {"Bucket": bucket, "Key": "flights.csv"}
        upload["UploadId"] = (await s3.create_multipart_upload(**upload))["UploadId"]

        async def send(number: int) -> dict[str, object]:
            part = content[(number - 1) * size : number * size]
            answer = await s3.upload_part(**upload, PartNumber=number, Body=part)
            return {"PartNumber": number, "ETag": answer["ETag"]}

        numbers = range(1, -(-len(content) // size) + 1)
        parts = await asyncio.gather(*(send(number) for number in numbers))
        await s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        answer = await s3.get_object(Bucket=bucket, Key="flights.csv")
        async with answer["Body"] as body:
            assert b"".join([chunk async for chunk in body.iter_chunks(100_000)]) == content

        try:
            await s3.get_object(Bucket=bucket, Key="absent")
        except ClientError as error:
            assert error.response["Error"]["Code"] == "NoSuchKey"
        else:
            raise AssertionError("what is not there was read")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
