"""What the runtime's daemons have in common: log lines, waits, serving sockets, ending with an error.

A daemon finds itself as systemd starts it, on a booted machine as on one of our own supervisor: its
listening sockets are passed on and named (LISTEN_FDNAMES), and what it writes to stderr goes to the
journal, with the priority that stands in front.
"""

import contextlib
import importlib
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from .layout import SERVICES, ServiceSpec, faults, scaled
from .unixhttp import Answer, Request, converse

Handler = Callable[[Request], Answer]
_LEVELS = {"INFO": 6, "WARN": 4, "ERR!": 3}
_BACKTRACE = 15
_FIRST_PASSED_FD = 3


class DaemonError(Exception):
    """An error with its causes, outermost first, as the runtime reports them."""

    def __init__(self, *chain: str) -> None:
        super().__init__(*chain)
        self.chain = chain


class Daemon:
    """One running daemon of the machine."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.lock = threading.Lock()
        names = os.environ["LISTEN_FDNAMES"].split(":")
        self._sockets = {
            name: socket.socket(fileno=fd) for fd, name in enumerate(names, start=_FIRST_PASSED_FD)
        }

    def say(self, text: str) -> None:
        """Write a line as it is."""
        os.write(2, f"{text}\n".encode())

    def _log(self, level: str, text: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.say(f"<{_LEVELS[level]}>{stamp} [{level}] - {text}")

    def info(self, text: str) -> None:
        """Log at level info."""
        self._log("INFO", text)

    def warn(self, text: str) -> None:
        """Log at level warning."""
        self._log("WARN", text)

    def error(self, text: str) -> None:
        """Log at level error."""
        self._log("ERR!", text)

    def version(self) -> str:
        """Give the version that the identity daemons print."""
        return str(faults(self.root).get("identity_version", "1.6.0"))

    def pause(self, seconds: float) -> None:
        """Wait as long as the runtime's own wait of that many seconds takes here."""
        time.sleep(scaled(self.root, seconds))

    def path(self, absolute: str) -> str:
        """Give the place of a path of the machine."""
        return os.path.join(self.root, absolute.lstrip("/"))

    def fail(self, chain: tuple[str, ...]) -> NoReturn:
        """Log an error with its causes and the backtrace that the runtime prints, and end."""
        self.error("service encountered an error")
        for cause in chain:
            self.error(f"caused by: {cause}")
        for number in range(_BACKTRACE):
            frame = "__libc_start_main" if number == _BACKTRACE - 2 else "<unknown>"
            self.say(f"{number:4d}: {frame}")
        raise SystemExit(1)

    def serve(
        self,
        handlers: dict[str, Handler],
        idle: Callable[[], None] | None = None,
        every_s: float | None = None,
    ) -> NoReturn:
        """Answer on the sockets for ever; `idle` is called again and again (`every_s` is scaled)."""
        waiting = {self._sockets[name]: handler for name, handler in handlers.items()}
        patience_s = None if every_s is None else scaled(self.root, every_s)
        while True:
            ready, _, _ = select.select(list(waiting), [], [], patience_s)
            for server in ready:
                with contextlib.suppress(BlockingIOError):
                    client, _ = server.accept()
                    client.setblocking(True)
                    threading.Thread(target=converse, args=(client, waiting[server]), daemon=True).start()
            if idle:
                idle()


def _stopped(_signal: int, _frame: object) -> NoReturn:
    raise SystemExit(0)


def loaded(spec: ServiceSpec) -> Callable[[str, str], int]:
    """Give `main` with all that a service's daemon consists of in memory: for who forks daemons."""
    importlib.import_module(f".{spec.daemon}", __package__)
    return main


def main(root: str, process: str) -> int:
    """Be the daemon of a process name."""
    spec = next(spec for spec in SERVICES.values() if spec.process == process)
    with open("/proc/self/comm", "w", encoding="ascii") as name:
        name.write(spec.process)
    signal.signal(signal.SIGTERM, _stopped)
    daemon = Daemon(root)
    if spec.daemon == faults(root).get("broken"):
        daemon.fail(("internal error", "Address already in use (os error 98)"))
    if spec.daemon == faults(root).get("quits"):
        return 0
    importlib.import_module(f".{spec.daemon}", __package__).run(daemon)
    return 0
