"""What is kept about a trail, and how a request names one."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from cloche.core.arns import InvalidArn, parse_arn
from cloche.core.documents import Documents, Table, Transaction
from cloche.core.operations import Call
from cloche.services.cloudtrail.errors import (
    CloudTrailARNInvalidException,
    InvalidHomeRegionException,
    InvalidTrailNameException,
    TrailNotFoundException,
)

MAXIMUM_TRAILS_IN_REGION = 5

_ALLOWED_CHARACTERS = re.compile(r"[A-Za-z0-9._-]*")
_SHORTEST_NAME = 3
_LONGEST_NAME = 128


class Trail(msgspec.Struct, frozen=True, omit_defaults=True):
    """A trail.

    Attributes:
        bucket: to which it delivers.
        prefix: before `AWSLogs/` in the keys of its objects; empty for none.
        is_logging: between StartLogging and StopLogging.
        started_at: seconds since 1970, of the last StartLogging.
        stopped_at: of the last StopLogging.
        event_selectors: as PutEventSelectors was given them, with defaults filled in; None if it
            never was.
        advanced_event_selectors: as given; at most one of the two kinds is set.
        tags: by key.
    """

    name: str
    account_id: str
    home_region: str
    bucket: str
    prefix: str = ""
    includes_global_events: bool = True
    is_multi_region: bool = False
    logs_own_deliveries: bool = True
    is_logging: bool = False
    started_at: float | None = None
    stopped_at: float | None = None
    event_selectors: tuple[dict[str, Any], ...] | None = None
    advanced_event_selectors: tuple[dict[str, Any], ...] | None = None
    tags: dict[str, str] = {}

    @property
    def arn(self) -> str:
        """The trail's ARN."""
        return trail_arn(self.home_region, self.account_id, self.name)

    @property
    def key(self) -> str:
        """Its name among the account's documents."""
        return f"{self.home_region}/{self.name}"


trails = Table("cloudtrail.trails", Trail)


def trail_arn(region: str, account_id: str, name: str) -> str:
    """The ARN of a trail."""
    return f"arn:aws:cloudtrail:{region}:{account_id}:trail/{name}"


def check_trail_name(name: str) -> None:
    """Refuse what cannot be a trail's name.

    Raises:
        InvalidTrailNameException: with AWS's words for what is wrong with it.
    """
    length = f"Specified name length: {len(name)} characters."
    if len(name) < _SHORTEST_NAME:
        raise InvalidTrailNameException(
            f"Trail name too short. Minimum allowed length: {_SHORTEST_NAME} characters. {length}"
        )
    if len(name) > _LONGEST_NAME:
        raise InvalidTrailNameException(
            f"Trail name too long. Maximum allowed length: {_LONGEST_NAME} characters. {length}"
        )
    if not _ALLOWED_CHARACTERS.fullmatch(name):
        raise InvalidTrailNameException(
            "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, "
            "periods (.), hyphens (-), and underscores (_)."
        )
    if not name[0].isalnum():
        raise InvalidTrailNameException("Trail name must starts with a letter or number.")
    if not name[-1].isalnum():
        raise InvalidTrailNameException("Trail name must ends with a letter or number.")
    if re.search(r"[._-]{2}", name):
        raise InvalidTrailNameException(
            "Trail name can't have adjacent periods, underscores or hyphens."
        )
    if _is_ip_address(name):
        raise InvalidTrailNameException("Trail name must not be formatted as an IP address.")


def key_of(call: Call, name_or_arn: str) -> str:
    """The key of the trail that a request names: in the call's region, or by ARN in any.

    Raises:
        InvalidTrailNameException: no trail can have the name.
        CloudTrailARNInvalidException: the ARN is not one of a trail of this account.
    """
    if not name_or_arn.startswith("arn:"):
        check_trail_name(name_or_arn)
        return f"{call.region}/{name_or_arn}"
    try:
        arn = parse_arn(name_or_arn)
    except InvalidArn:
        raise _invalid_arn(name_or_arn) from None
    # Permissions are checked on the text as it came: a second one for the same trail evades them.
    if name_or_arn != trail_arn(arn.region, arn.account_id, arn.resource_id):
        raise _invalid_arn(name_or_arn)
    if arn.account_id != call.account_id:
        raise _not_found(call, f"{arn.region}/{arn.resource_id}", arn.account_id)
    return f"{arn.region}/{arn.resource_id}"


def find_trail(call: Call, name_or_arn: str) -> Trail:
    """The trail that a request names.

    Raises:
        TrailNotFoundException: there is none. Besides, what `key_of` raises.
    """
    key = key_of(call, name_or_arn)
    trail = call.documents.get(trails, call.account_id, "", key)
    if trail is None:
        raise _not_found(call, key)
    return trail


def trail_to_change(tx: Transaction, call: Call, key: str) -> Trail:
    """The trail of a key within the transaction that changes it.

    Raises:
        TrailNotFoundException: there is none.
        InvalidHomeRegionException: the call came in another region than the trail's own.
    """
    trail = tx.get(trails, call.account_id, "", key)
    if trail is None:
        raise _not_found(call, key)
    if trail.home_region != call.region:
        raise InvalidHomeRegionException(
            f"The trail {trail.arn} can be changed only in its home region {trail.home_region}."
        )
    return trail


def trails_of_account(reader: Documents | Transaction, account_id: str) -> Iterator[Trail]:
    """All trails of an account, by home region and name."""
    after = ""
    while page := reader.scan(trails, account_id, "", after=after):
        for document in page:
            yield document.value
        after = page[-1].name


def _is_ip_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


def _invalid_arn(arn: str) -> CloudTrailARNInvalidException:
    return CloudTrailARNInvalidException(
        f"{arn} is not a trail ARN such as arn:aws:cloudtrail:us-east-2:123456789012:trail/MyTrail."
    )


def _not_found(call: Call, key: str, account_id: str | None = None) -> TrailNotFoundException:
    region, _, name = key.partition("/")
    arn = trail_arn(region, account_id or call.account_id, name)
    return TrailNotFoundException(f"Unknown trail: {arn} for the user: {call.account_id}")
