from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cloche.core.clock import Clock
from cloche.core.configuration import Settings
from cloche.core.documents import Documents
from cloche.engines.documents.sqlite import SQLiteDocuments
from cloche.services.iam.accounts import AccountKey, ensure_root
from tests.services.iam.local_clients import LocalClient, Parts

Clients = Callable[..., Any]


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    documents = Documents(SQLiteDocuments(tmp_path))
    yield Parts(Settings(tmp_path), Clock(), documents)
    documents.close()


@pytest.fixture
def root_key(parts: Parts) -> AccountKey:
    return ensure_root(parts.documents, parts.settings, parts.clock)


@pytest.fixture
def aws(parts: Parts, root_key: AccountKey) -> Clients:
    """Clients by service, of root or of given credentials."""

    def client(service: str, credentials: Mapping[str, Any] | None = None) -> Any:
        key_id = root_key.access_key_id if credentials is None else credentials["AccessKeyId"]
        return LocalClient(parts, service, key_id)

    return client
