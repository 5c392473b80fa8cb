"""Bounds on what one client may ask of the server's memory and patience.

What a client has not read of an answer waits in the kernel's send buffer, which the kernel lets
grow to `net.ipv4.tcp_wmem`'s third number (4 MiB) as a distant client needs it.
"""

from __future__ import annotations

from dataclasses import dataclass

LOOPBACK_SEND_BUFFER_BYTES = 208 * 1024
"""Of a client on this machine that is sent files; the kernel takes twice that. It grants so much by
default (`net.core.wmem_max`), and what waits stays in the processor's cache: 16 clients that get
1 MiB each were answered 2,150 times a second, with the buffer that grows by itself 1,740 times."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one connection; times are in seconds of real time, sizes in bytes.

    Attributes:
        head_bytes: request line and headers together, more is answered by 431; and so much for
            the trailers of a chunked body.
        head_seconds: from a request's first byte to the end of its headers.
        idle_seconds: how long a connection may wait between requests.
        stall_seconds: how long a body, or a client that reads an answer, may make no progress.
        silence_seconds: how long a body may make no progress while the server ends.
        buffered_bytes: of a body that nobody has read yet, before the client is held back.
        drained_bytes: of a body that nobody wants, before the connection is closed instead.
        pipelined_requests: that may wait on one connection, before it is held back.
        held_bytes: of the bodies of all connections that are read whole, beyond the first 64 KiB
            of each; a body that would need more is refused.
    """

    head_bytes: int = 64 * 1024
    head_seconds: float = 30.0
    idle_seconds: float = 300.0
    stall_seconds: float = 60.0
    silence_seconds: float = 0.5
    buffered_bytes: int = 512 * 1024
    drained_bytes: int = 4 * 1024 * 1024
    pipelined_requests: int = 16
    held_bytes: int = 512 * 1024 * 1024
