"""A container as the engine's API shows it (GET /containers/NAME/json and /logs). Pure."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from agent.values import dataclass

ABSENT = "absent"
RUNNING = "running"
_HEADER = 8  # before each piece of a log: the stream's number, three zeros, the length
_STREAMS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Container:
    """The container; `state` is the engine's word, `absent` if there is none, empty if it does not say.

    `restarts` counts what the engine did by a restart policy of its own, not what aziot-edged did. Times are
    seconds since 1970, 0 for never. `last_words` is read only of one that ended.
    """

    state: str = ""
    pid: int = 0
    exit_status: int = 0
    out_of_memory: bool = False
    started_s: float = 0.0
    finished_s: float = 0.0
    restarts: int = 0
    image: str = ""
    error: str = ""
    last_words: str = ""

    @property
    def runs(self) -> bool:
        """Whether its process is there at this moment."""
        return self.state == RUNNING


def read(body: bytes) -> Container:
    """Read the engine's answer; what is missing or makes no sense there is left empty."""
    document = read_document(body)
    state = _table(document.get("State"))
    return Container(
        state=_text(state.get("Status")),
        pid=_number(state.get("Pid")),
        exit_status=_number(state.get("ExitCode")),
        out_of_memory=state.get("OOMKilled") is True,
        started_s=_time(state.get("StartedAt")),
        finished_s=_time(state.get("FinishedAt")),
        restarts=_number(document.get("RestartCount")),
        image=_text(_table(document.get("Config")).get("Image")),
        error=_text(state.get("Error")),
    )


def read_document(body: bytes) -> Mapping[str, Any]:
    """Read any answer of the engine's; one that is no document is empty."""
    try:
        return _table(json.loads(body))
    except (ValueError, RecursionError):
        return {}


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if type(value) is int else 0


def _time(value: object) -> float:
    """Read RFC 3339 as the engine writes it, with up to nine digits behind the point; year 1 is never."""
    try:
        moment = dt.datetime.fromisoformat(_text(value)[:19])
    except ValueError:
        return 0.0
    return max(0.0, moment.replace(tzinfo=dt.UTC).timestamp())


def last_words(body: bytes) -> str:
    """Give the last line of a log that says something; the frames of a stack trace do not."""
    text = b"".join(_pieces(body)).decode("utf-8", "replace")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return next((line for line in reversed(lines) if line and not line.startswith(("at ", "---"))), "")


def _pieces(body: bytes) -> list[bytes]:
    """Take a log's pieces out of their frames; that of a container with a terminal has none."""
    pieces = []
    at = 0
    while at + _HEADER <= len(body) and body[at] in _STREAMS and body[at + 1 : at + 4] == bytes(3):
        end = at + _HEADER + int.from_bytes(body[at + 4 : at + _HEADER], "big")
        pieces.append(body[at + _HEADER : end])
        at = end
    return pieces or [body]
