r"""Lines of text files: `\n`, `\r` or both end one, and bytes that are no UTF-8 become U+FFFD."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from cloche.engines.sql.engine import DataFile, ErrorKind, QueryError
from cloche.engines.sql.formats.decompression import compression_of, read_chunks
from cloche.engines.sql.formats.opening import is_local
from cloche.engines.sql.formats.scan import Scan

_LINE_MAXIMUM_BYTES = 2**20
_VERDICTS_KEPT = 50_000
_DUCKDB_COMPRESSIONS = frozenset({"none", "gzip", "zstd"})


def read_lines(file: DataFile, skipped: int = 0) -> Iterator[list[str]]:
    """The lines of a file in portions.

    Args:
        file: which.
        skipped: how many lines at its beginning are no data.
    """
    rest = b""
    is_first = True
    for chunk in read_chunks(file):
        if is_first:
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")
            is_first = False
        data = rest + chunk
        # A final "\r" may be half of "\r\n": it waits for the next chunk.
        end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1
        rest = data[end:]
        skipped = yield from _portion(data[:end], skipped)
    yield from _portion(rest, skipped)


def _portion(data: bytes, skipped: int) -> Generator[list[str], None, int]:
    if not data:
        return skipped
    text = data.decode("utf-8", "replace")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.removesuffix("\n").split("\n")
    if skipped < len(lines):
        yield lines[skipped:]
    return max(0, skipped - len(lines))


def header_lines(scan: Scan) -> int:
    """How many lines at the beginning of each file are no data.

    Raises:
        QueryError: the property is no number, or footers are to be skipped.
    """
    if scan.option("skip.footer.line.count", default="0").strip() not in ("", "0"):
        raise QueryError(ErrorKind.NOT_SUPPORTED, "skip.footer.line.count is not supported")
    text = scan.option("skip.header.line.count", default="0").strip()
    if not text.isdigit():
        raise QueryError(
            ErrorKind.HIVE_BAD_DATA, f"Invalid value for skip.header.line.count: {text}"
        )
    return int(text)


_verdicts: OrderedDict[tuple[str | int | bytes, ...], bool] = OrderedDict()
_lock = threading.Lock()


def is_plain(
    file: DataFile,
    check: Callable[[], None],
    *,
    forbidden: bytes = b"",
    quote: bytes = b"",
) -> bool:
    """Whether DuckDB's reader sees the same lines and fields in a file as Hive does.

    It is not so for blank lines, which DuckDB leaves out, for bytes that are no UTF-8, for very
    long lines, and for quotes around the ends of lines.

    Args:
        file: which.
        check: is called while the file is looked through, and ends it by raising.
        forbidden: a byte that must not be in it, such as that of escapes.
        quote: a byte that must come an even number of times in each line.
    """
    if not is_local(file) or compression_of(file) not in _DUCKDB_COMPRESSIONS:
        return False
    question = ("plain", forbidden, quote)
    return _remembered(file, question, lambda: _is_plain(file, check, forbidden, quote))


def check_whole(file: DataFile, check: Callable[[], None]) -> None:
    """Look through a compressed file: DuckDB's readers take one that was cut off for its end.

    Args:
        file: which; one of this machine.
        check: is called while the file is looked through, and ends it by raising.

    Raises:
        QueryError: the file is damaged.
    """

    def look_through() -> bool:
        for _ in read_chunks(file):
            check()
        return True

    if compression_of(file) != "none":
        _remembered(file, ("whole",), look_through)


def _remembered(
    file: DataFile, question: tuple[str | bytes, ...], answer: Callable[[], bool]
) -> bool:
    """The answer to a question about a local file, as long as the file is the same."""
    try:
        status = Path(file.location).stat()
    except OSError:
        return True  # the reader tells what is wrong with it
    key = (file.location, status.st_mtime_ns, status.st_size, *question)
    with _lock:
        if key in _verdicts:
            _verdicts.move_to_end(key)
            return _verdicts[key]
    verdict = answer()
    with _lock:
        _verdicts[key] = verdict
        if len(_verdicts) > _VERDICTS_KEPT:
            _verdicts.popitem(last=False)
    return verdict


def _is_plain(file: DataFile, check: Callable[[], None], forbidden: bytes, quote: bytes) -> bool:
    rest = b"\n"  # a blank first line is blank too
    for chunk in read_chunks(file):
        check()
        data = rest + chunk
        end = data.rfind(b"\n") + 1
        whole, rest = data[:end], data[end - 1 :] if end else data
        if len(rest) > _LINE_MAXIMUM_BYTES or not _is_plain_part(whole, forbidden, quote):
            return False
    return rest == b"\n" or _is_plain_part(rest, forbidden, quote)


def _is_plain_part(data: bytes, forbidden: bytes, quote: bytes) -> bool:
    if b"\n\n" in data or (b"\r" in data and b"\r" in data.replace(b"\r\n", b"")):
        return False
    if b"\n\r\n" in data or b"\0" in data or (forbidden and forbidden in data):
        return False
    if quote and quote in data and any(line.count(quote) % 2 for line in data.split(b"\n")):
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
