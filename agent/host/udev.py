"""udev: the monitor that says that a TPM's device node came, changed or went.

The source is "udev", after the rules: by then a node has its owner and mode. Events carry no facts
here; the caller subscribes first and looks at the devices afterwards, so that nothing falls between.
"""

import errno
import os
import socket
from contextlib import suppress
from typing import Any, NamedTuple

_SUBSYSTEMS = ("tpm", "tpmrm")
_RECEIVE_BUFFER = 128 * 1024 * 1024  # a limit, no allocation; without CAP_NET_ADMIN net.core.rmem_max stays
_MOST_AT_ONCE = 1024  # a storm must not keep the caller from its other work


class Drained(NamedTuple):
    """What was waiting: the number of TPM events, and whether the kernel dropped some before them."""

    events: int
    overflowed: bool


class Subscription:
    """A subscription to the TPM's events; it ends with the object."""

    def __init__(self) -> None:
        """Subscribe.

        Raises:
            OSError: udev or netlink can't be had here.

        """
        self._monitor = _monitor()  # pyudev closes the socket when the monitor is collected

    def fileno(self) -> int:
        """Give the descriptor that becomes readable; nobody else may read it."""
        return int(self._monitor.fileno())

    def drain(self) -> Drained:
        """Take what is waiting, without blocking, up to a bound; the descriptor stays readable beyond it.

        After an overflow the caller has to look at the devices themselves.

        Raises:
            OSError: the subscription is broken; make a new one.

        """
        events, overflowed = 0, False
        for _ in range(_MOST_AT_ONCE):
            try:
                device = self._monitor.poll(timeout=0)
            except OSError as error:
                if error.errno != errno.ENOBUFS and not clear_error(self.fileno()):
                    raise
                overflowed = True
                continue
            if device is None:  # nothing left, or libudev 257 refused an event of another subsystem:
                break  # then the descriptor is still readable and the caller comes back
            events += 1
        return Drained(events, overflowed)


def clear_error(descriptor: int) -> bool:
    """Fetch and clear a socket's pending error; False if there was none.

    A netlink overflow (ENOBUFS) stays pending and makes every poll of pyudev's raise, for ever.

    Raises:
        OSError: it is no socket.

    """
    with socket.socket(fileno=os.dup(descriptor)) as ours:
        return ours.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


def _monitor() -> Any:
    try:
        import pyudev

        monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="udev")
    except ImportError as error:  # pyudev is there, but not libudev
        raise OSError(str(error)) from error
    for subsystem in _SUBSYSTEMS:
        monitor.filter_by(subsystem)
    with suppress(OSError):
        monitor.set_receive_buffer_size(_RECEIVE_BUFFER)
    monitor.start()
    return monitor
