"""The global condition keys of a request, each worked out when a policy first asks for it.

Source: IAM user guide, "AWS global condition context keys". Most policies ask for none of them,
so nothing is computed in advance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from cloche.core.operations import Call
from cloche.core.principals import Principal

Values = tuple[str, ...]

_PRINCIPAL_TYPES = {
    "Root": "Account",
    "IAMUser": "User",
    "AssumedRole": "AssumedRole",
    "FederatedUser": "FederatedUser",
    "AWSService": "Service",
    "Anonymous": "Anonymous",
}


class RequestContext:
    """The condition keys of a call.

    Args:
        call: the call.
        request: its parsed input, for the tags it asks for.
        keys: further keys that the service gives, by any case (`s3:prefix`, `aws:ResourceTag/x`).
    """

    __slots__ = ("_call", "_known", "_request")

    def __init__(
        self,
        call: Call,
        request: Mapping[str, Any],
        keys: Mapping[str, str | Sequence[str]] | None = None,
    ) -> None:
        self._call = call
        self._request = request
        self._known: dict[str, Values | None] = {}
        for key, value in (keys or {}).items():
            self._known[key.lower()] = (value,) if isinstance(value, str) else tuple(value)

    def get(self, key: str, /) -> Values | None:
        """The values of a key given in lower case; None if the request lacks it."""
        known = self._known
        if key not in known:
            known[key] = self._compute(key)
        return known[key]

    def _compute(self, key: str) -> Values | None:
        if key.startswith("aws:principaltag/"):
            return principal_tag(self._call.principal, key[len("aws:principaltag/") :])
        if key.startswith("aws:requesttag/"):
            return self._request_tag(key[len("aws:requesttag/") :])
        if key == "aws:tagkeys":
            return self._tag_keys()
        of_principal = _OF_PRINCIPAL.get(key)
        if of_principal is not None:
            return _optional(of_principal(self._call.principal))
        of_call = _OF_CALL.get(key)
        return None if of_call is None else _optional(of_call(self._call))

    def _request_tag(self, key: str) -> Values | None:
        for tag_key, value in request_tags(self._request):
            if tag_key.lower() == key:
                return (value,)
        return None

    def _tag_keys(self) -> Values | None:
        keys = [key for key, _ in request_tags(self._request)]
        for member in ("TagKeys", "tagKeys", "TagsToRemove"):
            keys.extend(self._request.get(member) or ())
        return tuple(keys) or None


def principal_tag(principal: Principal, lower_key: str) -> Values | None:
    """The value of a principal's tag; tag keys in conditions are read without regard to case."""
    for key, value in principal.tags:
        if key.lower() == lower_key:
            return (value,)
    return None


def request_tags(request: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The tags that a request would set, in the forms that AWS's services use."""
    for member in ("Tags", "tags", "TagList", "TagsToAdd"):
        tags: Any = request.get(member)
        if isinstance(tags, Mapping):
            return list(cast("Mapping[str, str]", tags).items())
        if isinstance(tags, list):
            pairs = cast("list[Mapping[str, str]]", tags)
            return [
                (pair.get("Key") or pair.get("key", ""), pair.get("Value") or pair.get("value", ""))
                for pair in pairs
            ]
    return []


def _optional(value: str | None) -> Values | None:
    return None if value is None else (value,)


def _principal_arn(principal: Principal) -> str | None:
    if principal.kind == "AWSService":
        return None
    return principal.role_arn or principal.arn or None


def _source_arn(principal: Principal) -> str | None:
    return (principal.arn or None) if principal.kind == "AWSService" else None


def _source_account(principal: Principal) -> str | None:
    return (principal.account_id or None) if principal.kind == "AWSService" else None


def _mfa(principal: Principal) -> str | None:
    if principal.session_issued_at is None:
        return None
    return "true" if principal.mfa_authenticated else "false"


def _token_issue_time(principal: Principal) -> str | None:
    issued_at = principal.session_issued_at
    return None if issued_at is None else _iso(datetime.fromtimestamp(issued_at, UTC))


def _iso(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _header(name: str) -> Callable[[Call], str | None]:
    return lambda call: None if call.http is None else call.http.headers.get(name)


def _is_secure(call: Call) -> str | None:
    if call.http is None:
        return None
    return "true" if call.http.is_secure else "false"


_OF_PRINCIPAL: dict[str, Callable[[Principal], str | None]] = {
    "aws:principalarn": _principal_arn,
    "aws:principalaccount": lambda principal: principal.account_id or None,
    "aws:principaltype": lambda principal: _PRINCIPAL_TYPES[principal.kind],
    "aws:principalisawsservice": lambda principal: (
        "true" if principal.kind == "AWSService" else "false"
    ),
    "aws:principalservicename": lambda principal: (
        principal.name if principal.kind == "AWSService" else None
    ),
    "aws:sourcearn": _source_arn,
    "aws:sourceaccount": _source_account,
    "aws:userid": lambda principal: principal.user_id or None,
    "aws:username": lambda principal: principal.name if principal.kind == "IAMUser" else None,
    "aws:multifactorauthpresent": _mfa,
    "aws:tokenissuetime": _token_issue_time,
}

_OF_CALL: dict[str, Callable[[Call], str | None]] = {
    "aws:currenttime": lambda call: _iso(call.clock.now()),
    "aws:epochtime": lambda call: str(int(call.clock.time())),
    "aws:requestedregion": lambda call: call.region or "us-east-1",
    "aws:sourceip": lambda call: None if call.http is None else call.http.source_ip,
    "aws:securetransport": _is_secure,
    "aws:useragent": _header("user-agent"),
    "aws:referer": _header("referer"),
    "aws:viaawsservice": lambda call: "true" if call.http is None else "false",
}
