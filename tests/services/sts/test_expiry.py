from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloche.services.iam.sessions import session_expiries, sessions
from tests.services.iam.conftest import Parts
from tests.services.iam.expectations import refused

Clients = Callable[..., Any]


def test_sessions_expire_and_are_swept(aws: Clients, parts: Parts) -> None:
    sts = aws("sts")
    credentials = sts.get_session_token(DurationSeconds=900)["Credentials"]
    session = aws("sts", credentials)
    parts.clock.advance(899)
    assert session.get_caller_identity()
    parts.clock.advance(2)
    refused("ExpiredToken", session.get_caller_identity)
    for _ in range(120):
        sts.get_session_token(DurationSeconds=900)
    assert len(parts.documents.scan(sessions, "", "")) == 121
    parts.clock.advance(86400 + 901)
    sts.get_session_token(DurationSeconds=900)
    assert len(parts.documents.scan(sessions, "", "")) == 22
    sts.get_session_token(DurationSeconds=900)
    assert len(parts.documents.scan(sessions, "", "")) == 2
    assert len(parts.documents.scan(session_expiries, "", "")) == 2
    refused("InvalidClientTokenId", session.get_caller_identity)
