from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from boto3.session import Session
from botocore import UNSIGNED
from botocore.config import Config

from tests.conftest import Clients
from tests.live_server import CONFIG, LiveServer


@pytest.fixture
def s3(aws: Clients) -> Any:
    return aws("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    """A new bucket of root's."""
    name = f"bucket-{uuid4()}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def stranger(server: LiveServer) -> Any:
    """Root of another account, as a client of S3."""
    return server.client("s3", server.new_account(f"stranger-{uuid4().hex[:8]}"))


@pytest.fixture
def anonymous(server: LiveServer) -> Any:
    """A client that does not sign."""
    return Session().client(
        "s3",
        endpoint_url=server.endpoint_url,
        region_name="us-east-1",
        config=CONFIG.merge(Config(signature_version=UNSIGNED)),
    )
