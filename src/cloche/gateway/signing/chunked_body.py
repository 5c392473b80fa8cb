"""A request's body without its aws-chunked encoding."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from cloche.gateway.http.messages import Body, BodyTooLarge, Request
from cloche.gateway.signing.chunk_signatures import ChunkSignatures
from cloche.gateway.signing.chunked import ChunkedDecoder
from cloche.gateway.signing.errors import InvalidRequest, MissingContentLength
from cloche.gateway.signing.payload import payload_mode
from cloche.gateway.signing.refusals import REFUSALS
from cloche.gateway.signing.verification import Verified

_LENGTH = re.compile(r"[0-9]{1,18}")


class DecodedBody:
    """A body as its chunks hold it; a `Body` itself.

    The signatures of chunks are verified as they end, the last thing before the iteration ends
    being the trailer's. What came before is not to be committed until then.

    Args:
        body: as it came.
        decoder: for this body only.
        size_bytes: length of what the chunks hold.
    """

    def __init__(self, body: Body, decoder: ChunkedDecoder, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._body = body
        self._decoder = decoder

    @property
    def awaits_continue(self) -> bool:
        """See `Body.awaits_continue`."""
        return self._body.awaits_continue

    @property
    def trailers(self) -> dict[str, str]:
        """The trailer's headers by lower-case name; empty until the body is read to its end."""
        return self._decoder.trailers

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The decoded bytes.

        Raises:
            AWSError: see `ChunkedDecoder.feed` and `ChunkedDecoder.finish`.
        """
        async for data in self._body:
            for piece in self._decoder.feed(data):
                yield piece
        self._decoder.finish()

    async def read(self, limit_bytes: int) -> bytes:
        """All of it; see `Body.read`."""
        if self.size_bytes > limit_bytes:
            raise BodyTooLarge(f"the body has more than {limit_bytes} bytes")
        self.hold(self.size_bytes)
        return b"".join([piece async for piece in self])

    def hold(self, size_bytes: int) -> None:
        """See `Body.hold`."""
        self._body.hold(size_bytes)


def decoded_body(request: Request, verified: Verified | None) -> Body:
    """The body of a request to S3, without aws-chunked encoding if it has that.

    Args:
        request: with its body as it came.
        verified: the request's signature; None if it has none, when only the unsigned form of
            chunks can be read.

    Raises:
        MissingContentLength: there is no `x-amz-decoded-content-length`.
        InvalidRequest: that is not a number, or chunks are signed in a request that is not.
        InvalidArgument: `x-amz-content-sha256` is nothing that S3 knows.
    """
    headers = request.headers
    declared = headers.get("x-amz-content-sha256", "")
    if not declared.startswith("STREAMING-") and (
        verified is None or not verified.payload_mode.startswith("STREAMING-")
    ):
        return request.body
    mode = payload_mode(declared, REFUSALS["s3"]) if verified is None else verified.payload_mode
    length = headers.get("x-amz-decoded-content-length")
    if length is None:
        raise MissingContentLength()
    if not _LENGTH.fullmatch(length):
        raise InvalidRequest("The value of x-amz-decoded-content-length is not a number of bytes.")
    signatures: ChunkSignatures | None = None
    if mode != "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
        if verified is None:
            raise InvalidRequest("Signed chunks need a signed request.")
        signatures = ChunkSignatures(verified)
    announced: list[str] | None = None
    if mode.endswith("-TRAILER"):
        names = headers.get("x-amz-trailer", "").lower().split(",")
        announced = [name.strip() for name in names if name.strip()]
    decoder = ChunkedDecoder(int(length), signatures, announced)
    return DecodedBody(request.body, decoder, int(length))
