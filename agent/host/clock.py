"""Time, chance and sleep: the only place that asks for them."""

import os
import time

from agent.host.root import Root

_UNKNOWN_BOOT = "unknown"


def wall_s() -> float:
    """Give the wall clock in seconds since 1970; it may step, and may be wrong on a device without an RTC."""
    return time.time()


def monotonic_s() -> float:
    """Give seconds since boot, without suspended time; comparable over processes of one boot."""
    return time.monotonic()


def rest(duration_s: float) -> None:
    """Wait; a signal handler that raises ends the wait."""
    time.sleep(duration_s)


def jitter() -> float:
    """Give a random number in [0, 1) for back-off."""
    return int.from_bytes(os.urandom(4), "big") / 2**32


def random_id() -> str:
    """Give 16 hex digits that name one pass."""
    return os.urandom(8).hex()


def boot_id(root: Root) -> str:
    """Give the kernel's boot id; monotonic times of another boot mean nothing."""
    try:
        with open(root.path("/proc/sys/kernel/random/boot_id"), encoding="ascii") as source:
            return source.read().strip()
    except OSError:
        return _host_boot_id()


def _host_boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as source:
            return source.read().strip()
    except OSError:
        return _UNKNOWN_BOOT


def sees_processes() -> bool:
    """Say whether this user sees processes of others: not where /proc is mounted with hidepid, proc(5)."""
    return os.path.exists("/proc/1/stat")


def process_start_ticks(pid: int) -> int | None:
    """Give a process's start in clock ticks since boot (proc(5), stat field 22); None if it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as source:
            state, *others = source.read().rpartition(b")")[2].split()
        return None if state in (b"Z", b"X") else int(others[18])
    except (OSError, ValueError, IndexError):
        return None
