"""The container engine, as far as an apply needs it: from the second apply on it must answer."""

from enum import StrEnum

from agent.host.network import ask_unix
from agent.host.root import Root

_SOCKET = "/var/run/docker.sock"
_TIMEOUT_S = 10.0
_OK = 200


class EngineState(StrEnum):
    """Whether the container engine answers."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"  # it was not asked


def ask_engine(root: Root) -> EngineState:
    """Ask the engine whether it is there, on the socket that the runtime uses by default."""
    try:
        answer = ask_unix(root.path(_SOCKET), "GET", "/_ping", timeout_s=_TIMEOUT_S)
    except OSError:
        return EngineState.DOWN
    return EngineState.UP if answer is not None and answer.status == _OK else EngineState.DOWN
