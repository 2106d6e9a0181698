"""Small HTTP/1.1 over unix sockets: what the runtime's daemons speak with each other."""

import json
import os
import socket
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

_LONGEST = 107


class Request(NamedTuple):
    """What a client asked, and the uid that the kernel vouches for."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    uid: int

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The query's values by name."""
        pairs = (part.partition("=") for part in self.target.partition("?")[2].split("&") if part)
        return {name: value for name, _, value in pairs}


class Answer(NamedTuple):
    """A status and a JSON document, or bytes that are none; None for no content."""

    status: int
    document: Any = None


REASONS = {
    200: "OK",
    201: "Created",
    204: "No Content",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    500: "Internal Server Error",
}


def connect(path: str, timeout_s: float | None = None) -> socket.socket:
    """Connect to a unix socket, however long its path.

    Raises: OSError
    """
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(timeout_s)
    folder = -1
    try:
        if len(os.fsencode(path)) > _LONGEST:
            folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY)
            path = f"/proc/self/fd/{folder}/{os.path.basename(path)}"
        client.connect(path)
    except BaseException:
        client.close()
        raise
    finally:
        if folder >= 0:
            os.close(folder)
    return client


def listen(path: str) -> socket.socket:
    """Listen on a unix socket, however long its path, in the place of any before it."""
    if os.path.lexists(path):
        os.unlink(path)
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        server.bind(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
    finally:
        os.close(folder)
    server.listen(64)
    return server


def ask(path: str, request: tuple[str, str], document: Any = None, timeout_s: float | None = None) -> Answer:
    """Send one request (method, target) and give its answer.

    Raises: OSError; ConnectionResetError where the other side goes away without an answer.
    """
    body = b"" if document is None else json.dumps(document, separators=(",", ":")).encode()
    name = os.path.basename(path)
    head = f"{request[0]} {request[1]} HTTP/1.1\r\n"
    if body:
        head += f"content-type: application/json\r\nhost: {name}\r\ncontent-length: {len(body)}\r\n"
    else:
        head += f"host: {name}\r\n"
    with connect(path, timeout_s) as client:
        client.sendall(f"{head}\r\n".encode() + body)
        lines, rest = _head(client)
        length = int(dict(_headers(lines)).get("content-length", "0"))
        content = _exactly(client, rest, length)
    return Answer(int(lines[0].split()[1]), json.loads(content) if content else None)


def receive(client: socket.socket) -> Request:
    """Read one request.

    Raises: OSError, also where the client goes away.
    """
    lines, rest = _head(client)
    headers = tuple(_headers(lines))
    body = _exactly(client, rest, int(dict(headers).get("content-length", "0")))
    method, target, _ = lines[0].split(" ", 2)
    credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return Request(method, target, headers, body, struct.unpack("3i", credentials)[1])


def _body(document: Any) -> bytes:
    if document is None or isinstance(document, bytes):
        return document or b""
    return json.dumps(document, separators=(",", ":")).encode()


def reply(client: socket.socket, answer: Answer) -> None:
    """Send an answer."""
    body = _body(answer.document)
    head = f"HTTP/1.1 {answer.status} {REASONS[answer.status]}\r\n"
    if body:
        head += "content-type: application/json\r\n"
    if answer.status != 204:
        head += f"content-length: {len(body)}\r\n"
    client.sendall(f"{head}\r\n".encode() + body)


def converse(client: socket.socket, handle: Callable[[Request], Answer]) -> None:
    """Answer a client's requests until it hangs up."""
    with client:
        try:
            while True:
                reply(client, handle(receive(client)))
        except (OSError, ValueError):
            return


def _head(client: socket.socket) -> tuple[list[str], bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        part = client.recv(65536)
        if not part:
            raise ConnectionResetError(104, "Connection reset by peer")
        received += part
    head, _, rest = received.partition(b"\r\n\r\n")
    return head.decode("latin-1").split("\r\n"), rest


def _headers(lines: list[str]) -> list[tuple[str, str]]:
    pairs = (line.partition(":") for line in lines[1:])
    return [(name.strip().lower(), value.strip()) for name, _, value in pairs]


def _exactly(client: socket.socket, received: bytes, length: int) -> bytes:
    while len(received) < length:
        part = client.recv(65536)
        if not part:
            raise ConnectionResetError(104, "Connection reset by peer")
        received += part
    return received[:length]
