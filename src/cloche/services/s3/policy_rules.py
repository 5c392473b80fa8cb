"""What S3 refuses in a bucket policy.

Difference from AWS: principals need to be well-formed, not to exist.
"""

from __future__ import annotations

import re
from functools import lru_cache

from cloche.core.authorization.grammar import validate_resource_policy
from cloche.core.authorization.policy import MalformedPolicyDocument, Statement
from cloche.services.s3.actions import BUCKET_ACTIONS, OBJECT_ACTIONS
from cloche.services.s3.bucket_errors import PolicyTooLarge
from cloche.services.s3.errors import MalformedPolicy

_LIMIT_BYTES = 20 * 1024
_RESOURCE = re.compile(r"arn:aws[a-z-]*:s3:::(.+)", re.DOTALL)


def check_policy(text: str, bucket_name: str) -> None:
    """Refuse a text that cannot be a bucket's policy.

    Raises:
        PolicyTooLarge: it has more than 20 KB.
        MalformedPolicy: it breaks the grammar, or is about other things than the bucket.
    """
    if len(text.encode()) > _LIMIT_BYTES:
        raise PolicyTooLarge
    if not text.startswith("{"):
        raise MalformedPolicy
    try:
        policy = validate_resource_policy(text)
    except MalformedPolicyDocument as error:
        raise MalformedPolicy(error.message) from error
    for statement in policy.statements:
        if statement.is_not_principal and statement.effect == "Allow":
            raise MalformedPolicy("Allow with NotPrincipal is not allowed.")
        _check_actions(statement)
        for resource in statement.resources:
            if not _is_within(resource, bucket_name):
                raise MalformedPolicy("Policy has invalid resource", Detail=resource)
        _check_reach(statement)


def _check_actions(statement: Statement) -> None:
    for action in statement.actions:
        vendor, _, name = action.lower().partition(":")
        if action == "*" or (vendor in ("s3", "s3-object-lambda", "s3express") and name):
            continue
        raise MalformedPolicy("Policy has invalid action", Detail=action)


def _is_within(resource: str, bucket_name: str) -> bool:
    """Whether an ARN, or a pattern of ARNs, can be about the bucket."""
    match = _RESOURCE.fullmatch(resource)
    if match is None:
        return False
    return _pattern(match[1].partition("/")[0]).fullmatch(bucket_name) is not None


@lru_cache(maxsize=1024)
def _pattern(wildcards: str) -> re.Pattern[str]:
    parts = re.split(r"([*?])", wildcards)
    return re.compile("".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in parts))


def _check_reach(statement: Statement) -> None:
    """Each statement must have an action that applies to one of its resources at least."""
    if statement.is_not_action or statement.is_not_resource:
        return
    names = [action.lower().partition(":")[2] or "*" for action in statement.actions]
    has_objects = any("/" in one or "*" in one for one in statement.resources)
    has_buckets = any("/" not in one or "*" in one for one in statement.resources)
    if not any(
        (has_objects and name not in BUCKET_ACTIONS) or (has_buckets and name not in OBJECT_ACTIONS)
        for name in names
    ):
        raise MalformedPolicy("Action does not apply to any resource(s) in statement")
