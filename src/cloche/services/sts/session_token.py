"""Temporary credentials of users themselves: GetSessionToken and GetFederationToken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloche.core.errors import AccessDenied
from cloche.core.operations import Call
from cloche.core.principals import PrincipalKind
from cloche.services.iam.entities import Tags
from cloche.services.iam.sessions import Session, keep_session, new_session_key
from cloche.services.iam.tags import read_tags
from cloche.services.sts.credentials import refuse_mfa, show_credentials, token_size
from cloche.services.sts.service import service
from cloche.services.sts.session_policies import packed_size_percent, session_policy

if TYPE_CHECKING:
    from aws_shapes import sts as shapes

_USER_DEFAULT_SECONDS = 43200
_ROOT_LIMIT_SECONDS = 3600
_ALLOW_NOTHING = '{"Version":"2012-10-17","Statement":[]}'


@service.operation
def get_session_token(
    call: Call, request: shapes.GetSessionTokenRequest
) -> shapes.GetSessionTokenResponse:
    """Give temporary credentials of the user, or root, that asks.

    With them AWS lets nobody call IAM. Root's last an hour at most. Raises AccessDenied for an
    MFA code, for there are no MFA devices yet. AWS: STS GetSessionToken.
    """
    refuse_mfa(request)
    principal = call.principal
    session = _keep(call, request, principal.kind, principal.arn, principal.user_id, principal.name)
    return {"Credentials": show_credentials(session), **token_size(session)}


@service.operation(resource="arn:{partition}:sts::{account}:federated-user/{Name}")
def get_federation_token(
    call: Call, request: shapes.GetFederationTokenRequest
) -> shapes.GetFederationTokenResponse:
    """Give temporary credentials of a federated user.

    It may do what both the user that asks and the session policies allow; without session
    policies, only what resource policies grant it. AWS: STS GetFederationToken.
    """
    name, account_id = request["Name"], call.account_id
    tags = read_tags(request.get("Tags") or [])
    policy = session_policy(call, request)
    percent = packed_size_percent(request, tags)
    session = _keep(
        call,
        request,
        "FederatedUser",
        f"arn:aws:sts::{account_id}:federated-user/{name}",
        f"{account_id}:{name}",
        name,
        policies=(policy or _ALLOW_NOTHING,),
        tags=tags,
    )
    response: shapes.GetFederationTokenResponse = {
        "Credentials": show_credentials(session),
        "FederatedUser": {"FederatedUserId": session.user_id, "Arn": session.arn},
        **token_size(session),
    }
    if percent is not None:
        response["PackedPolicySize"] = percent
    return response


def _keep(
    call: Call,
    request: Mapping[str, Any],
    kind: PrincipalKind,
    arn: str,
    user_id: str,
    name: str,
    *,
    policies: tuple[str, ...] = (),
    tags: Tags = (),
) -> Session:
    principal, now = call.principal, call.clock.time()
    if principal.kind not in ("IAMUser", "Root"):
        raise AccessDenied(f"Cannot call {call.operation} with session credentials")
    seconds: int = request.get("DurationSeconds", _USER_DEFAULT_SECONDS)
    if principal.is_root:
        seconds = min(seconds, _ROOT_LIMIT_SECONDS)
    key = new_session_key(call.account_id, request.get("MinimumSessionTokenSize", 0))
    session = Session(
        id=key.id,
        secret=key.secret,
        token=key.token,
        account_id=call.account_id,
        kind=kind,
        arn=arn,
        user_id=user_id,
        name=name,
        owner=principal.name,
        owner_id="" if principal.is_root else principal.user_id,
        issued_at=now,
        expires_at=now + seconds,
        policies=policies,
        tags=tags,
    )
    keep_session(call.documents, session)
    return session
