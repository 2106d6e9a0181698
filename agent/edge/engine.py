"""The container engine: whether it answers, which an apply needs, and how the module edgeAgent is there."""

from enum import StrEnum

from agent.edge import container
from agent.edge.container import Container
from agent.host.network import ask_unix
from agent.host.root import Root
from agent.values import dataclass

_SOCKET = "/var/run/docker.sock"
_TIMEOUT_S = 10.0
_OK, _NOT_FOUND = 200, 404
_AGENT = "/containers/edgeAgent"
_LAST_LINES = 20


class EngineState(StrEnum):
    """Whether the container engine answers."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"  # it was not asked


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine as it tells of itself: does it answer, its version, and the oldest API that it takes."""

    state: EngineState = EngineState.UNKNOWN
    version: str = ""
    oldest_api: str = ""


def ask_engine(root: Root) -> Engine:
    """Ask the engine whether it is there, on the socket that the runtime uses by default."""
    status, body = _get(root, "/version")
    if status != _OK:
        return Engine(EngineState.DOWN)
    told = container.read_document(body)
    version, oldest = (told.get(name) for name in ("Version", "MinAPIVersion"))
    return Engine(EngineState.UP, *(one if isinstance(one, str) else "" for one in (version, oldest)))


def ask_edge_agent(root: Root) -> Container:
    """Ask the engine for the container of edgeAgent; its state is empty where the engine does not say."""
    status, body = _get(root, f"{_AGENT}/json")
    if status == _NOT_FOUND:
        return Container(container.ABSENT)
    return container.read(body) if status == _OK else Container()


def last_words(root: Root) -> str:
    """Give the last thing that edgeAgent wrote; empty where the engine keeps no log that it can give."""
    status, body = _get(root, f"{_AGENT}/logs?stdout=1&stderr=1&tail={_LAST_LINES}")
    return container.last_words(body) if status == _OK else ""


def _get(root: Root, target: str) -> tuple[int, bytes]:
    """Ask one question; status 0 where nobody answers in time."""
    try:
        answer = ask_unix(root.path(_SOCKET), "GET", target, timeout_s=_TIMEOUT_S)
    except OSError:
        return 0, b""
    return (answer.status, answer.body) if answer is not None else (0, b"")
