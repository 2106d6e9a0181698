"""What the bench measures: an agent's commands, its watcher, and what they cost."""

import json
import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_PYTHON = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), ".venv/bin/python")
_DEADLINE_S = 300.0
_GLANCE_S = 0.05
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """The wall time of a command, and the processor time of it and its children, in milliseconds."""

    wall_ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Agent:
    """The agent of a tree, run by this tree's environment."""

    name: str
    tree: str

    def command(self, root: str, *words: str) -> tuple[str, ...]:
        """Give the command as a person runs it."""
        return (*self._start("agent.cli"), "--root", root, *words)

    def watched_pass(self, root: str, because: str) -> tuple[str, ...]:
        """Give the pass as the watcher starts it; before there was `watched`, that was `once`."""
        if os.path.exists(os.path.join(self.tree, "agent/passes/watched.py")):
            return (*self._start("agent.passes.watched"), root, "", because)
        return self.command(root, "once", "--because", because)

    def _start(self, module: str) -> tuple[str, ...]:
        start = f"import sys; sys.path.insert(1, {self.tree!r}); from {module} import main; sys.exit(main())"
        return (_PYTHON, "-I", "-c", start)


@dataclass(frozen=True, slots=True)
class Provisioning:
    """What it took to provision a machine, from the settings to the status: all processes of the agent's."""

    passes: int
    cpu_s: float
    wall_s: float

    def __str__(self) -> str:
        return f"{self.passes} passes, {self.cpu_s:.2f} s cpu, {self.wall_s:.1f} s"


def cost_of(argv: tuple[str, ...]) -> Cost:
    """Run a command and measure it, however it ends: what it finds is not the bench's business."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    subprocess.run(argv, check=False, capture_output=True)
    wall_s = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall_s * 1000, cpu_s * 1000)


def ready_and_pss(agent: Agent, root: str) -> tuple[float, int]:
    """Start the watcher: milliseconds to READY=1, and KiB that are its own when it is quiet."""
    began = time.monotonic()
    with _watching(agent, root) as (watcher, manager):
        _hear(manager, "READY=1")
        ready_ms = (time.monotonic() - began) * 1000
        _hear(manager, "STATUS=unconfigured")
        return ready_ms, _pss_kib(watcher.pid)


def provision(agent: Agent, root: str, give_settings: Callable[[], None]) -> Provisioning:
    """Have the watcher provision a machine that has got no settings yet."""
    with _watching(agent, root) as (watcher, manager):
        _hear(manager, "STATUS=unconfigured")
        before_s, began = _cpu_s(watcher.pid), time.monotonic()
        transactions = {_transaction(root)}
        give_settings()
        watcher.send_signal(signal.SIGHUP)  # an agent that does not watch files is told
        while not _heard(manager, "STATUS=provisioned"):
            transactions.add(_transaction(root))
        transactions.add(_transaction(root))
        wall_s = time.monotonic() - began
        return Provisioning(len(transactions) - 1, _cpu_s(watcher.pid) - before_s, wall_s)


@contextmanager
def _watching(agent: Agent, root: str) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    address = os.path.join(root, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        watcher = subprocess.Popen(agent.command(root, "run"), env={**os.environ, "NOTIFY_SOCKET": address})
        try:
            yield watcher, manager
        finally:
            watcher.send_signal(signal.SIGTERM)
            watcher.wait(_DEADLINE_S)
            os.unlink(address)


def _hear(manager: socket.socket, wanted: str) -> None:
    deadline_s = time.monotonic() + _DEADLINE_S
    while not _heard(manager, wanted):
        if time.monotonic() > deadline_s:
            raise TimeoutError(wanted)


def _heard(manager: socket.socket, wanted: str) -> bool:
    """Say whether the wanted word has come, waiting for a glance."""
    manager.settimeout(_GLANCE_S)
    with suppress(TimeoutError):
        return wanted in manager.recv(65536).decode()
    return False


def _transaction(root: str) -> str:
    with open(os.path.join(root, "run/edge-provisioner/status.json"), encoding="utf-8") as source:
        return str(json.load(source)["transaction"])


def _cpu_s(pid: int) -> float:
    """Give the processor time of a process and of the children that it has waited for, proc(5)."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as source:
        fields = source.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def _pss_kib(pid: int) -> int:
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as source:
        return next(int(line.split()[1]) for line in source if line.startswith("Pss:"))
