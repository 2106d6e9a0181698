"""Figures, never assertions: time, memory, TPM commands and passes, next to the published script's.

Ratios of one run are what counts: each sample is taken right after one of `python3 -c pass`, so that both
meet the same machine. `BASE=<commit>` measures that commit's agent too, on the same stand-ins, in turn.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Self

from tests.benched import Agent, Cost, Provisioning, cost_of, provision, ready_and_pss
from tests.standins.machine import build_machine
from tests.standins.software_tpm import SoftwareTpm

_PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_REPEATS = 15
_BARE = ("/usr/bin/python3", "-c", "pass")
_UNITS = ("show", "-p", "Id,ActiveState,MainPID,NRestarts", "aziot-edged.service")
# The steps of the published procedure for Linux devices with a TPM, as its script takes them.
_SCRIPT = """\
set -e; cd "$1"
if ! tpm2_readpublic -Q -c 0x81010001 -o ek.pub 2>/dev/null; then
  tpm2_createek -Q -c 0x81010001 -G rsa -u ek.pub; tpm2_createprimary -Q -C o -c srk.ctx
  tpm2_evictcontrol -Q -C o -c srk.ctx 0x81000001; tpm2_flushcontext -t
  tpm2_readpublic -Q -c 0x81010001 -o ek.pub
fi
sha256sum ek.pub | sed 's/ .*//'
"""
_SETTINGS = '[dps]\nid_scope = "0ne00112233"\n[tpm]\nsettle_s = 0.1\n[runtime]\nprove_s = 0.5\n'


@dataclass(slots=True)
class Samples:
    """What was measured of one command, and of `python3 -c pass` right before each."""

    own: list[Cost] = field(default_factory=list)
    bare: list[Cost] = field(default_factory=list)

    def ratio(self, of: Callable[[Cost], float]) -> float:
        """Give how many times `python3 -c pass` the command costs, by the medians."""
        own, bare = (statistics.median(map(of, costs)) for costs in (self.own, self.bare))
        return own / bare


def main() -> int:
    """Measure and print."""
    with ExitStack() as held:
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="ep-bench-"))
        agents = [Agent("now", _PROJECT)]
        if base := os.environ.get("BASE"):
            agents.insert(0, Agent(base, held.enter_context(_checkout(base, folder))))
        bare = cost_of(_BARE)
        print(f"python3 -c pass here: {bare.wall_ms:.1f} ms wall, {bare.cpu_ms:.1f} ms cpu")
        _row("", {agent.name: agent.name for agent in agents})
        _quiet_device(folder, agents)
        _tpm_commands(folder, agents)
        _row(
            "to READY=1, x python3 -c pass; PSS",
            {agent.name: _resident(folder, agent) for agent in agents},
        )
        _row(
            "from settings to provisioned",
            {agent.name: str(_provisioned(folder, agent)) for agent in agents},
        )
    return 0


@contextmanager
def _checkout(commit: str, folder: str) -> Iterator[str]:
    """Give a commit's tree, with this tree's environment."""
    place = os.path.join(folder, "base")
    git = ("git", "-C", _PROJECT)
    subprocess.run((*git, "worktree", "add", "--detach", "--quiet", place, commit), check=True)
    try:
        yield place
    finally:
        subprocess.run((*git, "worktree", "remove", "--force", place), check=True)


def _row(name: str, cells: Mapping[str, str]) -> None:
    print(f"{name:36}" + "".join(f"  {cell:<36}" for cell in cells.values()).rstrip(), flush=True)


def _quiet_device(folder: str, agents: list[Agent]) -> None:
    """Measure looks at a provisioned device: a timer's is the one that runs for years."""
    with ExitStack() as held:
        stages = [held.enter_context(_Stage(folder, f"machine-{agent.name}", agent)) for agent in agents]
        roots = {agent.name: stage.root for agent, stage in zip(agents, stages, strict=True)}
        commands: dict[str, Callable[[Agent, str], tuple[str, ...]]] = {
            "quiet pass (timer)": lambda agent, root: agent.watched_pass(root, "timer"),
            "pass that asks the TPM (udev)": lambda agent, root: agent.watched_pass(root, "udev"),
            "the same by hand: once": lambda agent, root: agent.command(root, "once"),
            "status": lambda agent, root: agent.command(root, "status"),
            "identity": lambda agent, root: agent.command(root, "identity"),
            "tpm ensure, warm": lambda agent, root: agent.command(root, "tpm", "ensure"),
            "(in a pass: systemctl's stand-in)": lambda _, root: (f"{root}/usr/bin/systemctl", *_UNITS),
        }
        for name, command in commands.items():
            _compare(name, {agent.name: command(agent, roots[agent.name]) for agent in agents})


def _compare(name: str, commands: Mapping[str, tuple[str, ...]]) -> None:
    """Measure commands in turn, each next to the bare interpreter."""
    samples = {agent: Samples() for agent in commands}
    for argv in commands.values():
        cost_of(argv)  # byte-compiles what it loads
    for _ in range(_REPEATS):
        for agent, argv in commands.items():
            samples[agent].bare.append(cost_of(_BARE))
            samples[agent].own.append(cost_of(argv))
    _row(name, {agent: _told(taken) for agent, taken in samples.items()})


def _told(taken: Samples) -> str:
    cpu, wall = taken.ratio(lambda cost: cost.cpu_ms), taken.ratio(lambda cost: cost.wall_ms)
    return f"{cpu:5.1f} x cpu  {wall:5.1f} x wall"


def _tpm_commands(folder: str, agents: list[Agent]) -> None:
    """Count what goes over the wire, each side on a TPM of its own with the same seed."""
    root = os.path.join(folder, "empty")
    os.makedirs(root)
    told = {}
    for agent in agents:
        with SoftwareTpm(os.path.join(folder, f"tpm-{agent.name}")) as tpm:
            argv = agent.command(root, "tpm", "ensure", "--tpm", tpm.tcti)
            told[agent.name] = _cold_and_warm(tpm, argv)
    _row("TPM commands of tpm ensure", told)
    with SoftwareTpm(os.path.join(folder, "theirs")) as theirs:
        os.environ["TPM2TOOLS_TCTI"] = theirs.tcti
        script = _cold_and_warm(theirs, ("/bin/sh", "-c", _SCRIPT, "script", folder))
        _row("TPM commands of the script", {agent.name: script for agent in agents})


def _cold_and_warm(tpm: SoftwareTpm, argv: tuple[str, ...]) -> str:
    told = []
    for name in ("cold", "warm"):
        cost = cost_of(argv)
        commands = Counter(tpm.commands())
        told.append(f"{name} {commands.total()} in {cost.wall_ms:.0f} ms")
    return ", ".join(told)


class _Stage:
    """A scratch machine with the stand-in runtime and a TPM, provisioned unless it is to be `empty`."""

    def __init__(self, folder: str, name: str, agent: Agent, *, empty: bool = False) -> None:
        self.root = os.path.join(folder, name)
        self._tpm = SoftwareTpm(os.path.join(folder, f"{name}-tpm"))
        self._agent = agent
        self._empty = empty
        self._held = ExitStack()

    def __enter__(self) -> Self:
        self._held.enter_context(build_machine(self.root))
        self._held.enter_context(self._tpm)
        self._tpm.bridge(os.path.join(self.root, "dev/tpmrm0")).plug()
        os.makedirs(os.path.join(self.root, "etc/edge-provisioner"))
        if not self._empty:
            self.give_settings()
            argv = self._agent.command(self.root, "once", "--wait", "300")
            subprocess.run(argv, check=True, capture_output=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def give_settings(self) -> None:
        """Put the settings there, whole."""
        place = os.path.join(self.root, "etc/edge-provisioner/agent.toml")
        with open(f"{place}.new", "w", encoding="utf-8") as target:
            target.write(_SETTINGS)
        os.rename(f"{place}.new", place)


def _resident(folder: str, agent: Agent) -> str:
    root = os.path.join(folder, f"watched-{agent.name}")
    os.makedirs(root)
    ready, bare, pss = [], [], 0
    for _ in range(_REPEATS):
        bare.append(cost_of(_BARE).wall_ms)
        ready_ms, pss = ready_and_pss(agent, root)
        ready.append(ready_ms)
    return f"{statistics.median(ready) / statistics.median(bare):5.1f} x wall  {pss / 1024:5.1f} MiB"


def _provisioned(folder: str, agent: Agent) -> Provisioning:
    """Let the watcher provision a machine: how often it looked, and what that cost."""
    with _Stage(folder, f"new-{agent.name}", agent, empty=True) as stage:
        return provision(agent, stage.root, stage.give_settings)


if __name__ == "__main__":
    sys.exit(main())
