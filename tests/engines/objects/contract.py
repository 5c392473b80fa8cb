"""What every object engine does. An engine's tests derive from this and open its store."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass

import pytest

from cloche.engines.objects.store import (
    BucketNotEmpty,
    BucketNotFound,
    ObjectRecord,
    ObjectStore,
    PartNotFound,
    PutWithoutLength,
    Upload,
    UploadNotFound,
)
from tests.engines.objects.running import current, in_pieces, put, read, with_store

KIB = 1024
SIZES = (0, 1, 1000, 32 * KIB, 32 * KIB + 1, 100_000, KIB * KIB, 3 * KIB * KIB + 17)
ODD_KEYS = (
    "..",
    ".",
    "../../etc/passwd",
    "/",
    "//",
    "/leading",
    "trailing/",
    "a//b",
    "a/../b",
    "con",
    "new\nline",
    "\\back",
    "\x01\x7f",
    " ",
    "%2e%2e%2f",
    "'; drop table objects; --",
    "überraschung/日本語/🫙",
    "\u0041\u030a",
    "\u00c5",
    "k" * 1024,
    "é" * 512,
    "\uffff",
    "\U0010ffff",
)
DIGESTS_OF_123456789 = {
    "md5": "25f9e794323b453885f5181f1b624d0b",
    "sha1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    "sha256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
    "sha512": hashlib.sha512(b"123456789").hexdigest(),
    "crc32": "cbf43926",
    "crc32c": "e3069283",
    "crc64nvme": "ae8b14860a799888",
    "xxhash64": "8cb841db40e6ae83",
}
DIGESTS_OF_NOTHING = {
    "xxhash64": "ef46db3751d8e999",
    "xxhash3": "2d06800538d394c2",
    "xxhash128": "99aa06d3014798d86001c324468d497f",
}


class Refused(Exception):
    """What the conditions in these tests raise."""


def must_be_new(record: ObjectRecord | None) -> None:
    if record is not None and not record.is_delete_marker:
        raise Refused


@dataclass
class Uploading:
    store: ObjectStore
    upload: Upload

    @classmethod
    async def begin(cls, store: ObjectStore, key: str = "key") -> Uploading:
        return cls(store, await store.create_upload("bucket", key, {"a": "b"}))

    async def put(self, number: int, body: bytes) -> None:
        staged = await self.store.stage(body)
        await self.store.put_part(self.upload, number, staged, {"crc32": f"crc-{number}"})

    async def complete(self, *numbers: int) -> ObjectRecord:
        return await self.store.complete_upload(
            self.upload,
            numbers,
            versioning="Unversioned",
            properties={"done": True},
            etag=f"etag-{len(numbers)}",
        )


class BodyContract:
    @with_store
    async def test_a_body_of_any_size_comes_back(self, store: ObjectStore) -> None:
        for size_bytes in SIZES:
            body = bytes(range(251)) * (size_bytes // 251 + 1)
            body = body[:size_bytes]
            for source in (body, in_pieces(body, 65_536)):
                staged = await store.stage(source, size_bytes=size_bytes)
                assert staged.size_bytes == size_bytes
                assert staged.digests["md5"] == hashlib.md5(body).digest()  # noqa: S324
                record = await store.put(
                    "bucket", "key", staged, versioning="Unversioned", properties={}
                )
                assert record.size_bytes == size_bytes
                assert record.etag == hashlib.md5(body).hexdigest()  # noqa: S324
                assert await store.head("bucket", "key") == record
                assert await read(store, record) == body

    @with_store
    async def test_ranges(self, store: ObjectStore) -> None:
        for size_bytes in (1000, 50_000, 300_000):
            body = bytes(range(250)) * (size_bytes // 250)
            record = await put(store, "key", body)
            for start, length in ((0, 1), (1, 10), (999, 1), (500, None), (0, size_bytes)):
                end = size_bytes if length is None else start + length
                assert await read(store, record, start, length) == body[start:end]
            assert await read(store, record, size_bytes - 5, 100) == body[-5:]
            assert await read(store, record, size_bytes, 1) == b""

    @with_store
    async def test_all_digests(self, store: ObjectStore) -> None:
        staged = await store.stage(b"123456789", algorithms=list(DIGESTS_OF_123456789))
        assert {name: raw.hex() for name, raw in staged.digests.items()} == DIGESTS_OF_123456789
        staged = await store.stage(b"", algorithms=list(DIGESTS_OF_NOTHING))
        assert {name: staged.digests[name].hex() for name in DIGESTS_OF_NOTHING} == (
            DIGESTS_OF_NOTHING
        )

    @with_store
    async def test_digests_of_a_stream_are_those_of_the_whole(self, store: ObjectStore) -> None:
        algorithms = {*DIGESTS_OF_123456789, *DIGESTS_OF_NOTHING}
        body = b"0123456789abcdef" * 150_000
        whole = await store.stage(body, algorithms=algorithms)
        streamed = await store.stage(in_pieces(body, 100_001), algorithms=algorithms)
        assert whole.digests == streamed.digests
        assert set(whole.digests) == algorithms
        await store.discard(whole)
        await store.discard(streamed)

    @with_store
    async def test_unknown_algorithms_are_refused(self, store: ObjectStore) -> None:
        with pytest.raises(ValueError, match="crc33"):
            await store.stage(b"", algorithms=["crc33"])

    @with_store
    async def test_a_body_of_another_length_than_announced_is_refused(
        self, store: ObjectStore
    ) -> None:
        for length in (10, 100_000, 3_000_000):
            for announced in (length - 1, length + 1):
                with pytest.raises(PutWithoutLength):
                    await store.stage(bytes(length), size_bytes=announced)
                with pytest.raises(PutWithoutLength):
                    await store.stage(in_pieces(bytes(length), 65_536), size_bytes=announced)

    @with_store
    async def test_a_replaced_or_deleted_body_can_still_be_read(self, store: ObjectStore) -> None:
        for body in (b"small", b"large" * 100_000):
            record = await put(store, "key", body)
            await put(store, "key", b"another")
            assert await read(store, record) == body
            record = await put(store, "key", body)
            await store.delete("bucket", "key", versioning="Unversioned")
            assert await read(store, record) == body

    @with_store
    async def test_local_path_holds_the_bytes(self, store: ObjectStore) -> None:
        for body in (b"", b"small", b"large" * 100_000):
            record = await put(store, "key", body)
            path = store.local_path(record)
            assert path is None or path.read_bytes() == body

    @with_store
    async def test_a_copy_outlives_its_source(self, store: ObjectStore) -> None:
        for body in (b"", b"small", b"large" * 100_000):
            source = await put(store, "source", body)
            for algorithms in (("md5",), ("md5", "sha256")):
                staged = await store.stage_copy(source, algorithms=algorithms)
                assert set(staged.digests) >= set(algorithms)
                assert staged.digests["md5"] == hashlib.md5(body).digest()  # noqa: S324
                await store.put("bucket", "copy", staged, versioning="Unversioned", properties={})
                assert await read(store, await current(store, "copy")) == body
            await store.delete("bucket", "source", versioning="Unversioned")
            assert await read(store, await current(store, "copy")) == body

    @with_store
    async def test_a_copy_of_a_range(self, store: ObjectStore) -> None:
        body = bytes(range(256)) * 10_000
        source = await put(store, "source", body)
        for start, length in ((0, 10), (1_000_000, 1_500_000), (100, None)):
            end = len(body) if length is None else start + length
            staged = await store.stage_copy(source, start=start, length=length)
            assert staged.size_bytes == end - start
            assert staged.digests["md5"] == hashlib.md5(body[start:end]).digest()  # noqa: S324
            record = await store.put(
                "bucket", "copy", staged, versioning="Unversioned", properties={}
            )
            assert await read(store, record) == body[start:end]


class ObjectContract:
    @with_store
    async def test_properties_and_an_etag_of_the_service(self, store: ObjectStore) -> None:
        properties = {"content-type": "text/plain", "metadata": {"a": "é"}, "n": 1, "l": [1, None]}
        staged = await store.stage(b"body")
        await store.put(
            "bucket",
            "key",
            staged,
            versioning="Unversioned",
            properties=properties,
            etag="another",
        )
        record = await current(store, "key")
        assert (record.properties, record.etag) == (properties, "another")
        assert (record.bucket, record.key, record.version_id) == ("bucket", "key", "null")
        assert record.is_latest and not record.is_delete_marker

    @with_store
    async def test_what_is_not_there(self, store: ObjectStore) -> None:
        assert await store.head("bucket", "key") is None
        assert await store.head("bucket", "key", "null") is None
        assert await store.head("other", "key") is None
        assert await store.delete("bucket", "key", versioning="Unversioned") is None
        assert await store.update_properties("bucket", "key", None, lambda _: {}) is None
        with pytest.raises(BucketNotFound):
            await put(store, "key", bucket="other")
        with pytest.raises(BucketNotFound):
            await store.create_upload("other", "key", {})

    @with_store
    async def test_delete_returns_what_was_removed(self, store: ObjectStore) -> None:
        record = await put(store, "key", b"body")
        assert await store.delete("bucket", "key", versioning="Unversioned") == record
        assert await store.head("bucket", "key") is None

    @with_store
    async def test_odd_keys(self, store: ObjectStore) -> None:
        for number, key in enumerate(ODD_KEYS):
            await put(store, key, f"body {number}".encode() * (1 + number % 2 * 10_000))
        for number, key in enumerate(ODD_KEYS):
            body = f"body {number}".encode() * (1 + number % 2 * 10_000)
            assert await read(store, await current(store, key)) == body
        listed = [record.key for record in (await store.list("bucket")).records]
        assert listed == sorted(ODD_KEYS, key=str.encode)

    @with_store
    async def test_keys_that_are_no_text_are_refused(self, store: ObjectStore) -> None:
        with pytest.raises(UnicodeEncodeError):
            await put(store, "\ud800")
        assert (await store.list("bucket")).records == []

    @with_store
    async def test_a_condition_decides(self, store: ObjectStore) -> None:
        seen: list[ObjectRecord | None] = []
        for size_bytes in (10, 100_000):
            await put(store, "key", b"first")
            staged = await store.stage(bytes(size_bytes))

            def refuse(record: ObjectRecord | None) -> None:
                seen.append(record)
                raise Refused

            with pytest.raises(Refused):
                await store.put(
                    "bucket",
                    "key",
                    staged,
                    versioning="Unversioned",
                    properties={},
                    condition=refuse,
                )
            await store.discard(staged)
            with pytest.raises(Refused):
                await store.delete("bucket", "key", versioning="Unversioned", condition=refuse)
            record = await current(store, "key")
            assert await read(store, record) == b"first"
            assert seen[-2:] == [record, record]

    @with_store
    async def test_one_of_many_conditional_puts_wins(self, store: ObjectStore) -> None:
        async def create(number: int) -> int | None:
            staged = await store.stage(str(number).encode())
            try:
                await store.put(
                    "bucket",
                    "key",
                    staged,
                    versioning="Unversioned",
                    properties={},
                    condition=must_be_new,
                )
            except Refused:
                return None
            return number

        outcomes = await asyncio.gather(*(create(number) for number in range(20)))
        winners = [number for number in outcomes if number is not None]
        assert len(winners) == 1
        assert await read(store, await current(store, "key")) == str(winners[0]).encode()

    @with_store
    async def test_concurrent_updates_of_properties_are_not_lost(self, store: ObjectStore) -> None:
        await put(store, "key", n=0)

        def count(record: ObjectRecord) -> dict[str, int]:
            return {"n": record.properties["n"] + 1}

        await asyncio.gather(
            *(store.update_properties("bucket", "key", None, count) for _ in range(30))
        )
        assert (await current(store, "key")).properties == {"n": 30}

    @with_store
    async def test_buckets_are_apart(self, store: ObjectStore) -> None:
        await store.create_bucket("bucket")
        await store.create_bucket("bucket2")
        await put(store, "key", b"1")
        await put(store, "key", b"2", bucket="bucket2")
        assert await read(store, await current(store, "key")) == b"1"
        assert await read(store, await current(store, "key", "bucket2")) == b"2"
        await store.delete("bucket2", "key", versioning="Unversioned")
        await store.delete_bucket("bucket2")
        with pytest.raises(BucketNotFound):
            await put(store, "key", bucket="bucket2")
        with pytest.raises(BucketNotFound):
            await store.delete_bucket("bucket2")
        await store.create_bucket("bucket2")
        assert (await store.list("bucket2")).records == []

    @with_store
    async def test_only_an_empty_bucket_can_be_deleted(self, store: ObjectStore) -> None:
        record = await put(store, "key", versioning="Enabled")
        marker = await store.delete("bucket", "key", versioning="Enabled")
        assert marker is not None
        for version in (record, marker):
            with pytest.raises(BucketNotEmpty):
                await store.delete_bucket("bucket")
            await store.delete("bucket", "key", versioning="Enabled", version_id=version.version_id)
        upload = await store.create_upload("bucket", "key", {})
        await store.delete_bucket("bucket")
        with pytest.raises(UploadNotFound):
            await store.get_upload("bucket", "key", upload.upload_id)


class VersionContract:
    @with_store
    async def test_versions_are_kept_and_found(self, store: ObjectStore) -> None:
        await put(store, "key", b"0")
        versions = [await put(store, "key", b"%d" % n, "Enabled") for n in range(1, 4)]
        assert len({"null", *(version.version_id for version in versions)}) == 4
        for number, version in enumerate(versions, 1):
            found = await store.head("bucket", "key", version.version_id)
            assert found is not None
            assert found.is_latest == (number == 3)
            assert await read(store, found) == b"%d" % number
        null = await store.head("bucket", "key", "null")
        assert null is not None and await read(store, null) == b"0"
        for unknown in ("", "x", "A" * 32, "é" * 32, versions[0].version_id[:-1]):
            assert await store.head("bucket", "key", unknown) is None

    @with_store
    async def test_a_delete_marker_hides_the_key(self, store: ObjectStore) -> None:
        record = await put(store, "key", b"body", "Enabled")
        marker = await store.delete("bucket", "key", versioning="Enabled")
        assert marker is not None and marker.is_delete_marker and marker.is_latest
        assert marker.version_id not in ("null", record.version_id)
        assert await store.head("bucket", "key") == marker
        assert (await store.list("bucket")).records == []
        removed = await store.delete(
            "bucket", "key", versioning="Enabled", version_id=marker.version_id
        )
        assert removed is not None and removed.is_delete_marker
        assert await store.head("bucket", "key") == record

    @with_store
    async def test_a_marker_is_made_where_nothing_was(self, store: ObjectStore) -> None:
        marker = await store.delete("bucket", "key", versioning="Suspended")
        assert marker is not None and marker.is_delete_marker and marker.version_id == "null"
        again = await store.delete("bucket", "key", versioning="Suspended")
        assert again is not None and again.is_delete_marker
        assert [r.version_id for r in (await store.list_versions("bucket")).records] == ["null"]

    @with_store
    async def test_the_next_older_version_becomes_current(self, store: ObjectStore) -> None:
        versions = [await put(store, "key", b"%d" % n, "Enabled") for n in range(4)]
        for remaining in (3, 2, 1):
            newest = versions.pop()
            await store.delete("bucket", "key", versioning="Enabled", version_id=newest.version_id)
            record = await current(store, "key")
            assert record.version_id == versions[-1].version_id
            assert record.is_latest
            assert await read(store, record) == b"%d" % (remaining - 1)
        await store.delete("bucket", "key", versioning="Enabled", version_id=versions[0].version_id)
        assert await store.head("bucket", "key") is None

    @with_store
    async def test_suspended_replaces_only_the_null_version(self, store: ObjectStore) -> None:
        first = await put(store, "key", b"null 1")
        kept = await put(store, "key", b"kept", "Enabled")
        second = await put(store, "key", b"null 2", "Suspended")
        assert (first.version_id, second.version_id) == ("null", "null")
        page = await store.list_versions("bucket")
        assert [record.version_id for record in page.records] == ["null", kept.version_id]
        assert [record.is_latest for record in page.records] == [True, False]
        marker = await store.delete("bucket", "key", versioning="Suspended")
        assert marker is not None and marker.version_id == "null"
        page = await store.list_versions("bucket")
        assert [record.is_delete_marker for record in page.records] == [True, False]
        third = await put(store, "key", b"null 3", "Suspended")
        assert await store.head("bucket", "key") == third
        assert len((await store.list_versions("bucket")).records) == 2

    @with_store
    async def test_properties_of_an_older_version(self, store: ObjectStore) -> None:
        old = await put(store, "key", b"1", "Enabled", tag="old")
        await put(store, "key", b"2", "Enabled", tag="new")
        changed = await store.update_properties(
            "bucket", "key", old.version_id, lambda record: {"was": record.properties["tag"]}
        )
        assert changed is not None and changed.properties == {"was": "old"}
        found = await store.head("bucket", "key", old.version_id)
        assert found is not None and found.properties == {"was": "old"}
        assert (await current(store, "key")).properties == {"tag": "new"}


class ListingContract:
    @with_store
    async def test_a_listing_shows_each_change_that_was_acknowledged(
        self, store: ObjectStore
    ) -> None:
        async def listed() -> list[tuple[str, int]]:
            return [(r.key, r.size_bytes) for r in (await store.list("bucket")).records]

        await put(store, "a", b"1")
        await put(store, "b", b"2")
        assert await listed() == [("a", 1), ("b", 1)]
        await put(store, "a", b"longer")
        assert await listed() == [("a", 6), ("b", 1)]
        await put(store, "c")
        assert await listed() == [("a", 6), ("b", 1), ("c", 0)]
        await store.delete("bucket", "b", versioning="Unversioned")
        assert await listed() == [("a", 6), ("c", 0)]
        await store.create_bucket("other")
        await store.delete_bucket("other")
        assert await listed() == [("a", 6), ("c", 0)]

    @with_store
    async def test_prefixes_and_delimiters(self, store: ObjectStore) -> None:
        for key in ("a", "b/1", "b/2", "b/c/1", "b/c/2", "b0", "c/1", "d"):
            await put(store, key)
        page = await store.list("bucket", delimiter="/")
        assert [record.key for record in page.records] == ["a", "b0", "d"]
        assert page.common_prefixes == ["b/", "c/"]
        assert page.next_key is None
        page = await store.list("bucket", prefix="b/", delimiter="/")
        assert [record.key for record in page.records] == ["b/1", "b/2"]
        assert page.common_prefixes == ["b/c/"]
        page = await store.list("bucket", prefix="b")
        assert [record.key for record in page.records] == ["b/1", "b/2", "b/c/1", "b/c/2", "b0"]
        page = await store.list("bucket", prefix="b/c", delimiter="c/")
        assert page.common_prefixes == []
        page = await store.list("bucket", delimiter="b/c")
        assert page.common_prefixes == ["b/c"]
        assert (await store.list("bucket", prefix="x")).records == []

    @with_store
    async def test_pages_meet(self, store: ObjectStore) -> None:
        keys = [*(f"{a}/{b}" for a in "abc" for b in range(4)), "d", "e"]
        for key in keys:
            await put(store, key)
        for delimiter in ("", "/"):
            whole = await store.list("bucket", delimiter=delimiter)
            expected = sorted([*whole.common_prefixes, *(r.key for r in whole.records)])
            for max_keys in (1, 2, 3, 5, 14):
                seen: list[str] = []
                after: str | None = ""
                while after is not None:
                    page = await store.list(
                        "bucket", delimiter=delimiter, after=after, max_keys=max_keys
                    )
                    entries = [*page.common_prefixes, *(record.key for record in page.records)]
                    assert 0 < len(entries) <= max_keys
                    seen += sorted(entries)
                    after = page.next_key
                assert seen == expected

    @with_store
    async def test_after_is_exclusive_and_need_not_exist(self, store: ObjectStore) -> None:
        for key in ("a", "b", "c/1", "c/2", "d"):
            await put(store, key)
        for after, expected in (
            ("a", ["b", "c/1", "c/2", "d"]),
            ("aa", ["b", "c/1", "c/2", "d"]),
            ("c/", ["c/1", "c/2", "d"]),
            ("z", []),
        ):
            page = await store.list("bucket", after=after)
            assert [record.key for record in page.records] == expected
        page = await store.list("bucket", after="c/", delimiter="/")
        assert (page.common_prefixes, [record.key for record in page.records]) == ([], ["d"])
        page = await store.list("bucket", after="c/1", delimiter="/")
        assert page.common_prefixes == ["c/"]
        page = await store.list("bucket", prefix="c/", after="a")
        assert [record.key for record in page.records] == ["c/1", "c/2"]
        assert (await store.list("bucket", max_keys=0)).records == []

    @with_store
    async def test_versions_newest_first_in_pages(self, store: ObjectStore) -> None:
        for number in range(3):
            for key in ("a", "b/1", "b/2", "c"):
                await put(store, key, b"%d" % number, "Enabled")
        await store.delete("bucket", "c", versioning="Enabled")
        whole = (await store.list_versions("bucket")).records
        assert [record.key for record in whole] == ["a"] * 3 + ["b/1"] * 3 + ["b/2"] * 3 + ["c"] * 4
        assert [r.is_latest for r in whole] == [True, False, False] * 3 + [True] + [False] * 3
        for max_keys in (1, 2, 4, 5, 13):
            seen: list[ObjectRecord] = []
            key: str | None = ""
            version_id: str | None = None
            while key is not None:
                page = await store.list_versions(
                    "bucket", key_marker=key, version_id_marker=version_id, max_keys=max_keys
                )
                seen += page.records
                key, version_id = page.next_key, page.next_version_id
            assert seen == whole
        page = await store.list_versions("bucket", delimiter="/")
        assert page.common_prefixes == ["b/"]
        assert len(page.records) == 7
        page = await store.list_versions("bucket", key_marker="a")
        assert page.records[0].key == "b/1"

    @with_store
    async def test_emptying_a_bucket_page_by_page(self, store: ObjectStore) -> None:
        for number in range(7):
            await put(store, "key", b"%d" % number, "Enabled")
            await put(store, "other", b"%d" % number, "Suspended")
        key: str | None = ""
        version_id: str | None = None
        while key is not None:
            page = await store.list_versions(
                "bucket", key_marker=key, version_id_marker=version_id, max_keys=2
            )
            for record in page.records:
                await store.delete(
                    "bucket", record.key, versioning="Enabled", version_id=record.version_id
                )
            key, version_id = page.next_key, page.next_version_id
        await store.delete_bucket("bucket")


class MultipartContract:
    @with_store
    async def test_parts_become_one_object(self, store: ObjectStore) -> None:
        uploading = await Uploading.begin(store)
        bodies = {1: b"1" * 6_000_000, 5: b"5" * 40_000, 7: b"7" * 10}
        for number in (5, 7, 1):
            await uploading.put(number, bodies[number])
        record = await uploading.complete(1, 5, 7)
        assert record.etag == "etag-3"
        assert record.properties == {"done": True}
        assert [part.number for part in record.parts] == [1, 5, 7]
        assert [part.size_bytes for part in record.parts] == [6_000_000, 40_000, 10]
        assert [part.checksums for part in record.parts] == [
            {"crc32": f"crc-{number}"} for number in (1, 5, 7)
        ]
        assert await current(store, "key") == record
        whole = b"".join(bodies.values())
        assert await read(store, record) == whole
        assert await read(store, record, 5_999_999, 40_002) == whole[5_999_999:6_040_001]
        with pytest.raises(UploadNotFound):
            await uploading.put(2, b"late")

    @with_store
    async def test_one_part_and_a_chosen_few(self, store: ObjectStore) -> None:
        for body in (b"", b"small", b"large" * 20_000):
            uploading = await Uploading.begin(store)
            await uploading.put(1, b"not this one" * 10_000)
            await uploading.put(2, body)
            assert await read(store, await uploading.complete(2)) == body
            assert await read(store, await current(store, "key")) == body

    @with_store
    async def test_a_part_can_be_replaced(self, store: ObjectStore) -> None:
        uploading = await Uploading.begin(store)
        for body in (b"a", b"b" * 50_000, b"c" * 10):
            await uploading.put(1, body)
        await uploading.put(2, b"d")
        assert await read(store, await uploading.complete(1, 2)) == b"c" * 10 + b"d"

    @with_store
    async def test_a_part_that_is_missing(self, store: ObjectStore) -> None:
        uploading = await Uploading.begin(store)
        await uploading.put(1, b"a")
        with pytest.raises(PartNotFound):
            await uploading.complete(1, 2)
        assert await read(store, await uploading.complete(1)) == b"a"

    @with_store
    async def test_parts_are_listed(self, store: ObjectStore) -> None:
        uploading = await Uploading.begin(store)
        for number in (3, 1, 10_000, 2):
            await uploading.put(number, b"x" * number)
        parts = await store.list_parts(uploading.upload)
        assert [(part.number, part.size_bytes) for part in parts] == [
            (number, number) for number in (1, 2, 3, 10_000)
        ]
        assert parts[0].etag == hashlib.md5(b"x").hexdigest()  # noqa: S324
        parts = await store.list_parts(uploading.upload, after=1, max_parts=1)
        assert [part.number for part in parts] == [2, 3]

    @with_store
    async def test_an_upload_can_be_aborted(self, store: ObjectStore) -> None:
        uploading = await Uploading.begin(store)
        await uploading.put(1, b"a" * 100_000)
        await store.abort_upload(uploading.upload)
        assert (await store.list_uploads("bucket")).uploads == []
        with pytest.raises(UploadNotFound):
            await store.abort_upload(uploading.upload)
        with pytest.raises(UploadNotFound):
            await uploading.complete(1)
        with pytest.raises(UploadNotFound):
            await store.list_parts(uploading.upload)
        assert await store.head("bucket", "key") is None

    @with_store
    async def test_an_upload_belongs_to_its_key(self, store: ObjectStore) -> None:
        upload = await store.create_upload("bucket", "key", {"a": 1})
        assert await store.get_upload("bucket", "key", upload.upload_id) == upload
        for key, upload_id in (("other", upload.upload_id), ("key", "unknown")):
            with pytest.raises(UploadNotFound):
                await store.get_upload("bucket", key, upload_id)

    @with_store
    async def test_completion_is_a_put(self, store: ObjectStore) -> None:
        old = await put(store, "key", b"old", "Enabled")
        upload = await store.create_upload("bucket", "key", {})
        await store.put_part(upload, 1, await store.stage(b"new"), {})
        with pytest.raises(Refused):
            await store.complete_upload(
                upload, [1], versioning="Enabled", properties={}, etag="", condition=must_be_new
            )
        record = await store.complete_upload(
            upload, [1], versioning="Enabled", properties={}, etag="x-1"
        )
        page = await store.list_versions("bucket")
        assert [r.version_id for r in page.records] == [record.version_id, old.version_id]

    @with_store
    async def test_uploads_are_listed_in_pages(self, store: ObjectStore) -> None:
        expected: list[tuple[str, str]] = []
        for key in ("a", "b/1", "b/2", "c"):
            for _ in range(2):
                upload = await store.create_upload("bucket", key, {})
                expected.append((key, upload.upload_id))
        for max_uploads in (1, 3, 8):
            seen: list[tuple[str, str]] = []
            key, upload_id = "", ""
            while True:
                page = await store.list_uploads(
                    "bucket", key_marker=key, upload_id_marker=upload_id, max_uploads=max_uploads
                )
                seen += [(upload.key, upload.upload_id) for upload in page.uploads]
                if page.next_key is None:
                    break
                key, upload_id = page.next_key, page.next_upload_id or ""
            assert seen == expected
        page = await store.list_uploads("bucket", delimiter="/")
        assert page.common_prefixes == ["b/"]
        assert [upload.key for upload in page.uploads] == ["a", "a", "c", "c"]
        page = await store.list_uploads("bucket", prefix="b/", max_uploads=3)
        assert [upload.key for upload in page.uploads] == ["b/1", "b/1", "b/2"]

    @with_store
    async def test_parts_and_completion_at_once(self, store: ObjectStore) -> None:
        """Whatever the order, the object is what its parts say."""
        uploading = await Uploading.begin(store)
        await uploading.put(1, b"a" * 50_000)
        await uploading.put(2, b"b")
        outcomes = await asyncio.gather(
            uploading.complete(1, 2),
            *(uploading.put(1, bytes([97 + n]) * (40_000 + n)) for n in range(5)),
            return_exceptions=True,
        )
        assert not any(
            isinstance(outcome, BaseException) and not isinstance(outcome, UploadNotFound)
            for outcome in outcomes
        )
        record = await current(store, "key")
        first = record.parts[0]
        body = await read(store, record)
        assert len(body) == record.size_bytes == first.size_bytes + 1
        assert hashlib.md5(body[:-1]).hexdigest() == first.etag  # noqa: S324


class ObjectStoreContract(
    BodyContract, ObjectContract, VersionContract, ListingContract, MultipartContract
):
    """All of it; the deriving class has a fixture `open_store`."""
