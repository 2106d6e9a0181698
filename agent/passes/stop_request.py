"""Somebody's wish that a pass may end: it is remembered, and the step that runs is let finish."""

import signal


class StopRequest:
    """Hears SIGTERM, SIGINT and SIGHUP from the moment it is made."""

    def __init__(self) -> None:
        """Begin to hear."""
        self._asked = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._remember)

    def _remember(self, _number: int, _frame: object) -> None:
        self._asked = True

    def asked(self) -> bool:
        """Say whether a signal has come."""
        return self._asked
