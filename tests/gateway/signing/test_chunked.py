from __future__ import annotations

import hmac
from io import BytesIO

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum
from hypothesis import given, settings
from hypothesis import strategies as st

from cloche.core.errors import AWSError
from cloche.gateway.signing import Verified, errors, verify
from cloche.gateway.signing.chunk_signatures import ChunkSignatures
from cloche.gateway.signing.chunked import ChunkedDecoder
from tests.gateway.signing.chunks import signed_body, split, unsigned_body
from tests.gateway.signing.requests import (
    ACCESS_KEY_ID,
    SECRET,
    Key,
    clock_at,
    request_to,
    signed,
)

DATA = bytes(range(256)) * 100
CHUNKS = split(DATA, 10_000)
TRAILERS = {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-sha1": "x"}

# S3's documentation: "Example: PUT Object" in chunks, and the same with a trailing header.
DOCUMENTED_AT = 1_369_353_600.0
DOCUMENTED_HEADERS = {
    "Host": "s3.amazonaws.com",
    "x-amz-date": "20130524T000000Z",
    "x-amz-storage-class": "REDUCED_REDUNDANCY",
    "Content-Encoding": "aws-chunked",
    "x-amz-decoded-content-length": "66560",
    "Content-Length": "66824",
}


def documented(payload: str, signed_headers: str, signature: str, **headers: str) -> Verified:
    """One of the documentation's requests, verified."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = request_to(
        "PUT",
        "https://s3.amazonaws.com/examplebucket/chunkObject.txt",
        DOCUMENTED_HEADERS
        | named
        | {
            "x-amz-content-sha256": payload,
            "authorization": "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/"
            f"s3/aws4_request,SignedHeaders={signed_headers},Signature={signature}",
        },
    )
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    keys = {"AKIAIOSFODNN7EXAMPLE": Key(secret)}
    verified = verify(request, keys.get, clock_at(DOCUMENTED_AT))
    assert verified is not None
    return verified


def chunk(size: int, signature: str) -> bytes:
    return f"{size:x};chunk-signature={signature}\r\n".encode() + b"a" * size


def decode(decoder: ChunkedDecoder, body: bytes, piece_bytes: int = 1 << 20) -> bytes:
    decoded = b"".join(b"".join(decoder.feed(piece)) for piece in split(body, piece_bytes))
    decoder.finish()
    return decoded


def test_the_documented_chunks() -> None:
    verified = documented(
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
        "x-amz-decoded-content-length;x-amz-storage-class",
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    )
    body = b"\r\n".join(
        [
            chunk(65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
            chunk(1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
            chunk(0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
            b"",
        ]
    )
    body = body.replace(b"\r\n\r\n\r\n", b"\r\n\r\n")
    assert len(body) == 66824
    assert decode(ChunkedDecoder(66560, ChunkSignatures(verified)), body) == b"a" * 66560


def test_the_documented_trailer() -> None:
    verified = documented(
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;"
        "x-amz-storage-class;x-amz-trailer",
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
        x_amz_trailer="x-amz-checksum-crc32c",
    )
    head = b"\r\n".join(
        [
            chunk(65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
            chunk(1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
            chunk(0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
        ]
    )
    signature = b"d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"
    for tail in (
        b"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:" + signature + b"\r\n\r\n",
        b"x-amz-checksum-crc32c:sOO8/Q==\n\r\nx-amz-trailer-signature:" + signature + b"\n\r\n\r\n",
    ):
        decoder = ChunkedDecoder(66560, ChunkSignatures(verified), ["x-amz-checksum-crc32c"])
        assert decode(decoder, head + tail) == b"a" * 66560
        assert decoder.trailers == {"x-amz-checksum-crc32c": "sOO8/Q=="}


def seed() -> Verified:
    """A verified request to be followed by signed chunks."""
    verified = verify(
        signed("PUT", "http://localhost/b/k", service="s3"),
        {ACCESS_KEY_ID: Key()}.get,
        clock_at(),
    )
    assert verified is not None
    return verified


def key_of(verified: Verified) -> bytes:
    key = b"AWS4" + SECRET.encode()
    for part in verified.scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def signed_form(*, with_trailer: bool) -> tuple[ChunkedDecoder, bytes]:
    verified = seed()
    trailers = TRAILERS if with_trailer else None
    body = signed_body(key_of(verified), verified, CHUNKS, trailers)
    return ChunkedDecoder(len(DATA), ChunkSignatures(verified), trailers), body


def unsigned_form() -> tuple[ChunkedDecoder, bytes]:
    return ChunkedDecoder(len(DATA), None, TRAILERS), unsigned_body(CHUNKS, TRAILERS)


FORMS = {
    "signed": lambda: signed_form(with_trailer=False),
    "signed with trailer": lambda: signed_form(with_trailer=True),
    "unsigned with trailer": unsigned_form,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("piece_bytes", [1, 2, 7, 64, 9_999, 10_000, 1 << 20])
def test_all_forms_in_all_pieces(form: str, piece_bytes: int) -> None:
    decoder, body = FORMS[form]()
    assert decode(decoder, body, piece_bytes) == DATA
    assert decoder.trailers == ({} if form == "signed" else TRAILERS)


@pytest.mark.parametrize("form", FORMS)
def test_a_body_cut_anywhere_is_incomplete(form: str) -> None:
    _, body = FORMS[form]()
    for end in [*range(0, 200), *range(len(body) - 400, len(body))]:
        decoder, _ = FORMS[form]()
        with pytest.raises(errors.IncompleteBody):
            decode(decoder, body[:end])


@pytest.mark.parametrize("form", ["signed", "signed with trailer"])
def test_a_signed_body_with_any_byte_changed_is_refused(form: str) -> None:
    _, body = FORMS[form]()
    for index in [*range(0, 200), *range(9_900, 10_400), *range(len(body) - 500, len(body))]:
        other = b"z" if body[index] == ord("q") else b"q"
        decoder, _ = FORMS[form]()
        with pytest.raises(AWSError):
            decode(decoder, body[:index] + other + body[index + 1 :])


def test_swapped_chunks_are_refused() -> None:
    verified = seed()
    body = signed_body(key_of(verified), verified, [b"a" * 8192, b"b" * 8192])
    size = (len(body) - len(signed_body(key_of(verified), verified, []))) // 2
    swapped = body[size : 2 * size] + body[:size] + body[2 * size :]
    with pytest.raises(errors.SignatureDoesNotMatch) as caught:
        decode(ChunkedDecoder(16384, ChunkSignatures(verified)), swapped)
    members = caught.value.members
    assert members["AWSAccessKeyId"] == ACCESS_KEY_ID
    assert members["StringToSign"].startswith("AWS4-HMAC-SHA256-PAYLOAD\n20150830T123600Z\n")
    assert members["CanonicalRequest"].startswith("PUT\n/b/k\n")


def unsigned_decoder(size: int, *trailers: str) -> ChunkedDecoder:
    return ChunkedDecoder(size, None, trailers)


def test_only_the_last_chunk_may_be_short() -> None:
    assert decode(unsigned_decoder(8193), unsigned_body([b"a" * 8192, b"a"])) == b"a" * 8193
    with pytest.raises(errors.InvalidChunkSizeError) as caught:
        decode(unsigned_decoder(5), unsigned_body([b"abc", b"de"]))
    assert caught.value.members == {"Chunk": "2", "BadChunkSize": "3"}


@pytest.mark.parametrize("size", [0, 4, 6])
def test_the_decoded_length_must_be_right(size: int) -> None:
    with pytest.raises(errors.IncompleteBody):
        decode(unsigned_decoder(size), unsigned_body([b"hello"]))


def test_a_huge_chunk_is_refused_before_its_bytes_come() -> None:
    with pytest.raises(errors.IncompleteBody):
        unsigned_decoder(5).feed(b"ffffffffffffffff\r\n")


@pytest.mark.parametrize(
    "body",
    [
        b"5\nhello\r\n0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b" 5\r\nhello\r\n0\r\n\r\n",
        b"5;chunk-signature=00\r\nhello\r\n0\r\n\r\n",
        b"5;" + b"x" * 1000,
        b"x" * 1000,
        b"\r\n",
    ],
)
def test_malformed_chunks_are_refused(body: bytes) -> None:
    with pytest.raises(errors.IncompleteBody):
        decode(unsigned_decoder(5), body)


def test_chunks_without_signatures_are_refused_where_they_are_due() -> None:
    with pytest.raises(errors.IncompleteBody):
        decode(ChunkedDecoder(5, ChunkSignatures(seed())), unsigned_body([b"hello"]))


@pytest.mark.parametrize(
    ("announced", "tail"),
    [
        (["x-amz-checksum-crc32"], b"\r\n"),
        ([], b"x-amz-checksum-crc32:AAAAAA==\r\n\r\n"),
        (["a"], b"b:1\r\n\r\n"),
        (["a"], b"a:1\r\na:1\r\n\r\n"),
        (["a"], b"a 1\r\n\r\n"),
        (["a"], b":1\r\n\r\n"),
        (["a"], b"a:1\r\n\r\nmore"),
        (["a"], b"a:" + b"x" * 9000 + b"\r\n\r\n"),
        (["a"], b"b:1\r\n" * 3000),
    ],
)
def test_malformed_trailers_are_refused(announced: list[str], tail: bytes) -> None:
    for piece_bytes in (1, 1 << 20):
        with pytest.raises(errors.MalformedTrailerError):
            decode(unsigned_decoder(5, *announced), b"5\r\nhello\r\n0\r\n" + tail, piece_bytes)


def test_a_signed_trailer_needs_its_signature() -> None:
    verified = seed()
    body = signed_body(key_of(verified), verified, [b"hello"], {"a": "1"})
    start = body.index(b"x-amz-trailer-signature")
    decoder = ChunkedDecoder(5, ChunkSignatures(verified), ["a"])
    with pytest.raises((errors.MalformedTrailerError, errors.IncompleteBody)):
        decode(decoder, body[:start] + b"\r\n")


def test_what_botocore_encodes() -> None:
    checksum = Crc32Checksum
    wrapper = AwsChunkedWrapper(
        BytesIO(DATA), checksum, checksum_name="x-amz-checksum-crc32", chunk_size=9000
    )
    decoder = unsigned_decoder(len(DATA), "x-amz-checksum-crc32")
    assert decode(decoder, wrapper.read(), 777) == DATA
    assert decoder.trailers == {"x-amz-checksum-crc32": checksum().handle(BytesIO(DATA))}


def test_large_chunks_are_passed_on_as_they_come() -> None:
    decoder = unsigned_decoder(1 << 30)
    assert decoder.feed(b"40000000\r\n") == []
    piece = b"x" * 65536
    (passed,) = decoder.feed(piece)
    assert passed is piece


@settings(derandomize=True, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from(list(FORMS)),
    st.integers(1, 50),
    st.integers(0, 26_000),
)
def test_no_bytes_bring_anything_but_aws_errors(
    noise: bytes, form: str, piece_bytes: int, start: int
) -> None:
    decoder, body = FORMS[form]()
    try:
        decode(decoder, body[:start] + noise + body[start + len(noise) :], 997 * piece_bytes)
    except AWSError:
        return
    assert not decoder.trailers or decoder.trailers.keys() == TRAILERS.keys()


@settings(derandomize=True, deadline=None)
@given(st.text("0123456789abcdef;chunk-signature=:\r\n xamz", max_size=200))
def test_no_text_brings_anything_but_aws_errors(text: str) -> None:
    for signatures in (None, ChunkSignatures(seed())):
        for announced in (None, [], ["x"]):
            decoder = ChunkedDecoder(10, signatures, announced)
            with pytest.raises(AWSError):
                decode(decoder, text.encode(), 3)
