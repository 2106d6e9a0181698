"""Requests to daemons' unix sockets: one deadline, whole answers only, and paths of any length."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agent.host.network import Answer, ask_unix

_DEADLINE_S = 20.0
Serve = Callable[[socket.socket], None]
Start = Callable[[Serve], str]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Start]:
    """Give the way to a daemon that serves one client, by the function it is given."""
    threads = []
    listener = socket.socket(socket.AF_UNIX)
    path = str(tmp_path / "daemon.sock")
    listener.bind(path)
    listener.listen()

    def start(serve: Serve) -> str:
        def accept() -> None:
            client, _ = listener.accept()
            with client:
                serve(client)

        threads.append(threading.Thread(target=accept))
        threads[-1].start()
        return path

    yield start
    listener.close()
    for thread in threads:
        thread.join(_DEADLINE_S)
        assert not thread.is_alive()


def _request(client: socket.socket) -> bytes:
    """Read a whole request: its head, and the body that the head announces."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(4096)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < length:
        body += client.recv(4096)
    return head + b"\r\n\r\n" + body


def _answering(answer: bytes, requests: list[bytes] | None = None) -> Serve:
    def serve(client: socket.socket) -> None:
        request = _request(client)
        if requests is not None:
            requests.append(request)
        client.sendall(answer)

    return serve


def test_a_question_and_its_answer(daemon: Start) -> None:
    requests: list[bytes] = []
    path = daemon(_answering(b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"ok"', requests))

    answer = ask_unix(path, "POST", "/device?x=1", body={"type": "aziot"}, timeout_s=_DEADLINE_S)

    assert answer == Answer(200, b'"ok"')
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /device?x=1 HTTP/1.1\r\n")
    assert b"Content-Type: application/json" in head
    assert body == b'{"type": "aziot"}'


def test_a_question_without_a_body(daemon: Start) -> None:
    requests: list[bytes] = []
    path = daemon(_answering(b"HTTP/1.1 204 No Content\r\n\r\n", requests))

    assert ask_unix(path, "GET", "/", timeout_s=_DEADLINE_S) == Answer(204, b"")
    assert requests[0].endswith(b"\r\n\r\n")


def test_a_refusal_is_an_answer(daemon: Start) -> None:
    path = daemon(_answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}"))

    assert ask_unix(path, "GET", "/", timeout_s=_DEADLINE_S) == Answer(400, b"{}")


def test_an_answer_in_pieces_and_chunks_is_whole(daemon: Start) -> None:
    def serve(client: socket.socket) -> None:
        _request(client)
        for piece in (
            b"HTTP/1.1 200 OK\r\nTransfer-Enc",
            b"oding: chunked\r\n\r\n3\r\nabc\r\n",
            b"0\r\n\r\n",
        ):
            client.sendall(piece)

    assert ask_unix(daemon(serve), "GET", "/", timeout_s=_DEADLINE_S) == Answer(200, b"abc")


def test_an_answer_without_a_length_ends_with_the_connection(daemon: Start) -> None:
    path = daemon(_answering(b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\nall of it"))

    assert ask_unix(path, "GET", "/", timeout_s=_DEADLINE_S) == Answer(200, b"all of it")


def test_a_chunk_may_have_an_extension_and_headers_any_case(daemon: Start) -> None:
    path = daemon(
        _answering(
            b"HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: Chunked\r\n\r\n2;x=y\r\nab\r\n5\r\n01234\r\n0\r\n\r\n"
        )
    )

    assert ask_unix(path, "GET", "/", timeout_s=_DEADLINE_S) == Answer(200, b"ab01234")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
        b"something else\r\n\r\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 fine\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"80000\r\n%b\r\n" % bytes(0x80000) * 3,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n" + bytes(1048577),
    ],
    ids=[
        "nothing",
        "half a body",
        "half a chunk",
        "no HTTP",
        "half a line",
        "no status",
        "a length below zero",
        "a chunk without a size",
        "too many chunks",
        "too many headers",
        "too much",
    ],
)
def test_what_is_no_whole_answer_is_none(answer: bytes, daemon: Start) -> None:
    def serve(client: socket.socket) -> None:
        _request(client)
        with suppress(BrokenPipeError):
            client.sendall(answer)

    assert ask_unix(daemon(serve), "GET", "/", timeout_s=_DEADLINE_S) is None


def test_a_daemon_that_closes_at_once_gives_none(daemon: Start) -> None:
    assert ask_unix(daemon(lambda _: None), "GET", "/", timeout_s=_DEADLINE_S) is None


def test_a_daemon_that_says_nothing_gives_none_at_the_deadline(daemon: Start) -> None:
    def serve(client: socket.socket) -> None:
        while client.recv(4096):
            pass

    assert ask_unix(daemon(serve), "GET", "/", timeout_s=0.1) is None


def test_a_daemon_that_never_stops_cannot_stretch_the_deadline_either(daemon: Start) -> None:
    """Each byte in a chunk of its own is much to do for little of the largest body."""
    sent = []

    def flood(client: socket.socket) -> None:
        _request(client)
        client.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with suppress(OSError):
            while True:
                sent.append(client.send(b"1\r\nx\r\n" * 1000))

    assert ask_unix(daemon(flood), "GET", "/", timeout_s=0.05) is None
    assert sum(sent) < 6 * 1024 * 1024, "the whole of the largest body was read"


def test_a_dripping_daemon_cannot_stretch_the_deadline(daemon: Start) -> None:
    """Each byte comes well before a deadline for a single byte would have passed; there are thousands."""
    dripped = 0

    def serve(client: socket.socket) -> None:
        nonlocal dripped
        _request(client)
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        gone = threading.Event()
        try:
            while dripped < 1000 and not gone.wait(0.05):
                client.sendall(b"x")
                dripped += 1
        except OSError:
            gone.set()

    assert ask_unix(daemon(serve), "GET", "/", timeout_s=0.3) is None
    assert dripped < 1000


def test_nobody_listening_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ask_unix(str(tmp_path / "nothing.sock"), "GET", "/", timeout_s=_DEADLINE_S)
    with socket.socket(socket.AF_UNIX) as closed:
        closed.bind(str(tmp_path / "closed.sock"))
    with pytest.raises(ConnectionRefusedError):
        ask_unix(str(tmp_path / "closed.sock"), "GET", "/", timeout_s=_DEADLINE_S)


def test_a_full_queue_is_no_answer(tmp_path: Path) -> None:
    """The daemon lives and does not accept: that is not the same as nobody there."""
    path = str(tmp_path / "busy.sock")
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as first:
        busy.bind(path)
        busy.listen(0)
        first.connect(path)

        assert ask_unix(path, "GET", "/", timeout_s=0.1) is None


def test_a_path_that_fits_no_socket_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    monkeypatch.chdir(folder)
    descriptors = set(os.listdir("/proc/self/fd"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("daemon.sock")
        listener.listen()
        asked = threading.Thread(target=lambda: _serve_one(listener))
        asked.start()
        answer = ask_unix(str(folder / "daemon.sock"), "GET", "/", timeout_s=_DEADLINE_S)
        asked.join(_DEADLINE_S)

    assert answer == Answer(204, b"")
    assert set(os.listdir("/proc/self/fd")) == descriptors


def _serve_one(listener: socket.socket) -> None:
    client, _ = listener.accept()
    with client:
        _answering(b"HTTP/1.1 204 No Content\r\n\r\n")(client)
