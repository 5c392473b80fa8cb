"""Glue's errors."""

from __future__ import annotations

from cloche.core.errors import AWSError


class GlueError(AWSError):
    """Any of Glue's modelled errors."""

    def detail(self) -> dict[str, str]:
        """As a batch operation tells it of one of its items: Glue's ErrorDetail."""
        return {"ErrorCode": self.code, "ErrorMessage": self.message}


class AlreadyExistsException(GlueError):
    """The name is taken."""


class ConcurrentModificationException(GlueError):
    """Somebody else changed it first."""


class ConditionCheckFailureException(GlueError):
    """A condition that the request makes is not met."""


class EntityNotFoundException(GlueError):
    """There is no such thing."""


class InvalidInputException(GlueError):
    """The request asks for what cannot be."""


class ResourceNumberLimitExceededException(GlueError):
    """There would be more of them than may be."""


class VersionMismatchException(GlueError):
    """The version is not the one that was expected."""


def invalid_expression(reason: str) -> InvalidInputException:
    """The error for what is no expression on a table's partition keys."""
    return InvalidInputException(f"Invalid partition expression! {reason}")
