"""The only TLS and HTTP: here, requests to the sockets of daemons on the same machine, under one deadline."""

import json
import os
import socket
import time
from http.client import HTTPConnection, HTTPException
from typing import Any

from agent.host.root import short_socket_path
from agent.values import dataclass

_LARGEST_BODY = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status code and body."""

    status: int
    body: bytes


class _DeadlineSocket(socket.socket):
    """A socket whose receives share one deadline, so that a dripping peer can't stretch it."""

    deadline = 0.0

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Receive within what is left of the deadline."""
        self.settimeout(max(0.001, self.deadline - time.monotonic()))
        return super().recv_into(buffer, nbytes, flags)


class _UnixConnection(HTTPConnection):
    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path
        self._timeout_s = timeout_s

    def connect(self) -> None:
        connection = _DeadlineSocket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.deadline = time.monotonic() + self._timeout_s
        connection.settimeout(self._timeout_s)
        place, folder = short_socket_path(self._path)
        try:
            connection.connect(place)
        except BaseException:
            connection.close()
            raise
        finally:
            if folder is not None:
                os.close(folder)
        self.sock = connection


def ask_unix(path: str, method: str, target: str, *, body: object = None, timeout_s: float) -> Answer | None:
    """Send one HTTP request to a daemon's unix socket; None if there was no whole answer in time.

    Connecting starts a socket-activated daemon: ask only one that runs.

    Raises:
        OSError: nobody listens, or the socket may not be opened.

    """
    connection = _UnixConnection(path, timeout_s)
    payload = None if body is None else json.dumps(body).encode()
    try:
        connection.connect()
        connection.request(method, target, body=payload, headers={"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read(_LARGEST_BODY)
        return None if answer.length else Answer(answer.status, content)  # what is missing, or too much
    except (TimeoutError, BlockingIOError, HTTPException, ConnectionResetError, BrokenPipeError):
        return None  # BlockingIOError: it listens, but its queue is full
    finally:
        connection.close()
