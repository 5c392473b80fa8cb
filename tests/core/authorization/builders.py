from __future__ import annotations

import json
from typing import Any

from cloche.core.authorization.evaluate import AccessRequest, Decision, PolicySet, evaluate
from cloche.core.principals import Principal

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"

USER = Principal("IAMUser", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/jane", "AIDAJANE", name="jane")
ROOT = Principal("Root", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)
SESSION = Principal(
    "AssumedRole",
    ACCOUNT,
    f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/night",
    "AROAWORKER:night",
    name="night",
    role_arn=f"arn:aws:iam::{ACCOUNT}:role/worker",
)
SERVICE = Principal("AWSService", ACCOUNT, "", "", name="events.amazonaws.com")


def statement(
    effect: str, action: str | list[str] = "*", resource: str | list[str] = "*", **more: Any
) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


def allow(action: str | list[str] = "*", resource: str | list[str] = "*", **more: Any) -> str:
    return policy(statement("Allow", action, resource, **more))


def deny(action: str | list[str] = "*", resource: str | list[str] = "*", **more: Any) -> str:
    return policy(statement("Deny", action, resource, **more))


def decide(
    principal: Principal = USER,
    action: str = "s3:GetObject",
    on: str = "arn:aws:s3:::photos/cat.jpg",
    context: dict[str, tuple[str, ...]] | None = None,
    **policies: Any,
) -> Decision:
    return evaluate(AccessRequest(principal, action, on, context or {}), PolicySet(**policies))
