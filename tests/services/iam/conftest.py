from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from cloche.core.clock import Clock
from cloche.core.configuration import Settings
from cloche.core.documents import Documents
from cloche.services.iam.accounts import AccountKey
from tests.live_server import LiveServer

Clients = Callable[..., Any]


class Parts(NamedTuple):
    """What the functions of `services.iam.identity` take."""

    settings: Settings
    clock: Clock
    documents: Documents


@pytest.fixture
def parts(fresh_server: LiveServer) -> Parts:
    runtime = fresh_server.runtime
    return Parts(runtime.settings, runtime.clock, runtime.documents)


@pytest.fixture
def root_key(fresh_server: LiveServer) -> AccountKey:
    return fresh_server.runtime.root


@pytest.fixture
def aws(fresh_server: LiveServer) -> Clients:
    """Clients of a server without any users yet."""
    return fresh_server.client
