"""AWS's errors as a tree of exceptions.

A service's own errors are subclasses named as AWS names them; the gateway's protocols are the
only place that turns one into bytes. An error knows its code, its HTTP status and, where AWS's
model gives it members, their values.
"""

from __future__ import annotations

from typing import Any, ClassVar


class AWSError(Exception):
    """An error that a client is told about, as AWS would tell it.

    Attributes:
        code: AWS's error code, the class's name unless the class says otherwise.
        status: HTTP status; a modelled exception's own status wins when it is encoded.
        message: AWS's wording.
        members: further members of the modelled exception, by their names in the model.
        headers: further HTTP headers of the answer.
    """

    code: ClassVar[str] = ""
    status: ClassVar[int] = 400
    default_message: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" not in cls.__dict__:
            cls.code = cls.__name__

    def __init__(
        self,
        message: str | None = None,
        *,
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        self.message = self.default_message if message is None else message
        self.members = members
        self.headers = headers or {}
        super().__init__(self.message)


class AccessDenied(AWSError):
    """The principal may not do this (query and XML services)."""

    status = 403


class AccessDeniedException(AWSError):
    """The principal may not do this (JSON services)."""

    status = 403


class ValidationException(AWSError):
    """The request breaks a constraint of the model (JSON services)."""


class ValidationError(AWSError):
    """The request breaks a constraint of the model (query services)."""


class SerializationException(AWSError):
    """The body cannot be read as what the model says."""


class NotImplementedException(AWSError):
    """AWS has this operation and Cloche does not build it yet."""

    status = 501


class NotImplementedS3(AWSError):
    """S3's own form of `NotImplementedException`."""

    code = "NotImplemented"
    status = 501
    default_message = "A header you provided implies functionality that is not implemented."


class InternalFailure(AWSError):
    """Something in Cloche broke; the log has the trace under the request's id."""

    status = 500
    default_message = (
        "The request processing has failed because of an unknown error, exception or failure."
    )
