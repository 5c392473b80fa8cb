from __future__ import annotations

import pytest

from cloche.services.s3.body_digests import check_body
from cloche.services.s3.errors import BadDigest, InvalidDigest, InvalidRequest

BODY = b"hello"
RIGHT = {
    "content-md5": "XUFAKrxLKna5cZ2REBfFkg==",
    "x-amz-checksum-crc32": "NhCmhg==",
    "x-amz-checksum-sha256": "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
}


@pytest.mark.parametrize("name", RIGHT)
def test_compares_the_body_with_what_is_announced(name: str) -> None:
    headers = {name: RIGHT[name], "x-amz-checksum-algorithm": "CRC32"}
    check_body("PutBucketCors", headers, BODY)
    with pytest.raises(BadDigest):
        check_body("PutBucketCors", headers, b"hallo")


def test_refuses_what_is_no_digest_and_several_checksums() -> None:
    with pytest.raises(InvalidDigest):
        check_body("PutBucketCors", {"content-md5": "bad"}, BODY)
    with pytest.raises(InvalidRequest):
        check_body(
            "PutBucketCors",
            {name: value for name, value in RIGHT.items() if "md5" not in name},
            BODY,
        )


def test_the_checksum_of_a_completion_is_not_of_its_body() -> None:
    check_body("CompleteMultipartUpload", {"x-amz-checksum-crc32": "AAAAAA=="}, BODY)
