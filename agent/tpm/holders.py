"""Who has a device node open: a look at the descriptors of the machine's processes, as fuser(1) has it."""

import os
import re

from agent.host import files
from agent.host.root import Root
from agent.values import dataclass

_PROC = "/proc"
_UNIT = re.compile(r"[^/]+\.(?:service|scope|socket)")


@dataclass(frozen=True, slots=True)
class Holder:
    """A process; `unit` is the systemd unit that it runs in, empty where it is in none."""

    pid: int
    name: str
    unit: str = ""

    @property
    def in_words(self) -> str:
        """Name it for a person: "tpm2-abrmd (process 812, tpm2-abrmd.service)"."""
        return f"{self.name} (process {self.pid}{', ' if self.unit else ''}{self.unit})"


def holder(root: Root, path: str) -> Holder | None:
    """Give the first process that has a node open; None where none is seen.

    Only the running machine has processes, and only root sees the descriptors of all.
    """
    if not root.is_host:
        return None
    node = os.path.realpath(path)
    pids = sorted(int(name) for name in files.names(_PROC) if name.isdigit())
    return next((_known(pid) for pid in pids if pid != os.getpid() and _has_open(pid, node)), None)


def _has_open(pid: int, node: str) -> bool:
    folder = f"{_PROC}/{pid}/fd"
    return any(_target(f"{folder}/{name}") == node for name in files.names(folder))


def _target(link: str) -> str:
    try:
        return os.readlink(link)  # not stat: that could wait for a dead file server
    except OSError:
        return ""


def _known(pid: int) -> Holder:
    groups = _line(f"{_PROC}/{pid}/cgroup").split("/")
    unit = next((name for name in reversed(groups) if _UNIT.fullmatch(name)), "")
    return Holder(pid, _line(f"{_PROC}/{pid}/comm") or "a process", unit)


def _line(path: str) -> str:
    try:
        return (files.read(path) or b"").decode("utf-8", "replace").strip()
    except OSError:
        return ""
