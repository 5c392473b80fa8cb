"""Who is at the other end of a connection."""

from __future__ import annotations

import asyncio
from typing import Any

LOOPBACK_ADDRESSES = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})


def address_of(transport: asyncio.BaseTransport) -> str:
    """The client's IP address; this machine's where the connection has none."""
    peer: Any = transport.get_extra_info("peername")
    return str(peer[0]) if peer else "127.0.0.1"
