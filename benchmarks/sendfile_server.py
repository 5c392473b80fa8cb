"""The yardstick for large GETs: a server that does nothing but sendfile(2)."""

from __future__ import annotations

import os
import socket
import sys
import threading


def _serve(connection: socket.socket, path: str) -> None:
    size = os.path.getsize(path)  # noqa: PTH202
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size
    with connection, open(path, "rb") as file:  # noqa: PTH123
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while connection.recv(65536):
            connection.sendall(head)
            connection.sendfile(file)
            file.seek(0)


def main() -> None:
    """`sendfile_server.py PORT FILE`."""
    listening = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=_serve, args=(connection, sys.argv[2]), daemon=True).start()


if __name__ == "__main__":
    main()
