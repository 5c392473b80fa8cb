"""IAM's errors."""

from __future__ import annotations

from cloche.core.errors import AWSError


class NoSuchEntity(AWSError):
    """What is named does not exist."""

    status = 404


class EntityAlreadyExists(AWSError):
    """The name is taken."""

    status = 409


class DeleteConflict(AWSError):
    """Something still belongs to what is to be deleted."""

    status = 409


class LimitExceeded(AWSError):
    """A quota of the account is used up."""

    status = 409


class InvalidInput(AWSError):
    """A value cannot be used here."""


class UnmodifiableEntity(AWSError):
    """Only AWS's own service may change a service-linked role."""


class PolicyNotAttachable(AWSError):
    """A service's own policy, which only its service-linked role has."""


class InvalidClientTokenId(AWSError):
    """These credentials cannot be used for this."""

    status = 403
    default_message = "The security token included in the request is invalid"
