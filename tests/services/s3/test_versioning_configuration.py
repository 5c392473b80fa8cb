from __future__ import annotations

from typing import Any

import pytest

from tests.services.s3.expectations import refused


def test_is_unsaid_until_it_is_enabled(s3: Any, bucket: str) -> None:
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    for status in ("Enabled", "Suspended", "Enabled"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == status


@pytest.mark.parametrize("configuration", [{}, {"Status": "Off"}, {"Status": ""}])
def test_refuses_other_states(s3: Any, bucket: str, configuration: dict[str, Any]) -> None:
    with refused("IllegalVersioningConfigurationException", 400):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=configuration)


def test_mfa_delete_is_not_built(s3: Any, bucket: str) -> None:
    configuration = {"Status": "Enabled", "MFADelete": "Enabled"}
    with refused("NotImplemented", 501):
        s3.put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration=configuration, MFA="arn 123456"
        )
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
