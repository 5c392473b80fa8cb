from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloche.core.principals import ANONYMOUS, Principal
from tests.core.authorization.builders import (
    ACCOUNT,
    OTHER_ACCOUNT,
    ROOT,
    SERVICE,
    SESSION,
    USER,
    allow,
    decide,
    deny,
    policy,
    statement,
)

S3 = allow("s3:*")
NOTHING = policy()
TO_USER = allow("s3:*", Principal={"AWS": USER.arn})
TO_ACCOUNT = allow("s3:*", Principal={"AWS": ACCOUNT})
TO_ROLE = allow("s3:*", Principal={"AWS": SESSION.role_arn})
TO_SESSION = allow("s3:*", Principal={"AWS": SESSION.arn})
TO_ALL = allow("s3:*", Principal="*")
TO_SERVICE = allow("s3:*", Principal={"Service": "events.amazonaws.com"})
IDENTITY, RESOURCE = "identity-based policy", "resource-based policy"
BOUNDARY, SESSION_POLICY = "permissions boundary", "session policy"


@pytest.mark.parametrize(
    ("principal", "policies", "verdict", "kind"),
    [
        # Within one account.
        (USER, {}, "implicitDeny", IDENTITY),
        (USER, {"identity": [S3]}, "allowed", IDENTITY),
        (USER, {"identity": [S3, deny("s3:Get*")]}, "explicitDeny", IDENTITY),
        (USER, {"resource": TO_USER}, "allowed", RESOURCE),
        (USER, {"resource": TO_ALL}, "allowed", RESOURCE),
        (USER, {"resource": TO_ACCOUNT}, "implicitDeny", IDENTITY),
        (USER, {"resource": TO_ROLE}, "implicitDeny", IDENTITY),
        (USER, {"resource": TO_SERVICE}, "implicitDeny", IDENTITY),
        (
            USER,
            {"identity": [S3], "resource": deny("s3:*", Principal="*")},
            "explicitDeny",
            RESOURCE,
        ),
        (
            USER,
            {"identity": [S3], "resource": deny("s3:*", Principal={"AWS": ACCOUNT})},
            "explicitDeny",
            RESOURCE,
        ),
        (
            USER,
            {"identity": [S3], "resource": deny("s3:*", NotPrincipal={"AWS": USER.arn})},
            "allowed",
            IDENTITY,
        ),
        (
            USER,
            {"identity": [S3], "resource": deny("s3:*", NotPrincipal={"AWS": ROOT.arn})},
            "allowed",
            IDENTITY,
        ),
        (
            USER,
            {"identity": [S3], "resource": deny("s3:*", NotPrincipal={"AWS": SESSION.arn})},
            "explicitDeny",
            RESOURCE,
        ),
        # Boundaries narrow what the identity has, not what the resource gives to the user itself.
        (USER, {"identity": [S3], "boundary": S3}, "allowed", IDENTITY),
        (USER, {"identity": [S3], "boundary": NOTHING}, "implicitDeny", BOUNDARY),
        (USER, {"boundary": S3}, "implicitDeny", IDENTITY),
        (USER, {"identity": [S3], "boundary": deny()}, "explicitDeny", BOUNDARY),
        (USER, {"resource": TO_USER, "boundary": NOTHING}, "allowed", RESOURCE),
        (USER, {"resource": TO_USER, "boundary": deny()}, "explicitDeny", BOUNDARY),
        # Sessions: both the role's and the session's policies; a grant to the role is narrowed.
        (SESSION, {"identity": [S3], "sessions": [S3]}, "allowed", IDENTITY),
        (SESSION, {"identity": [S3], "sessions": [NOTHING]}, "implicitDeny", SESSION_POLICY),
        (SESSION, {"identity": [S3], "sessions": [S3, NOTHING]}, "implicitDeny", SESSION_POLICY),
        (SESSION, {"sessions": [S3]}, "implicitDeny", IDENTITY),
        (SESSION, {"identity": [S3], "sessions": [deny()]}, "explicitDeny", SESSION_POLICY),
        (SESSION, {"resource": TO_ROLE}, "allowed", RESOURCE),
        (SESSION, {"resource": TO_ROLE, "sessions": [NOTHING]}, "implicitDeny", SESSION_POLICY),
        (SESSION, {"resource": TO_ROLE, "boundary": NOTHING}, "implicitDeny", BOUNDARY),
        (SESSION, {"resource": TO_SESSION, "sessions": [NOTHING]}, "allowed", RESOURCE),
        (SESSION, {"resource": TO_SESSION, "boundary": NOTHING}, "allowed", RESOURCE),
        (
            SESSION,
            {"resource": allow("s3:*", Principal={"AWS": "AROAWORKER"})},
            "allowed",
            RESOURCE,
        ),
        # Root is bound by resource policies alone.
        (ROOT, {}, "allowed", IDENTITY),
        (ROOT, {"resource": deny("s3:*", Principal="*")}, "explicitDeny", RESOURCE),
        # Across accounts both sides must allow.
        (USER, {"identity": [S3], "resource_account": OTHER_ACCOUNT}, "implicitDeny", RESOURCE),
        (
            USER,
            {"resource": TO_USER, "resource_account": OTHER_ACCOUNT},
            "implicitDeny",
            IDENTITY,
        ),
        (
            USER,
            {"identity": [S3], "resource": TO_ACCOUNT, "resource_account": OTHER_ACCOUNT},
            "allowed",
            IDENTITY,
        ),
        (
            USER,
            {"identity": [S3], "resource": TO_ALL, "resource_account": OTHER_ACCOUNT},
            "allowed",
            IDENTITY,
        ),
        (
            USER,
            {
                "identity": [S3],
                "boundary": NOTHING,
                "resource": TO_USER,
                "resource_account": OTHER_ACCOUNT,
            },
            "implicitDeny",
            BOUNDARY,
        ),
        (ROOT, {"resource_account": OTHER_ACCOUNT}, "implicitDeny", RESOURCE),
        (
            ROOT,
            {"resource": TO_ACCOUNT, "resource_account": OTHER_ACCOUNT},
            "allowed",
            IDENTITY,
        ),
        # Everyone and services have no policies of their own.
        (ANONYMOUS, {}, "implicitDeny", RESOURCE),
        (ANONYMOUS, {"resource": TO_ALL}, "allowed", RESOURCE),
        (ANONYMOUS, {"resource": TO_ALL, "resource_account": ACCOUNT}, "allowed", RESOURCE),
        (ANONYMOUS, {"resource": TO_ACCOUNT}, "implicitDeny", RESOURCE),
        (SERVICE, {"resource": TO_SERVICE}, "allowed", RESOURCE),
        (SERVICE, {"resource": TO_ACCOUNT}, "implicitDeny", RESOURCE),
        # A role's trust policy: identity policies alone do not open it.
        (
            USER,
            {"identity": [allow()], "resource": NOTHING, "needs_resource_grant": True},
            "implicitDeny",
            RESOURCE,
        ),
        (USER, {"resource": TO_USER, "needs_resource_grant": True}, "allowed", RESOURCE),
        (USER, {"resource": TO_ACCOUNT, "needs_resource_grant": True}, "implicitDeny", IDENTITY),
        (
            USER,
            {"identity": [S3], "resource": TO_ACCOUNT, "needs_resource_grant": True},
            "allowed",
            IDENTITY,
        ),
    ],
)
def test_decisions(principal: Principal, policies: dict[str, Any], verdict: str, kind: str) -> None:
    decision = decide(principal, **policies)
    assert (decision.verdict, decision.kind) == (verdict, kind)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (allow("S3:getOBJECT"), True),
        (allow("s3:Get?bject"), True),
        (allow(["ec2:*", "s3:GetObject"]), True),
        (allow("s3:GetObjectAcl"), False),
        (allow("s3:*", "arn:aws:s3:::photos/*"), True),
        (allow("s3:*", "arn:aws:s3:::PHOTOS/*"), False),
        (allow("s3:*", "arn:aws:s3:::photos"), False),
        (allow("s3:*", "arn:aws:s3:::*/cat.jpg"), True),
        (policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}), True),
        (policy({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}), False),
        (
            policy({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::photos/*"}),
            False,
        ),
        (policy({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::x/*"}), True),
        (allow("s3:*", "arn:aws:s3:::photos/${aws:username}.jpg"), True),
        (allow("s3:*", Condition={"StringEquals": {"aws:username": "cat"}}), True),
        (
            allow(
                "s3:*",
                Condition={
                    "StringEquals": {"aws:username": "cat"},
                    "Null": {"aws:username": "true"},
                },
            ),
            False,
        ),
    ],
)
def test_statements_apply(text: str, expected: bool) -> None:
    decision = decide(context={"aws:username": ("cat",)}, identity=[text])
    assert decision.is_allowed is expected


def test_the_deciding_statements_are_named() -> None:
    text = policy(statement("Allow", "ec2:*"), statement("Allow", "s3:*", Sid="reads"))
    [match] = decide(identity=[NOTHING, text]).matches
    assert (match.kind, match.index, match.statement, match.sid) == (IDENTITY, 1, 1, "reads")


_statements = st.builds(
    lambda effect, action, resource, condition: statement(
        effect, action, resource, **({"Condition": condition} if condition else {})
    ),
    st.sampled_from(["Allow", "Deny"]),
    st.sampled_from(["*", "s3:*", "s3:Get*", "s3:GetObject", "s3:PutObject", "ec2:*"]),
    st.sampled_from(["*", "arn:aws:s3:::photos/*", "arn:aws:s3:::other/*"]),
    st.sampled_from([None, {"StringEquals": {"aws:username": "jane"}}, {"Null": {"a:b": "false"}}]),
)
_policies = st.lists(_statements, max_size=4)
_context = {"aws:username": ("jane",)}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(_policies, _policies, st.lists(_policies, max_size=2), st.booleans())
def test_a_deny_that_applies_always_wins(
    identity: list[dict[str, Any]],
    boundary: list[dict[str, Any]],
    sessions: list[list[dict[str, Any]]],
    is_in_resource_policy: bool,
) -> None:
    decision = decide(
        SESSION,
        context=_context,
        identity=[policy(*identity), *([] if is_in_resource_policy else [deny("s3:GetObject")])],
        boundary=policy(*boundary),
        sessions=[policy(*one) for one in sessions],
        resource=deny("s3:GetObject", Principal="*") if is_in_resource_policy else TO_SESSION,
    )
    assert decision.verdict == "explicitDeny"


@settings(max_examples=300, deadline=None, derandomize=True)
@given(_policies, _statements, st.integers(0, 4))
def test_adding_a_deny_never_allows(
    statements: list[dict[str, Any]], further: dict[str, Any], position: int
) -> None:
    before = decide(context=_context, identity=[policy(*statements)])
    denying = {**further, "Effect": "Deny"}
    after = decide(
        context=_context,
        identity=[policy(*statements[:position], denying, *statements[position:])],
    )
    assert before.is_allowed or not after.is_allowed


@settings(max_examples=300, deadline=None, derandomize=True)
@given(_policies, _policies)
def test_a_session_policy_never_widens(
    identity: list[dict[str, Any]], session: list[dict[str, Any]]
) -> None:
    alone = decide(SESSION, context=_context, identity=[policy(*identity)])
    narrowed = decide(
        SESSION, context=_context, identity=[policy(*identity)], sessions=[policy(*session)]
    )
    assert alone.is_allowed or not narrowed.is_allowed


def test_order_of_statements_does_not_matter() -> None:
    statements = [statement("Allow"), statement("Deny", "s3:Get*")]
    for order in (statements, statements[::-1]):
        text = json.dumps({"Version": "2012-10-17", "Statement": order})
        assert decide(identity=[text]).verdict == "explicitDeny"
