"""AssumeRole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from cloche.core.authorization.authorize import denial_message
from cloche.core.authorization.context import RequestContext
from cloche.core.authorization.evaluate import Decision
from cloche.core.errors import AccessDenied, NotImplementedException, ValidationError
from cloche.core.operations import Call
from cloche.services.iam.entities import Role, Tags
from cloche.services.iam.identity import policies_of
from cloche.services.iam.kinds import ROLES
from cloche.services.iam.service_sessions import parse_role_arn
from cloche.services.iam.sessions import Session, keep_session, new_session_key, sessions
from cloche.services.iam.tags import merge_tags, read_tags
from cloche.services.iam.trust import trust_decision
from cloche.services.sts.credentials import refuse_mfa, show_credentials, token_size
from cloche.services.sts.service import service
from cloche.services.sts.session_policies import packed_size_percent, session_policy

if TYPE_CHECKING:
    from aws_shapes import sts as shapes

_DEFAULT_SECONDS = 3600
_CHAINED_LIMIT_SECONDS = 3600
_NO_TRUST = Decision("implicitDeny", "resource-based policy")


@service.operation(resource="{RoleArn}")
def assume_role(call: Call, request: shapes.AssumeRoleRequest) -> shapes.AssumeRoleResponse:
    """Give temporary credentials of a role, if its trust policy lets the caller in.

    Unlike AWS, where root may assume no role at all, root's key may assume roles that trust the
    account: here it is the key that everyone starts with. Raises AccessDenied if the role doesn't
    exist or doesn't trust the caller. AWS: STS AssumeRole.
    """
    if request.get("ProvidedContexts"):
        raise NotImplementedException("Cloche does not pass contexts to AssumeRole yet.")
    refuse_mfa(request)
    role_arn = request["RoleArn"]
    account_id, name = parse_role_arn(role_arn)
    role = ROLES.find(call.documents, account_id, name) if name else None
    if role is None or ROLES.arn(account_id, role) != role_arn:
        raise _denied(call, "sts:AssumeRole", role_arn, _NO_TRUST)
    inherited = _inherited(call)
    source_identity = inherited.source_identity or request.get("SourceIdentity", "")
    tags = read_tags(request.get("Tags") or [])
    _authorize(call, request, role, role_arn)
    policy = session_policy(call, request)
    percent = packed_size_percent(request, tags)
    seconds = _duration_seconds(call, request, role)
    key = new_session_key(account_id, request.get("MinimumSessionTokenSize", 0))
    now, session_name = call.clock.time(), request["RoleSessionName"]
    session = Session(
        id=key.id,
        secret=key.secret,
        token=key.token,
        account_id=account_id,
        kind="AssumedRole",
        arn=f"arn:aws:sts::{account_id}:assumed-role/{role.name}/{session_name}",
        user_id=f"{role.id}:{session_name}",
        name=session_name,
        owner=role.name,
        owner_id=role.id,
        role_arn=role_arn,
        issued_at=now,
        expires_at=now + seconds,
        policies=() if policy is None else (policy,),
        # What a session hands on can't be overridden by the next.
        tags=merge_tags(tags, inherited.tags),
        transitive_tag_keys=(
            *(key for key, _ in inherited.tags),
            *request.get("TransitiveTagKeys", ()),
        ),
        source_identity=source_identity,
    )
    keep_session(call.documents, session)
    response: shapes.AssumeRoleResponse = {
        "Credentials": show_credentials(session),
        "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
        **token_size(session),
    }
    if percent is not None:
        response["PackedPolicySize"] = percent
    if source_identity:
        response["SourceIdentity"] = source_identity
    return response


class _Inherited(NamedTuple):
    """What the caller's own session hands on to the next."""

    tags: Tags = ()
    source_identity: str = ""


def _inherited(call: Call) -> _Inherited:
    if call.principal.session_issued_at is None:
        return _Inherited()
    session = call.documents.get(sessions, "", "", call.principal.access_key_id)
    if session is None:
        return _Inherited()
    keys = {key.lower() for key in session.transitive_tag_keys}
    tags = tuple(pair for pair in session.tags if pair[0].lower() in keys)
    return _Inherited(tags, session.source_identity)


def _authorize(call: Call, request: Mapping[str, Any], role: Role, role_arn: str) -> None:
    actions = ["sts:AssumeRole"]
    if request.get("Tags"):
        actions.append("sts:TagSession")
    if request.get("SourceIdentity"):
        actions.append("sts:SetSourceIdentity")
    keys = {
        f"sts:{member}": request[member]
        for member in ("ExternalId", "SourceIdentity", "TransitiveTagKeys")
        if request.get(member)
    }
    keys["sts:RoleSessionName"] = request["RoleSessionName"]
    context = RequestContext(call, request, keys)
    policies = policies_of(call.documents, call.principal)
    for action in actions:
        decision = trust_decision(role, role_arn, call.principal, context, policies, action)
        if not decision.is_allowed:
            raise _denied(call, action, role_arn, decision)


def _denied(call: Call, action: str, role_arn: str, decision: Decision) -> AccessDenied:
    message = denial_message(call.principal.arn, action, role_arn, decision)
    return AccessDenied(message.replace("resource-based policy", "role trust policy"))


def _duration_seconds(call: Call, request: Mapping[str, Any], role: Role) -> int:
    seconds: int = request.get("DurationSeconds", _DEFAULT_SECONDS)
    if call.principal.kind == "AssumedRole" and seconds > _CHAINED_LIMIT_SECONDS:
        raise ValidationError(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by"
            " role chaining"
        )
    if seconds > role.session_seconds:
        raise ValidationError(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    return seconds
