"""Amazon Resource Names."""

from __future__ import annotations

from typing import NamedTuple


class InvalidArn(ValueError):
    """A text is not an ARN."""


class Arn(NamedTuple):
    """`arn:partition:service:region:account_id:resource`.

    Attributes:
        region: empty for global services.
        account_id: empty for some resources (an S3 bucket), `aws` for AWS's own policies.
        resource: all the rest, colons and slashes included.
    """

    partition: str
    service: str
    region: str
    account_id: str
    resource: str

    def __str__(self) -> str:
        return ":".join(("arn", *self))

    @property
    def resource_type(self) -> str:
        """What stands before the resource's first slash or colon; empty if there is neither."""
        return self._split()[0]

    @property
    def resource_id(self) -> str:
        """What stands after the resource's first slash or colon; all of it if there is neither."""
        return self._split()[1]

    def _split(self) -> tuple[str, str]:
        for index, character in enumerate(self.resource):
            if character in "/:":
                return self.resource[:index], self.resource[index + 1 :]
        return "", self.resource


def parse_arn(text: str) -> Arn:
    """Take an ARN apart.

    Raises:
        InvalidArn: it has fewer than six parts, or no partition, service or resource.
    """
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not (parts[1] and parts[2] and parts[5]):
        raise InvalidArn(f"{text!r} is not an ARN")
    return Arn(*parts[1:])


def format_arn(
    service: str, region: str, account_id: str, resource: str, *, partition: str | None = None
) -> str:
    """An ARN's text; the partition is the region's unless given."""
    return f"arn:{partition or partition_of(region)}:{service}:{region}:{account_id}:{resource}"


def partition_of(region: str) -> str:
    """The partition that a region belongs to; `aws` for none."""
    if region.startswith("cn-"):
        return "aws-cn"
    if region.startswith("us-gov-"):
        return "aws-us-gov"
    return "aws"
