"""What the gateway holds ready for each operation and protocol, compiled on first use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.model import OperationModel, ServiceModel

from cloche.core.dispatch import Dispatch
from cloche.core.errors import AWSError, NotImplementedS3
from cloche.core.operations import Operation
from cloche.gateway.protocols import (
    Parser,
    ProtocolName,
    Serializer,
    compile_parser,
    compile_serializer,
)
from cloche.gateway.protocols.validation import Validator, compile_validator
from cloche.gateway.service_models import service_model


class UnknownOperationException(AWSError):
    """The service has no such operation (JSON, CBOR and REST services)."""

    status = 404


class InvalidAction(AWSError):
    """The service has no such operation (query services)."""


class MethodNotAllowed(AWSError):
    """S3 has nothing under this method and path."""

    status = 405
    default_message = "The specified method is not allowed against this resource."


@dataclass(frozen=True, slots=True)
class Binding:
    """An operation of AWS's model, as a protocol reads and answers it.

    Attributes:
        operation: what does it; None if it is not built.
        validate: checks the model's constraints; None where there are none.
        takes_unsigned_body: whether clients may leave the body out of the signature. S3 lets
            them for all of its operations.
    """

    model: OperationModel
    operation: Operation | None
    parse: Parser
    validate: Validator | None
    serialize: Serializer
    takes_unsigned_body: bool = False


class Bindings:
    """Compiles bindings and keeps them."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch
        self._bindings: dict[tuple[str, str, str], Binding] = {}

    def find(self, service: str, protocol: ProtocolName, operation: str | None) -> Binding:
        """The binding of an operation.

        Raises:
            UnknownOperationException: AWS's model has no such operation; InvalidAction and
                MethodNotAllowed where the protocol calls it so.
            NotImplementedS3: it is S3's PostObject.
        """
        binding = self._bindings.get((service, protocol, operation or ""))
        if binding is None:
            binding = self._compile(service_model(service), protocol, operation)
            self._bindings[(service, protocol, operation or "")] = binding
        return binding

    def _compile(
        self, model: ServiceModel, protocol: ProtocolName, operation: str | None
    ) -> Binding:
        if operation is None or operation not in model.operation_names:
            raise unknown_operation(model, protocol, operation)
        operation_model: Any = model.operation_model(operation)
        return Binding(
            model=operation_model,
            operation=self._dispatch.operation(model.service_name, operation),
            parse=compile_parser(operation_model, protocol),
            validate=compile_validator(operation_model, protocol),
            serialize=compile_serializer(operation_model, protocol),
            takes_unsigned_body=operation_model.auth_type == "v4-unsigned-body",
        )


def unknown_operation(
    model: ServiceModel, protocol: ProtocolName, operation: str | None
) -> AWSError:
    """AWS's error for an operation that its model does not have.

    S3 has one beyond its model, PostObject, which is not built.
    """
    if model.service_name == "s3":
        if operation is None:
            return MethodNotAllowed()
        return NotImplementedS3(f"Cloche does not implement {operation} of s3 yet.")
    if protocol in ("query", "ec2"):
        if operation is None:
            return InvalidAction("The request has no Action parameter.")
        return InvalidAction(
            f"Could not find operation {operation} for version {model.api_version}"
        )
    return UnknownOperationException()
