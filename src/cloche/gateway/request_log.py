"""The log of requests: a line each, written by a thread of its own.

Lines are JSON where the log goes to a file or a pipe and plain text on a terminal. They never
hold a signature, a key or a body.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from contextlib import suppress
from functools import lru_cache
from typing import IO, NamedTuple

import msgspec

_FLUSH_SECONDS = 0.1
_WAITING_LINES = 100_000


class RequestLine(NamedTuple):
    """What is said of a request."""

    time: float
    request_id: str
    service: str
    operation: str
    method: str
    path: str
    status: int
    error_code: str
    seconds: float
    source_ip: str
    principal: str


class _ShownLine(msgspec.Struct, gc=False):
    """The members of a line, in their order."""

    time: str
    request_id: str
    service: str
    operation: str
    method: str
    path: str
    status: int
    error_code: str
    source_ip: str
    principal: str
    level: str
    milliseconds: float


_encode = msgspec.json.Encoder().encode


class RequestLog:
    """Collects lines from the event loop and writes them in batches."""

    def __init__(self, stream: IO[str], *, as_json: bool) -> None:
        self._stream = stream
        self._format = _json_line if as_json else _text_line
        self._lines: list[RequestLine] = []
        self._flushing = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="request-log", daemon=True)
        self._thread.start()

    def write(self, line: RequestLine) -> None:
        """Note a request; costs an append. It is dropped if very many wait for a stuck stream."""
        if len(self._lines) < _WAITING_LINES:
            self._lines.append(line)

    def _run(self) -> None:
        while not self._stop.wait(_FLUSH_SECONDS):
            self.flush()
        self.flush()

    def flush(self) -> None:
        """Write what was noted until now."""
        with self._flushing:
            lines, self._lines = self._lines, []
            if not lines:
                return
            text = "".join(map(self._format, lines))
            # A full disk or a closed pipe ends the log's lines, not the server.
            with suppress(OSError, ValueError):
                self._stream.write(text)
                self._stream.flush()

    def close(self) -> None:
        """Write what is left."""
        self._stop.set()
        self._thread.join()


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _timestamp(seconds: float) -> str:
    return f"{_second(int(seconds))}.{int(seconds % 1 * 1000):03d}Z"


def _json_line(line: RequestLine) -> str:
    shown = _ShownLine(
        _timestamp(line.time),
        *line[1:8],
        *line[9:],
        "error" if line.status >= 500 else "info",
        round(line.seconds * 1000, 3),
    )
    try:
        return _encode(shown).decode() + "\n"
    except UnicodeEncodeError:  # what a client sent in a header may be no UTF-8
        texts = {
            name: value.encode("utf-8", "replace").decode()
            for name, value in msgspec.structs.asdict(shown).items()
            if isinstance(value, str)
        }
        return _encode(msgspec.structs.replace(shown, **texts)).decode() + "\n"


def _text_line(line: RequestLine) -> str:
    what = f"{line.service}:{line.operation}" if line.operation else f"{line.method} {line.path}"
    return (
        f"{_timestamp(line.time)[11:]} {line.status} {what} {line.seconds * 1000:.1f} ms"
        f"{' ' + line.error_code if line.error_code else ''} {line.request_id}\n"
    )


class JsonFormatter(logging.Formatter):
    """Log records of the server itself in the same form as the requests' lines."""

    def format(self, record: logging.LogRecord) -> str:
        """A JSON object and nothing else on the line."""
        document = {
            "time": _timestamp(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        request_id = getattr(record, "request_id", None)
        if request_id:
            document["request_id"] = request_id
        if record.exc_info:
            document["trace"] = self.formatException(record.exc_info)
        return msgspec.json.encode(document).decode()


def configure_logging(level: str) -> RequestLog:
    """Send the server's log to standard error, and give the log of requests."""
    as_json = not sys.stderr.isatty()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter() if as_json else logging.Formatter("%(levelname)s %(name)s: %(message)s")
    )
    root = logging.getLogger("cloche")
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    root.propagate = False
    return RequestLog(sys.stderr, as_json=as_json)
