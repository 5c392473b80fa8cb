"""Finished calls for the tests of the log of calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import botocore.session
from botocore.model import OperationModel

from cloche.core.operations import Call, Server
from cloche.core.principals import Principal

ACCOUNT = "000000000000"
JANE = Principal(
    kind="IAMUser",
    account_id=ACCOUNT,
    arn=f"arn:aws:iam::{ACCOUNT}:user/jane",
    user_id="AIDAJANE",
    name="jane",
    access_key_id="AKIAJANE",
)


@dataclass
class Http:
    """What the log looks at of a request."""

    method: str = "POST"
    raw_path: str = "/"
    query_string: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: {"user-agent": "Boto3/1.44.5"})
    host: str = "127.0.0.1:4566"
    source_ip: str = "10.0.0.7"
    is_secure: bool = False


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def model_of(service: str, operation: str) -> OperationModel:
    """botocore's model of an operation."""
    return _model(service).operation_model(operation)


def call(
    service: str,
    operation: str,
    principal: Principal = JANE,
    *,
    http: Http | None = None,
    audit: dict[str, Any] | None = None,
    region: str = "us-east-1",
    is_internal: bool = False,
) -> Call:
    """A call, by HTTP unless it is internal."""
    return Call(
        cast("Server", None),
        service,
        operation,
        principal,
        region,
        "request-1",
        None if is_internal else (http or Http()),
        audit=audit or {},
    )
