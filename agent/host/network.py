"""HTTP to the sockets of daemons on the same machine: one question, one whole answer, one deadline.

Each pass asks so, and `http.client` would load TLS and the parser of e-mail for it, a fifth of a quiet pass.
What those daemons send is HTTP/1.1 with a length or in chunks (RFC 9112).
"""

import json
import os
import socket
import time
from collections.abc import Iterator
from io import BufferedReader
from typing import Any

from agent.host.root import short_socket_path
from agent.values import dataclass

_LARGEST_BODY = 1024 * 1024
_LONGEST_LINE = 65536
_MOST_HEADERS = 100
_NO_CONTENT = (204, 304)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status code and body."""

    status: int
    body: bytes


class _DeadlineSocket(socket.socket):
    """A socket whose receives share one deadline, so that drops and floods can't stretch it."""

    deadline = 0.0

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Receive within what is left of the deadline.

        Raises:
            TimeoutError: nothing is left.
        """
        left_s = self.deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self.settimeout(left_s)
        return super().recv_into(buffer, nbytes, flags)


def ask_unix(path: str, method: str, target: str, *, body: object = None, timeout_s: float) -> Answer | None:
    """Send one HTTP request to a daemon's unix socket; None if there was no whole answer in time.

    Connecting starts a socket-activated daemon: ask only one that runs.

    Raises:
        OSError: nobody listens, or the socket may not be opened.

    """
    with _DeadlineSocket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.deadline = time.monotonic() + timeout_s
        connection.settimeout(timeout_s)
        try:
            _connect(connection, path)
            connection.sendall(_request(method, target, body))
            with connection.makefile("rb") as stream:
                return _answer(stream)
        except (TimeoutError, BlockingIOError, ConnectionResetError, BrokenPipeError, ValueError):
            return None  # BlockingIOError: it listens, but its queue is full; ValueError: that is no HTTP


def _connect(connection: socket.socket, path: str) -> None:
    place, folder = short_socket_path(path)
    try:
        connection.connect(place)
    finally:
        if folder is not None:
            os.close(folder)


def _request(method: str, target: str, body: object) -> bytes:
    payload = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Accept-Encoding: identity"]
    if payload:
        lines.append(f"Content-Length: {len(payload)}")
    lines.append("Content-Type: application/json")
    return "\r\n".join([*lines, "", ""]).encode() + payload


def _answer(stream: BufferedReader) -> Answer | None:
    """Read an answer; None if it is cut off or too large.

    Raises:
        ValueError: that is no HTTP.
    """
    version, status, *_ = [*_line(stream).split(maxsplit=2), b"", b""]
    if not version.startswith(b"HTTP/1."):
        raise ValueError("no HTTP")
    headers = dict(_headers(stream))
    if int(status) in _NO_CONTENT:
        return Answer(int(status), b"")
    body = _body(stream, headers)
    return None if body is None else Answer(int(status), body)


def _headers(stream: BufferedReader) -> Iterator[tuple[bytes, bytes]]:
    for _ in range(_MOST_HEADERS):
        line = _line(stream)
        if not line:
            return
        name, _, value = line.partition(b":")
        yield name.lower(), value.strip()
    raise ValueError("headers without an end")


def _line(stream: BufferedReader) -> bytes:
    line = stream.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise ValueError("a line without an end")
    return line.rstrip(b"\r\n")


def _body(stream: BufferedReader, headers: dict[bytes, bytes]) -> bytes | None:
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        return _chunks(stream)
    if b"content-length" in headers:
        return _exactly(stream, int(headers[b"content-length"]))
    body = stream.read(_LARGEST_BODY + 1)  # up to the end of the connection
    return body if len(body) <= _LARGEST_BODY else None


def _chunks(stream: BufferedReader) -> bytes | None:
    body = bytearray()
    while size := int(_line(stream).partition(b";")[0], 16):
        piece = _exactly(stream, size)
        if piece is None or len(body) + size > _LARGEST_BODY:
            return None
        body += piece
        _line(stream)
    return bytes(body)


def _exactly(stream: BufferedReader, size: int) -> bytes | None:
    if not 0 <= size <= _LARGEST_BODY:
        return None
    piece = stream.read(size)
    return piece if len(piece) == size else None
