from __future__ import annotations

from typing import Any

import pytest

from tests.services.s3.expectations import refused

KEYS = ["a", "b/1", "b/2", "c+d e/x", "z"]


@pytest.fixture
def filled(s3: Any, bucket: str) -> str:
    for key in KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    return bucket


def test_pages_of_the_new_listing(s3: Any, filled: str) -> None:
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=filled, PaginationConfig={"PageSize": 2}
    )
    found = [[entry["Key"] for entry in page["Contents"]] for page in pages]
    assert found == [["a", "b/1"], ["b/2", "c+d e/x"], ["z"]]


def test_pages_with_a_delimiter(s3: Any, filled: str) -> None:
    first = s3.list_objects_v2(Bucket=filled, Delimiter="/", MaxKeys=2)
    assert [entry["Key"] for entry in first["Contents"]] == ["a"]
    assert first["CommonPrefixes"] == [{"Prefix": "b/"}]
    assert (first["KeyCount"], first["IsTruncated"]) == (2, True)
    rest = s3.list_objects_v2(
        Bucket=filled, Delimiter="/", ContinuationToken=first["NextContinuationToken"]
    )
    assert rest["CommonPrefixes"] == [{"Prefix": "c+d e/"}]
    assert [entry["Key"] for entry in rest["Contents"]] == ["z"]


def test_old_listing_names_the_next_marker_only_with_a_delimiter(s3: Any, filled: str) -> None:
    page = s3.list_objects(Bucket=filled, MaxKeys=2)
    assert page["IsTruncated"]
    assert "NextMarker" not in page
    page = s3.list_objects(Bucket=filled, MaxKeys=2, Delimiter="/")
    assert page["NextMarker"] == "b/"
    assert page["Contents"][0]["Owner"]["ID"]
    page = s3.list_objects(Bucket=filled, Delimiter="/", Marker="b/")
    assert [entry["Key"] for entry in page["Contents"]] == ["z"]


def test_encodes_keys_when_asked(s3: Any, filled: str) -> None:
    page = s3.list_objects_v2(Bucket=filled, EncodingType="url", Prefix="c+d e")
    assert page["Contents"][0]["Key"] == "c%2Bd%20e/x"
    assert page["Prefix"] == "c%2Bd%20e"


def test_limits(s3: Any, filled: str) -> None:
    page = s3.list_objects_v2(Bucket=filled, MaxKeys=0)
    assert (page["KeyCount"], page["IsTruncated"]) == (0, False)
    assert s3.list_objects_v2(Bucket=filled, MaxKeys=5000)["MaxKeys"] == 1000
    assert s3.list_objects_v2(Bucket=filled, StartAfter="b/2")["Contents"][0]["Key"] == "c+d e/x"
    with refused("InvalidArgument", 400):
        s3.list_objects_v2(Bucket=filled, MaxKeys=-1)
    with refused("InvalidArgument", 400):
        s3.list_objects_v2(Bucket=filled, EncodingType="rot13")
    with refused("InvalidArgument", 400):
        s3.list_objects_v2(Bucket=filled, ContinuationToken="%")
    with refused("NoSuchBucket", 404):
        s3.list_objects_v2(Bucket=f"{filled}-none")


def test_owner_comes_when_it_is_fetched(s3: Any, filled: str) -> None:
    assert "Owner" not in s3.list_objects_v2(Bucket=filled)["Contents"][0]
    assert "Owner" in s3.list_objects_v2(Bucket=filled, FetchOwner=True)["Contents"][0]


def test_pages_of_versions(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for key in ("a", "a", "b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    s3.delete_object(Bucket=bucket, Key="b")
    pages = list(
        s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": 1}
        )
    )
    entries = [
        (entry["Key"], entry["IsLatest"], "Size" in entry)
        for page in pages
        for entry in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
    ]
    assert entries == [
        ("a", True, True),
        ("a", False, True),
        ("b", True, False),
        ("b", False, True),
    ]
    with refused("InvalidArgument", 400):
        s3.list_object_versions(Bucket=bucket, VersionIdMarker="A" * 32)
