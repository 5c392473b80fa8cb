"""What a browser on another origin may do with a bucket, by the bucket's CORS rules.

Source: "How does Amazon S3 evaluate the CORS configuration on a bucket?" in the S3 user guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from cloche.core.operations import Server
from cloche.services.s3.bucket_errors import AccessForbidden
from cloche.services.s3.bucket_records import Bucket, CORSRule, buckets, no_such_bucket
from cloche.services.s3.errors import BadRequest

_VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
_METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "HEAD"})


def cors_headers(
    server: Server, bucket_name: str, method: str, request_headers: Mapping[str, str]
) -> dict[str, str]:
    """The headers to add to the answer of an actual request; none if no rule fits.

    A request that has Access-Control-Request-Method as well is answered for that method.

    Args:
        server: where the bucket is.
        bucket_name: the bucket's name, whether or not it exists.
        method: the request's.
        request_headers: lower-case names.
    """
    origin = request_headers.get("origin")
    if origin is None or method == "OPTIONS":
        return {}
    bucket = _find(server, bucket_name)
    if bucket is None or not bucket.cors:
        return {}
    asked = request_headers.get("access-control-request-method", method)
    rule = _matching(bucket, origin, asked, ())
    return {} if rule is None else _answer(rule, origin)


def preflight(server: Server, bucket_name: str, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of the answer to an OPTIONS request, whose status is 200.

    Args:
        server: where the bucket is.
        bucket_name: the bucket's name, whether or not it exists.
        headers: the request's, lower-case names.

    Raises:
        BadRequest: it does not say what it is about.
        NoSuchBucket: there is no such bucket.
        AccessForbidden: no rule allows it.
    """
    origin = headers.get("origin")
    if origin is None:
        raise BadRequest("Insufficient information. Origin request header needed.")
    method = headers.get("access-control-request-method")
    if method is None:
        raise BadRequest("Invalid Access-Control-Request-Method: null")
    if method not in _METHODS:
        raise BadRequest(f"Invalid Access-Control-Request-Method: {method}")
    bucket = _find(server, bucket_name)
    if bucket is None:
        raise no_such_bucket(bucket_name)
    if not bucket.cors:
        raise AccessForbidden(
            "CORSResponse: CORS is not enabled for this bucket.",
            Method=method,
            ResourceType="BUCKET",
        )
    asked = headers.get("access-control-request-headers", "")
    names = tuple(name.strip().lower() for name in asked.split(",") if name.strip())
    rule = _matching(bucket, origin, method, names)
    if rule is None:
        raise AccessForbidden(Method=method, ResourceType="OBJECT")
    answer = _answer(rule, origin)
    if names:
        answer["access-control-allow-headers"] = ", ".join(names)
    return answer


def _find(server: Server, bucket_name: str) -> Bucket | None:
    return server.documents.get_cached(buckets, "", "", bucket_name)


def _matching(bucket: Bucket, origin: str, method: str, names: tuple[str, ...]) -> CORSRule | None:
    for rule in bucket.cors:
        if (
            method in rule.AllowedMethods
            and any(_fits(allowed, origin) for allowed in rule.AllowedOrigins)
            and all(
                any(_fits(allowed.lower(), name) for allowed in rule.AllowedHeaders)
                for name in names
            )
        ):
            return rule
    return None


def _fits(allowed: str, value: str) -> bool:
    """Whether a value fits a pattern in which only `*` is special."""
    return fnmatchcase(value, allowed.replace("[", "[[]").replace("?", "[?]"))


def _answer(rule: CORSRule, origin: str) -> dict[str, str]:
    is_open = "*" in rule.AllowedOrigins
    answer = {
        "access-control-allow-origin": "*" if is_open else origin,
        "access-control-allow-methods": ", ".join(rule.AllowedMethods),
        "vary": _VARY,
    }
    if rule.ExposeHeaders:
        answer["access-control-expose-headers"] = ", ".join(rule.ExposeHeaders)
    if rule.MaxAgeSeconds is not None:
        answer["access-control-max-age"] = str(rule.MaxAgeSeconds)
    if not is_open:
        answer["access-control-allow-credentials"] = "true"
    return answer
