"""Session policies: what a session may do at most, beside what its identity may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cloche.core.authorization.grammar import policy_size, validate_identity_policy
from cloche.core.errors import ValidationError
from cloche.core.operations import Call
from cloche.services.iam.entities import Tags
from cloche.services.iam.managed import policy_text
from cloche.services.sts.errors import PackedPolicyTooLarge

PACKED_LIMIT_CHARACTERS = 2048
POLICY_ARNS_LIMIT = 10


def session_policy(call: Call, request: Mapping[str, Any]) -> str | None:
    """The inline and the managed session policies of a request as one document.

    Together they are one kind of policy, in which one allow is enough, so their statements stand
    in one document. None if the request brings none.

    Raises:
        MalformedPolicyDocument: IAM would refuse the inline policy.
        ValidationError: a managed policy doesn't exist, or there are more than ten.
    """
    inline: str | None = request.get("Policy")
    arns: list[str] = [one["arn"] for one in request.get("PolicyArns") or [] if "arn" in one]
    if len(arns) > POLICY_ARNS_LIMIT:
        raise ValidationError(f"No more than {POLICY_ARNS_LIMIT} session policies may be passed.")
    texts: list[str] = []
    if inline is not None:
        validate_identity_policy(inline)
        texts.append(inline)
    for arn in arns:
        text = policy_text(call.documents, arn)
        if text is None or arn.split(":")[4] not in ("aws", call.account_id):
            raise ValidationError(f"PolicyArn {arn} does not exist or is not attachable.")
        texts.append(text)
    if len(texts) < 2:
        return texts[0] if texts else None
    statements: list[Any] = []
    for text in texts:
        statement = msgspec.json.decode(text)["Statement"]
        statements.extend(statement if isinstance(statement, list) else [statement])
    joined = {"Version": "2012-10-17", "Statement": statements}
    return msgspec.json.encode(joined).decode()


def packed_size_percent(request: Mapping[str, Any], tags: Tags) -> int | None:
    """How much of the room for inline policy, ARNs and tags is used; None if there are none.

    Raises:
        PackedPolicyTooLarge: more than there is.
    """
    inline: str = request.get("Policy") or ""
    arns: list[str] = [one["arn"] for one in request.get("PolicyArns") or [] if "arn" in one]
    if not (inline or arns or tags):
        return None
    used = sum(map(len, arns)) + sum(len(key) + len(value) for key, value in tags)
    if policy_size(inline) > PACKED_LIMIT_CHARACTERS:
        percent = -(-policy_size(inline) * 100 // PACKED_LIMIT_CHARACTERS)
        raise PackedPolicyTooLarge(
            f"Packed policy consumes {percent}% of allotted space, please use smaller policy."
        )
    # AWS packs what a session carries into a binary form of about a third of its length.
    return min(100, -(-(policy_size(inline) + used) * 100 // (3 * PACKED_LIMIT_CHARACTERS)))
