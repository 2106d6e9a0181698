"""What wakes a waiting loop: signals and ends of processes, each as a descriptor that becomes readable."""

import os
import signal
from contextlib import suppress
from types import FrameType


class Signals:
    """Signals as bytes in a pipe (Python has no signalfd). The dispositions are changed for good."""

    def __init__(self, *numbers: signal.Signals) -> None:
        """Take these signals over."""
        self._source, target = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(target, warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, _noted)

    def fileno(self) -> int:
        """Give the descriptor that becomes readable when a signal came."""
        return self._source

    def take(self) -> frozenset[int]:
        """Give the numbers of the signals that came since the last call; the descriptor must be readable."""
        return frozenset(os.read(self._source, 4096))


def _noted(number: int, frame: FrameType | None) -> None:
    """Do nothing: the number is in the pipe, and without a handler the signal would end the process."""


def end_of(pid: int) -> int | None:
    """Give a descriptor that becomes readable when a process ends, None if it is gone; the caller closes it.

    Raises:
        OSError: no more descriptors.

    """
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def signal_group(leader: int, number: signal.Signals) -> None:
    """Send a signal to the process group of a leader; nothing happens where it is gone."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
