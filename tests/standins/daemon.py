"""What the runtime's daemons have in common: log lines, waits, serving sockets, ending with an error.

Started by the supervisor with the listening sockets it owns, as systemd passes them on.
"""

import contextlib
import importlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from .journal import Journal
from .layout import SERVICES, faults, scaled
from .unixhttp import Answer, Request, converse

Handler = Callable[[Request], Answer]
_LEVELS = {"INFO": 6, "WARN": 4, "ERR!": 3}
_BACKTRACE = 15


class DaemonError(Exception):
    """An error with its causes, outermost first, as the runtime reports them."""

    def __init__(self, *chain: str) -> None:
        super().__init__(*chain)
        self.chain = chain


class Daemon:
    """One running daemon of the machine."""

    def __init__(self, root: str, unit: str) -> None:
        self.root = root
        self.unit = unit
        self.lock = threading.Lock()
        self._journal = Journal(root)
        self._invocation = os.environ["INVOCATION_ID"]
        fds = json.loads(os.environ["STANDIN_FDS"])
        self._sockets = {name: socket.socket(fileno=fd) for name, fd in fds.items()}

    def say(self, text: str, priority: int = 6) -> None:
        """Write a line as it is."""
        self._journal.unit_said(self.unit, os.getpid(), self._invocation, (priority, text))

    def _log(self, level: str, text: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.say(f"{stamp} [{level}] - {text}", _LEVELS[level])

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

    def serve(self, handlers: dict[str, Handler], idle: Callable[[], None] | None = None) -> NoReturn:
        """Answer on the sockets for ever; `idle` is called about every 50 ms."""
        waiting = {self._sockets[name]: handler for name, handler in handlers.items()}
        while True:
            ready, _, _ = select.select(list(waiting), [], [], 0.05 if idle else None)
            for server in ready:
                with contextlib.suppress(BlockingIOError):
                    client, _ = server.accept()
                    client.setblocking(True)
                    threading.Thread(target=converse, args=(client, waiting[server]), daemon=True).start()
            if idle:
                idle()


def _stopped(_signal: int, _frame: object) -> NoReturn:
    raise SystemExit(0)


def _end_with_supervisor(life: int) -> None:
    os.read(life, 1)
    os._exit(0)


def main(root: str, unit: str) -> int:
    """Run the daemon of a unit; ends with the supervisor, whatever happens to it."""
    spec = SERVICES[unit]
    with open("/proc/self/comm", "w", encoding="ascii") as name:
        name.write(spec.process)
    signal.signal(signal.SIGTERM, _stopped)
    life = int(os.environ["STANDIN_LIFE"])
    threading.Thread(target=_end_with_supervisor, args=(life,), daemon=True).start()
    module = importlib.import_module(f".{spec.daemon}", __package__)
    module.run(Daemon(root, unit))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
