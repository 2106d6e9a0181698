"""What the engine's API shows of a container, whole, in part and damaged, and the log that it kept."""

import datetime as dt
import json
from typing import Any

import pytest

from agent.edge import container
from agent.edge.container import Container

# As docker.io 20.10 answers, shortened to what stands beside what is read.
EXITED: dict[str, Any] = {
    "Id": "0b8c1d",
    "State": {
        "Status": "exited", "Running": False, "OOMKilled": True, "Dead": False, "Pid": 0, "ExitCode": 137,
        "Error": "", "StartedAt": "2026-11-25T14:30:09.123456789Z", "FinishedAt": "2026-11-25T14:31:09Z",
    },
    "Image": "sha256:1f2e",
    "RestartCount": 3,
    "Config": {"Image": "mcr.microsoft.com/azureiotedge-agent:1.6", "Tty": False},
}  # fmt: skip


def _read(document: object) -> Container:
    return container.read(json.dumps(document).encode())


def _s(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()


def test_one_that_was_killed() -> None:
    assert _read(EXITED) == Container(
        "exited",
        exit_status=137,
        out_of_memory=True,
        started_s=_s("2026-11-25T14:30:09+00:00"),
        finished_s=_s("2026-11-25T14:31:09+00:00"),
        restarts=3,
        image="mcr.microsoft.com/azureiotedge-agent:1.6",
    )


def test_one_that_runs_and_never_ended() -> None:
    state = {"Status": "running", "Pid": 4711, "FinishedAt": "0001-01-01T00:00:00Z"}
    found = _read({**EXITED, "State": state})

    assert (found.runs, found.pid, found.finished_s, found.started_s) == (True, 4711, 0.0, 0.0)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "x",
        {},
        {"State": None, "Config": [], "RestartCount": "3"},
        {"State": {"Pid": True, "Status": 1}},
    ],
)
def test_what_makes_no_sense_is_left_empty(document: object) -> None:
    assert _read(document) == Container()


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"[" * 100_000])
def test_damage_is_no_container(body: bytes) -> None:
    assert container.read(body) == Container()


def _piece(stream: int, text: str) -> bytes:
    return bytes((stream, 0, 0, 0)) + len(text.encode()).to_bytes(4, "big") + text.encode()


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"", ""),
        (_piece(1, "begins\n") + _piece(2, "exec /app: exec format error\n"), "exec /app: exec format error"),
        (
            _piece(2, "Unhandled\texception. no\n   at Main()\n--- End of stack ---\n\n"),
            "Unhandled exception. no",
        ),
        (b"of a terminal\r\n", "of a terminal"),
        (_piece(1, "cut off")[:-4], "cut"),
    ],
)
def test_the_last_words_of_a_log(body: bytes, wanted: str) -> None:
    assert container.last_words(body) == wanted
