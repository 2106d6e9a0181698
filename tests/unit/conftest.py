"""Guards around every unit test: no process, no socket, no sleep, no clock.

The interpreter's own audit events are listened to, so no alias and no library gets round them. What a guard
raises is no Exception, so that no code under test can swallow it.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from agent.host import clock

# A machine may be busy, or emulated: how long an example takes says nothing about the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

_OFFENCES = {
    "subprocess.Popen": "started a process",
    "os.fork": "started a process",
    "os.forkpty": "started a process",
    "os.exec": "became another program",
    "os.posix_spawn": "started a process",
    "os.system": "started a process",
    "pty.spawn": "started a process",
    "socket.__new__": "opened a socket",
    "socket.getaddrinfo": "asked for an address",
}


class ForbiddenError(BaseException):
    """A unit test did what only contract and scenario tests may do."""


class _Guard:
    """The audit hook; hooks stay for the process's life, so it is switched on for each test's own thread."""

    thread: int | None = None

    def __call__(self, event: str, _: tuple[object, ...]) -> None:
        if event in _OFFENCES and self.thread == threading.get_ident():
            raise ForbiddenError(f"a unit test {_OFFENCES[event]} ({event})")


_guard = _Guard()
sys.addaudithook(_guard)


def _forbidden(name: str) -> Callable[..., float]:
    def refuse(*_: object) -> float:
        raise ForbiddenError(f"a unit test called {name}: give times as values")

    return refuse


@pytest.fixture(autouse=True)
def guards(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Watch this test."""
    for name in ("wall_s", "monotonic_s", "rest", "jitter"):
        monkeypatch.setattr(clock, name, _forbidden(f"agent.host.clock.{name}"))
    monkeypatch.setattr(time, "sleep", _forbidden("time.sleep"))  # an audit event from Python 3.13 on only
    _guard.thread = threading.get_ident()
    yield
    _guard.thread = None
