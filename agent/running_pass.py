"""The pass that the watcher has started: a child process, and whether it left a result behind."""

import os
import signal

from agent.host import clock, files, process, sights, wake
from agent.watch import read_outcome

# The longest waits that the settings allow, two keys of 300 s and an apply of 900 s, and 300 s for the rest.
PASS_DEADLINE_S = 1800.0
KILL_GRACE_S = 10.0
LONG_LOOK_S = 15.0


class RunningPass:
    """The pass under way: its process, and what tells whether it left a result behind."""

    def __init__(self, argv: tuple[str, ...], status_path: str) -> None:
        """Start it.

        Raises:
            OSError: it could not be started.

        """
        self._status_path = status_path
        self._before = sights.at((status_path,))
        self._process = process.start(argv)
        self.end = os.pidfd_open(self._process.pid)
        self.due_s = clock.monotonic_s() + PASS_DEADLINE_S  # when `strike` is to be called
        self.long_at_s = clock.monotonic_s() + LONG_LOOK_S  # when it is to be told that it takes long
        self._strikes = 0
        self._told = False

    def strike(self) -> None:
        """End what hangs: the whole group is asked first, then made to."""
        number = signal.SIGKILL if self._strikes else signal.SIGTERM
        wake.signal_group(self._process.pid, number)
        self._strikes += 1
        self.due_s += KILL_GRACE_S

    def tell_to_stop(self) -> None:
        """Pass our SIGTERM on, to the pass alone: it lets a running apply finish."""
        self._told = True
        self._process.send_signal(signal.SIGTERM)

    def reap(self) -> str:
        """Collect the ended process; says how it ended if that was not with a result, else nothing."""
        status = self._process.wait()
        os.close(self.end)
        if self._strikes:
            return f"hung and was killed after {PASS_DEADLINE_S:.0f} s"
        if self._told or (self._left_result() and status >= 0):
            return ""
        return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"

    def _left_result(self) -> bool:
        """Say whether there is a new status, and one of a finished pass: one in a step is none."""
        replaced = sights.at((self._status_path,)) != self._before
        return replaced and read_outcome(read_status(self._status_path)).finished


def read_status(path: str) -> bytes | None:
    """Give the bytes of status.json; None where they can't be had."""
    try:
        return files.read(path)
    except OSError:
        return None
