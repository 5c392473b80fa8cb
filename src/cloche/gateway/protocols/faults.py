"""What may be wrong with a request before its operation sees it."""

from __future__ import annotations

from cloche.core.errors import AWSError, SerializationException

XML_NOT_WELL_FORMED = (
    "The XML you provided was not well-formed or did not validate against our published schema"
)


class ParseError(Exception):
    """Input that is not what the model says; each protocol turns it into AWS's error for it.

    Attributes:
        message: for the client.
        argument: name and text of the header, label or query parameter at fault, or None when it
            is the body.
    """

    def __init__(self, message: str, argument: tuple[str, str] | None = None) -> None:
        self.message = message
        self.argument = argument
        super().__init__(message)


class MalformedInput(AWSError):
    """A parameter cannot be read as what the model says (query services)."""


class MalformedQueryString(AWSError):
    """The form or the query string cannot be read (query services)."""


class InvalidParameterValue(AWSError):
    """A parameter cannot be read as what the model says (EC2)."""


class MalformedXML(AWSError):
    """The body is not the XML that the model asks for."""


class InvalidArgument(AWSError):
    """A header or a query parameter cannot be read as what the model says (S3)."""


class UnsupportedMediaTypeException(AWSError):
    """The body's content type is not the protocol's."""

    status = 415


class NotAcceptableException(AWSError):
    """The client does not accept the content type of the answer."""

    status = 406


class RequestEntityTooLargeException(AWSError):
    """A compressed body unpacks to more than is allowed."""

    status = 413


def fault_of(error: ParseError, protocol: str, *, is_s3: bool) -> AWSError:
    """AWS's error for unreadable input, by protocol."""
    if is_s3:
        if error.argument is None:
            return MalformedXML(XML_NOT_WELL_FORMED)
        name, value = error.argument
        return InvalidArgument(error.message, ArgumentName=name, ArgumentValue=value)
    if protocol == "query":
        return MalformedInput(error.message)
    if protocol == "ec2":
        return InvalidParameterValue(error.message)
    if protocol == "rest-xml" and error.argument is None:
        return MalformedXML(error.message)
    return SerializationException(error.message)
