"""The conversation of a service with its manager (sd_notify(3)); silent where there is none.

ASCII only: the library encodes latin-1, and loses a whole message that does not fit, READY=1 too.
It also connects once and for all, swallows errors and blocks; hence the reconnection and the time-out.
"""

import os
from collections.abc import Mapping
from math import inf
from typing import Any

_TIMEOUT_S = 1.0
_LONGEST_STATUS = 1024  # systemd drops a message of more than 4096 bytes whole


class Notifier:
    """One service's line to its manager."""

    def __init__(self) -> None:
        """Take the socket and the watchdog's interval from the environment, as they are now."""
        self._watchdog_s = watchdog_s(os.environ, os.getpid())
        self._fed_s = -inf
        self._status = ""
        self._line: Any = None

    @property
    def feed_due_s(self) -> float:
        """The monotonic time at which the watchdog has to be fed next: after half its interval."""
        return self._fed_s + self._watchdog_s / 2 if self._watchdog_s else inf

    def feed(self, now_s: float) -> None:
        """Tell the watchdog of progress, if that is due. Only the main loop may call this."""
        if now_s >= self.feed_due_s:
            self._fed_s = now_s
            self._send("WATCHDOG=1")

    def ready(self) -> None:
        """Say that the service is up, or that its reload is done."""
        self._send("READY=1")

    def reloading(self, now_s: float) -> None:
        """Say that a reload began; `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(now_s * 1e6)}")

    def stopping(self) -> None:
        """Say that the service is on its way down."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """Show one line in `systemctl status`; nothing is sent if it is the one shown already."""
        line = one_line(text)
        if line != self._status:
            self._status = line
            self._send(f"STATUS={line}")

    def _send(self, message: str) -> None:
        if not os.environ.get("NOTIFY_SOCKET"):
            return
        for _ in range(2):  # the second time over a new connection
            try:
                self._line = self._line or _connect()
                self._line.notify(message)
            except OSError:
                self._hang_up()
            else:
                return

    def _hang_up(self) -> None:
        if self._line:
            self._line.socket.close()
        self._line = None


def _connect() -> Any:
    import sdnotify

    line = sdnotify.SystemdNotifier(debug=True)  # debug: raise instead of swallowing
    line.socket.settimeout(_TIMEOUT_S)
    return line


def one_line(text: str) -> str:
    """Give a text as one line of ASCII, cut where it is too long for a message; the rest becomes '?'."""
    known = " ".join(text.split()).encode("ascii", "replace").decode("ascii")
    plain = "".join(one if one.isprintable() else "?" for one in known)
    return plain if len(plain) <= _LONGEST_STATUS else plain[: _LONGEST_STATUS - 3] + "..."


def watchdog_s(environment: Mapping[str, str], pid: int) -> float:
    """Give the watchdog's interval in seconds, 0 where none watches this process (sd_watchdog_enabled(3))."""
    interval_us = environment.get("WATCHDOG_USEC", "")
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid) or not interval_us.isdecimal():
        return 0.0
    return int(interval_us) / 1e6
