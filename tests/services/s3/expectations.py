"""What tests of S3 expect of refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError


@contextmanager
def refused(code: str, status: int | None = None, message: str | None = None) -> Iterator[None]:
    """Expect an error of a code, and of an HTTP status and with a message if they are given."""
    with pytest.raises(ClientError) as raised:
        yield
    response: Any = raised.value.response
    assert response["Error"]["Code"] == code, response
    assert status in (None, response["ResponseMetadata"]["HTTPStatusCode"])
    assert message in (None, response["Error"].get("Message"))
