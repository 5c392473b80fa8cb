"""Roles that services take on: for jobs, functions and whatever else acts for a user."""

from __future__ import annotations

from cloche.core.dispatch import IdentityPolicies
from cloche.core.errors import AccessDenied
from cloche.core.operations import Server
from cloche.core.principals import Principal
from cloche.services.iam.kinds import ROLES
from cloche.services.iam.sessions import Session, keep_session, new_session_key
from cloche.services.iam.trust import trust_decision


def create_session_for_service(
    server: Server,
    role_arn: str,
    service_principal: str,
    session_name: str,
    duration_seconds: int,
    *,
    source_arn: str = "",
) -> Session:
    """Take on a role as an AWS service would; blocks until the session is durable.

    Args:
        server: the server.
        role_arn: the role, of any account of this server.
        service_principal: such as `sagemaker.amazonaws.com`.
        session_name: 2 to 64 characters, the last part of the session's ARN.
        duration_seconds: until it expires; services aren't held to MaxSessionDuration.
        source_arn: of what the service acts for, as `aws:SourceArn` in the trust policy.

    Raises:
        AccessDenied: there is no such role, or its trust policy doesn't name the service.
    """
    account_id, name = parse_role_arn(role_arn)
    role = ROLES.find(server.documents, account_id, name)
    service = Principal("AWSService", account_id, "", "", name=service_principal)
    context = {"aws:sourceaccount": (account_id,), "aws:principalisawsservice": ("true",)}
    if source_arn:
        context["aws:sourcearn"] = (source_arn,)
    if (
        role is None
        or ROLES.arn(account_id, role) != role_arn
        or not trust_decision(role, role_arn, service, context, IdentityPolicies()).is_allowed
    ):
        raise AccessDenied(
            f"{service_principal} is not authorized to perform: sts:AssumeRole on resource:"
            f" {role_arn}"
        )
    key, now = new_session_key(account_id), server.clock.time()
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
        expires_at=now + duration_seconds,
    )
    keep_session(server.documents, session)
    return session


def parse_role_arn(arn: str) -> tuple[str, str]:
    """Account and name in a role's ARN; empty strings if it is of another form."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        return "", ""
    return parts[4], parts[5].rpartition("/")[2]
