from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "000000000000"


def document(
    action: str | list[str] = "s3:*",
    resource: str | list[str] = "*",
    effect: str = "Allow",
    **more: Any,
) -> str:
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(principal: Any = None, **more: Any) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": principal or {"AWS": ACCOUNT},
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        **more,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def refused(code: str, function: Callable[..., Any], **request: Any) -> str:
    """Call what must be refused, and give AWS's message."""
    with pytest.raises(ClientError) as caught:
        function(**request)
    error = caught.value.response["Error"]
    assert error["Code"] == code
    return error["Message"]
