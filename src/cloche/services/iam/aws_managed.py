"""AWS's own managed policies, at `arn:aws:iam::aws:policy/…`.

Written for Cloche in a minimal form of their own: each allows what its namesake is for, not word
for word what AWS's document lists.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any

import msgspec

from cloche.services.iam.entities import ManagedPolicy, PolicyVersion
from cloche.services.iam.identifiers import POLICY_PREFIX

ACCOUNT = "aws"
"""Stands in the place of an account id in their ARNs."""

_CREATED_AT = datetime(2015, 2, 6, 18, 39, 46, tzinfo=UTC)


@lru_cache(maxsize=1)
def aws_managed_policies() -> dict[str, ManagedPolicy]:
    """All of them by ARN."""
    content = files("cloche.services.iam").joinpath("aws_managed_policies.json").read_bytes()
    described: list[dict[str, Any]] = msgspec.json.decode(content)
    return {
        f"arn:aws:iam::{ACCOUNT}:policy{one['path']}{one['name']}": _policy(one)
        for one in described
    }


def _policy(described: dict[str, Any]) -> ManagedPolicy:
    name: str = described["name"]
    text = msgspec.json.format(msgspec.json.encode(described["document"]), indent=4).decode()
    return ManagedPolicy(
        name=name,
        path=described["path"],
        id=POLICY_PREFIX + hashlib.sha256(name.encode()).hexdigest()[:17].upper(),
        created_at=_CREATED_AT,
        updated_at=_CREATED_AT,
        versions=(PolicyVersion(id="v1", text=text, created_at=_CREATED_AT),),
        description=described["description"],
    )
