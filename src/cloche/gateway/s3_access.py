"""What S3 is asked beside its operations: CORS, and the digests of bodies that it reads whole.

S3's package is imported when it is first needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloche.gateway.http.messages import Request, Response
from cloche.gateway.routing.router import parse_query
from cloche.gateway.signing.query_v2 import check_header

if TYPE_CHECKING:
    from cloche.gateway.runtime import Runtime


_SIGNING_PARAMETERS = frozenset(
    {
        "x-amz-algorithm", "x-amz-content-sha256", "x-amz-credential", "x-amz-date",
        "x-amz-expires", "x-amz-security-token", "x-amz-signature", "x-amz-signedheaders",
    }
)  # fmt: skip


def bucket_of(path: str) -> str:
    """The bucket in a path-style path, as it stands there."""
    return path[1:].partition("/")[0]


def preflight(runtime: Runtime, path: str, request: Request) -> Response:
    """The answer to OPTIONS: what the bucket's CORS rules allow the origin.

    Raises:
        AWSError: no rule allows it, or there is nothing to ask about.
    """
    from cloche.services.s3 import cors

    headers = cors.preflight(runtime, bucket_of(path), request.headers)
    return Response(200, list(headers.items()))


def add_cors_headers(runtime: Runtime, path: str, request: Request, response: Response) -> None:
    """Let the origin's scripts see an answer, if a rule of the bucket says so."""
    from cloche.services.s3 import cors

    headers = cors.cors_headers(runtime, bucket_of(path), request.method, request.headers)
    response.headers.extend(headers.items())


def check_body(operation: str, headers: dict[str, str], body: bytes) -> None:
    """Compare the body of a configuration with the digests that came with it.

    Raises:
        AWSError: it is another.
    """
    from cloche.services.s3 import body_digests

    body_digests.check_body(operation, headers, body)


def query_headers(request: Request) -> dict[str, str]:
    """The headers of a presigned request, with those that stand in its query string.

    A URL may carry what a header would say (`x-amz-acl`, `x-amz-meta-…`), as all of the query
    string is signed. A header that came as well wins.

    Raises:
        InvalidArgument: one could not have come as a header.
    """
    headers = {
        name.lower(): value
        for name, value in parse_query(request.query_string).items()
        if name.lower().startswith("x-amz-") and name.lower() not in _SIGNING_PARAMETERS
    }
    for name, value in headers.items():
        check_header(name, value)
    return headers | request.headers
