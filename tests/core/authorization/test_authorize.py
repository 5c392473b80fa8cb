from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import pytest

from cloche.core.authorization.authorize import check
from cloche.core.authorization.context import RequestContext
from cloche.core.authorization.resources import resources_of
from cloche.core.clock import Clock
from cloche.core.errors import AccessDenied, AccessDeniedException
from cloche.core.operations import Call, Operation, ResourceOf, Server
from cloche.core.principals import ANONYMOUS, Principal
from tests.core.authorization.builders import (
    ACCOUNT,
    OTHER_ACCOUNT,
    ROOT,
    SESSION,
    USER,
    allow,
    deny,
)


@dataclass
class Parts:
    clock: Clock


@dataclass
class Request:
    method: str = "GET"
    raw_path: str = "/"
    query_string: str = ""
    headers: Mapping[str, str] = ()  # type: ignore[assignment]
    host: str = "localhost"
    source_ip: str = "192.0.2.1"
    is_secure: bool = False


def call_of(principal: Principal = USER, service: str = "s3", http: Request | None = None) -> Call:
    clock = Clock(wall_time=lambda: 1_777_636_800.25)
    return Call(cast("Server", Parts(clock)), service, "X", principal, "eu-west-1", "id", http)


def operation_of(
    resource: str | ResourceOf | None = None, action: str = "s3:GetObject"
) -> Operation:
    return Operation(action.partition(":")[2], check, False, action, resource, False, "executes")


OBJECT = operation_of("arn:{partition}:s3:::{Bucket}/{Key}")


@pytest.mark.parametrize(
    ("template", "request_", "expected"),
    [
        (None, {}, ["*"]),
        ("arn:{partition}:s3:::{Bucket}/{Key}", {"Bucket": "b", "Key": "k"}, ["arn:aws:s3:::b/k"]),
        ("arn:{partition}:s3:::{Bucket}/{Key}", {"Bucket": "b"}, ["arn:aws:s3:::b/*"]),
        (
            "arn:{partition}:kinesis:{region}:{account}:stream/{StreamName}",
            {"StreamName": "s"},
            [f"arn:aws:kinesis:eu-west-1:{ACCOUNT}:stream/s"],
        ),
        ("arn:{partition}:sqs:{region}:{account}:{Names}", {"Names": []}, None),
        ("x:{Names}/y", {"Names": ["a", "b"]}, ["x:a/y", "x:b/y"]),
        ("arn:{partition}:x:::job/{Name}", {"Name": "arn:aws:x:::job/j"}, ["arn:aws:x:::job/j"]),
    ],
)
def test_resources(
    template: str | None, request_: dict[str, Any], expected: list[str] | None
) -> None:
    expected = expected or [f"arn:aws:sqs:eu-west-1:{ACCOUNT}:*"]
    assert resources_of(call_of(), operation_of(template), request_) == expected


def test_a_function_may_name_the_resources() -> None:
    assert resources_of(call_of(), operation_of(lambda _call, request: [request["x"]]), {"x": "a"})
    assert resources_of(call_of(), operation_of(lambda _call, _request: []), {}) == ["*"]


def refusal(
    principal: Principal, identity: list[str], *, service: str = "s3", **more: Any
) -> tuple[type[Exception], str]:
    with pytest.raises((AccessDenied, AccessDeniedException)) as caught:
        check(call_of(principal, service), OBJECT, {"Bucket": "b", "Key": "k"}, identity, **more)
    return type(caught.value), caught.value.message


WHO = f'User: {USER.arn} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k"'


def test_refusals_are_worded_as_aws_words_them() -> None:
    none = refusal(USER, [])
    assert none == (
        AccessDenied,
        f"{WHO} because no identity-based policy allows the s3:GetObject action",
    )
    assert refusal(USER, [deny()])[1] == f"{WHO} with an explicit deny in an identity-based policy"
    by_bucket = refusal(USER, [allow()], resource_policy=deny(Principal="*"))
    assert by_bucket[1] == f"{WHO} with an explicit deny in a resource-based policy"
    bounded = refusal(USER, [allow()], boundary=allow("ec2:*"))
    assert bounded[1] == f"{WHO} because no permissions boundary allows the s3:GetObject action"
    across = refusal(USER, [allow()], resource_account=OTHER_ACCOUNT)
    assert across[1] == f"{WHO} because no resource-based policy allows the s3:GetObject action"
    assert refusal(USER, [], service="kinesis")[0] is AccessDeniedException


def test_an_action_without_resource_names_none() -> None:
    with pytest.raises(AccessDenied) as caught:
        check(call_of(service="iam"), operation_of(None, "iam:ListUsers"), {})
    assert caught.value.message == (
        f"User: {USER.arn} is not authorized to perform: iam:ListUsers"
        " because no identity-based policy allows the iam:ListUsers action"
    )


def test_every_resource_must_be_allowed() -> None:
    listed = operation_of("arn:{partition}:s3:::b/{Keys}")
    identity = [allow("s3:*", "arn:aws:s3:::b/1")]
    check(call_of(), listed, {"Keys": ["1"]}, identity)
    with pytest.raises(AccessDenied):
        check(call_of(), listed, {"Keys": ["1", "2"]}, identity)


def test_root_may_do_all_in_its_own_account_only() -> None:
    check(call_of(ROOT), OBJECT, {})
    mine = operation_of("{Arn}", "sqs:SendMessage")
    check(call_of(ROOT), mine, {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"})
    theirs = {"Arn": f"arn:aws:sqs:us-east-1:{OTHER_ACCOUNT}:q"}
    with pytest.raises(AccessDenied):
        check(call_of(ROOT), mine, theirs)
    check(call_of(ROOT), mine, theirs, resource_policy=allow(Principal={"AWS": ROOT.arn}))
    with pytest.raises(AccessDenied):
        check(call_of(ROOT), OBJECT, {}, resource_policy=deny(Principal="*"))


def test_anonymous_callers_need_a_resource_policy() -> None:
    with pytest.raises(AccessDenied, match="User: anonymous is not"):
        check(call_of(ANONYMOUS), OBJECT, {})
    check(call_of(ANONYMOUS), OBJECT, {}, resource_policy=allow(Principal="*"))


def test_session_policies_of_the_principal_apply() -> None:
    narrow = Principal(
        "AssumedRole",
        ACCOUNT,
        SESSION.arn,
        SESSION.user_id,
        role_arn=SESSION.role_arn,
        session_policies=(allow("s3:PutObject"),),
    )
    with pytest.raises(AccessDenied, match="no session policy allows"):
        check(call_of(narrow), OBJECT, {}, [allow()])


def test_keys_of_the_service() -> None:
    identity = [allow(Condition={"StringEquals": {"s3:prefix": "a"}})]
    check(call_of(), OBJECT, {}, identity, keys={"s3:Prefix": "a"})
    with pytest.raises(AccessDenied):
        check(call_of(), OBJECT, {}, identity, keys={"s3:Prefix": ["b"]})


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("aws:sourceip", ("192.0.2.1",)),
        ("aws:securetransport", ("false",)),
        ("aws:currenttime", ("2026-05-01T12:00:00Z",)),
        ("aws:epochtime", ("1777636800",)),
        ("aws:principalarn", (USER.arn,)),
        ("aws:principalaccount", (ACCOUNT,)),
        ("aws:principaltype", ("User",)),
        ("aws:userid", ("AIDAJANE",)),
        ("aws:username", ("jane",)),
        ("aws:useragent", ("test",)),
        ("aws:referer", None),
        ("aws:requestedregion", ("eu-west-1",)),
        ("aws:requesttag/team", ("red",)),
        ("aws:requesttag/other", None),
        ("aws:tagkeys", ("Team", "Cost")),
        ("aws:multifactorauthpresent", None),
        ("aws:tokenissuetime", None),
        ("aws:viaawsservice", ("false",)),
        ("aws:principaltag/team", None),
        ("aws:unknown", None),
    ],
)
def test_global_keys(key: str, expected: tuple[str, ...] | None) -> None:
    call = call_of(http=Request(headers={"user-agent": "test"}))
    tags = [{"Key": "Team", "Value": "red"}, {"Key": "Cost", "Value": ""}]
    assert RequestContext(call, {"Tags": tags}).get(key) == expected


def test_keys_of_a_session() -> None:
    session = Principal(
        "AssumedRole",
        ACCOUNT,
        SESSION.arn,
        SESSION.user_id,
        name="night",
        role_arn=SESSION.role_arn,
        session_issued_at=1_777_636_800.0,
        tags=(("Team", "red"),),
    )
    context = RequestContext(call_of(session), {"tags": {"a": "b"}, "tagKeys": ["c"]})
    assert context.get("aws:principalarn") == (SESSION.role_arn,)
    assert context.get("aws:username") is None
    assert context.get("aws:principaltag/team") == ("red",)
    assert context.get("aws:tokenissuetime") == ("2026-05-01T12:00:00Z",)
    assert context.get("aws:multifactorauthpresent") == ("false",)
    assert context.get("aws:tagkeys") == ("a", "c")
    assert context.get("aws:sourceip") is None
