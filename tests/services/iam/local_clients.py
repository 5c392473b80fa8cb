"""Clients that call operations in the process, with real documents, permissions and errors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import unquote

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from cloche.core.clock import Clock
from cloche.core.configuration import Settings
from cloche.core.dispatch import load_service
from cloche.core.documents import Documents
from cloche.core.errors import AWSError
from cloche.core.operations import Call, Server
from cloche.services.iam.identity import find_credential

_MODELS = botocore.session.get_session()
_DOCUMENTS = ("PolicyDocument", "AssumeRolePolicyDocument", "Document")


@dataclass
class Parts:
    """The parts of a server that IAM and STS use."""

    settings: Settings
    clock: Clock
    documents: Documents


class LocalClient:
    """As boto3's client of a service, for one key."""

    def __init__(self, parts: Parts, service_name: str, access_key_id: str) -> None:
        model = _MODELS.get_service_model(service_name)
        service = load_service(service_name)
        assert service is not None
        self._parts, self._service, self._key_id = parts, service, access_key_id
        self._models = {xform_name(name): name for name in model.operation_names}
        self._model = model
        self.exceptions = SimpleNamespace(ClientError=ClientError)

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        operation = self._model.operation_model(self._models[method])
        return lambda **request: self._invoke(operation, request)

    def _invoke(self, operation: Any, request: dict[str, Any]) -> dict[str, Any]:
        name = operation.name
        _check(request, operation.input_shape)
        try:
            answer = self._answer(name, request)
            _check(answer, operation.output_shape)
            return _decoded(answer)
        except AWSError as error:
            details = {"Code": error.code, "Message": error.message}
            raise ClientError(cast("Any", {"Error": details}), name) from error

    def _answer(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        credential = find_credential(self._parts.documents, self._key_id)
        if credential is None:
            raise _error("InvalidClientTokenId")
        if credential.expires_at is not None and credential.expires_at < self._parts.clock.time():
            raise _error("ExpiredToken")
        operation = self._service.operations[name]
        call = Call(
            cast("Server", self._parts),
            self._service.name,
            name,
            credential.principal,
            "us-east-1",
            "request",
        )
        assert self._service.authorize is not None
        self._service.authorize(call, operation, request)
        answer = operation.function(call, request)
        return asyncio.run(answer) if operation.is_async else answer


def _check(value: dict[str, Any], shape: Any) -> None:
    """Hold a request or an answer against botocore's model."""
    if shape is None:
        assert value == {}
        return
    report = ParamValidator().validate(value, shape)
    # Of root AWS tells less than its model requires.
    if not value.get("User", {}).get("Arn", "").endswith(":root"):
        assert not report.has_errors(), report.generate_report()


def _error(code: str) -> AWSError:
    return cast("AWSError", type(code, (AWSError,), {})("refused"))


def _decoded(value: Any) -> Any:
    """As boto3 does: policy documents come URL-encoded and are handed out parsed."""
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: json.loads(unquote(item))
        if key in _DOCUMENTS and isinstance(item, str)
        else _decoded(item)
        for key, item in value.items()
    }
