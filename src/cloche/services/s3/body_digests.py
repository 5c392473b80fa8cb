"""Whether the body of a request that is no object is the one that its headers announce.

Bodies of objects are checked as they are received; this is for the documents of all other
operations, which the gateway reads whole.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from cloche.engines.objects.filesystem.checksums import Digests
from cloche.services.s3.checksums import DIGEST_BYTES, check_checksum, decoded_md5
from cloche.services.s3.errors import BadDigest, InvalidRequest

_PREFIX = "x-amz-checksum-"


def check_body(operation: str, headers: Mapping[str, str], body: bytes) -> None:
    """Refuse a body that is not what Content-MD5 or a checksum header says.

    CompleteMultipartUpload is let through: its checksum is that of the object.

    Raises:
        InvalidDigest: Content-MD5 is no MD5.
        BadDigest: the body has another digest.
        InvalidRequest: there are several checksums.
    """
    if operation == "CompleteMultipartUpload":
        return
    content_md5 = headers.get("content-md5")
    if content_md5 is not None:
        expected = decoded_md5(content_md5)
        digest = hashlib.md5(body, usedforsecurity=False).digest()
        if digest != expected:
            raise BadDigest(
                ExpectedDigest=content_md5, CalculatedDigest=base64.b64encode(digest).decode()
            )
    announced = [
        (name[len(_PREFIX) :], value)
        for name, value in headers.items()
        if name.startswith(_PREFIX) and name[len(_PREFIX) :].upper() in DIGEST_BYTES
    ]
    if len(announced) > 1:
        raise InvalidRequest(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
    for algorithm, value in announced:
        digests = Digests((algorithm,))
        digests.update(body)
        check_checksum(algorithm.upper(), value, digests.finish()[algorithm])
