"""Signed requests as bytes, made once and sent many times (a signature is good for 15 minutes)."""

from __future__ import annotations

from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

Key = tuple[str, str]


def get_caller_identity(url: str, key: Key) -> bytes:
    """STS GetCallerIdentity."""
    return _signed(
        SigV4Auth(Credentials(*key), "sts", "us-east-1"),
        "POST",
        f"{url}/",
        b"Action=GetCallerIdentity&Version=2011-06-15",
        {"content-type": "application/x-www-form-urlencoded"},
    )


def s3(url: str, key: Key, method: str, path: str, body: bytes = b"") -> bytes:
    """A request to S3 whose body is signed with it, as SDKs do over plain HTTP."""
    auth = S3SigV4Auth(Credentials(*key), "s3", "us-east-1")
    return _signed(auth, method, url + path, body, {})


def _signed(auth: SigV4Auth, method: str, url: str, body: bytes, headers: dict[str, str]) -> bytes:
    request = AWSRequest(method=method, url=url, data=body, headers=headers)
    auth.add_auth(request)
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    if body or method in ("PUT", "POST"):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
