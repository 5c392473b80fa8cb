"""The CORS rules of a bucket; `cors` applies them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from cloche.core.operations import Call
from cloche.services.s3.bucket_records import CORSRule, change_bucket, load_bucket
from cloche.services.s3.errors import InvalidRequest, MalformedXML, NoSuchCORSConfiguration
from cloche.services.s3.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import s3 as shapes

_METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "HEAD"})
_MAX_RULES = 100
_MAX_ID_CHARACTERS = 255


@service.operation
def get_bucket_cors(call: Call, request: shapes.GetBucketCorsRequest) -> shapes.GetBucketCorsOutput:
    """The CORS rules. Raises NoSuchCORSConfiguration if there are none. AWS: S3 GetBucketCors."""
    bucket = load_bucket(call, request)
    if not bucket.cors:
        raise NoSuchCORSConfiguration(BucketName=bucket.name)
    rules: Any = [_show(rule) for rule in bucket.cors]
    return {"CORSRules": rules}


@service.operation
def put_bucket_cors(call: Call, request: shapes.PutBucketCorsRequest) -> Empty:
    """Replace the CORS rules. AWS: S3 PutBucketCors."""
    configuration: Any = request.get("CORSConfiguration") or {}
    given = configuration.get("CORSRules") or []
    if not 0 < len(given) <= _MAX_RULES:
        raise MalformedXML
    rules = tuple(_read(rule) for rule in given)
    change_bucket(call, request, lambda bucket: replace(bucket, cors=rules))
    return {}


@service.operation
def delete_bucket_cors(call: Call, request: shapes.DeleteBucketCorsRequest) -> Empty:
    """Remove the CORS rules. AWS: S3 DeleteBucketCors."""
    change_bucket(call, request, lambda bucket: replace(bucket, cors=()))
    return {}


def _read(given: dict[str, Any]) -> CORSRule:
    if not given.get("AllowedMethods") or not given.get("AllowedOrigins"):
        raise MalformedXML
    rule = msgspec.convert(given, CORSRule)
    if len(rule.ID or "") > _MAX_ID_CHARACTERS or (rule.MaxAgeSeconds or 0) < 0:
        raise MalformedXML
    for method in rule.AllowedMethods:
        if method not in _METHODS:
            raise InvalidRequest(
                "Found unsupported HTTP method in CORS config. Unsupported method is " + method
            )
    _refuse_wildcards("AllowedOrigin", rule.AllowedOrigins)
    _refuse_wildcards("AllowedHeader", rule.AllowedHeaders)
    for header in rule.ExposeHeaders:
        if "*" in header:
            raise InvalidRequest(
                f'ExposeHeader "{header}" contains wildcard. We currently do not support wildcard '
                "for ExposeHeader."
            )
    return rule


def _refuse_wildcards(element: str, values: tuple[str, ...]) -> None:
    for value in values:
        if value.count("*") > 1:
            raise InvalidRequest(f'{element} "{value}" can not have more than one wildcard.')


def _show(rule: CORSRule) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(rule)
    return {
        member: list(value) if isinstance(value, tuple) else value
        for member, value in shown.items()
    }
