"""Figures, never assertions: time, memory and TPM commands, next to the published script's in the same run.

Ratios of one run are what counts; the milliseconds are this machine's, at this moment.
"""

import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from tests.standins.machine import build_machine
from tests.standins.software_tpm import SoftwareTpm

_PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_COMMAND = os.path.join(_PROJECT, ".venv", "bin", "edge-provisioner")
_REPEATS = 15
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


@dataclass(frozen=True)
class Cost:
    """The median wall time and processor time of a command, in milliseconds."""

    wall_ms: float
    cpu_ms: float


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="ep-bench-") as folder:
        bare = _cost(["/usr/bin/python3", "-c", "pass"])
        print(f"python3 -c pass              {bare.wall_ms:7.1f} ms wall {bare.cpu_ms:7.1f} ms cpu")
        _tpm_commands(folder)
        _quiet_pass(folder, bare)
        _resident(folder, bare)
    return 0


def _tpm_commands(folder: str) -> None:
    """Count what goes over the wire, each side on a TPM of its own with the same seed."""
    with (
        SoftwareTpm(os.path.join(folder, "ours")) as ours,
        SoftwareTpm(os.path.join(folder, "theirs")) as theirs,
    ):
        root = os.path.join(folder, "empty")
        os.makedirs(root)
        ensure = [_COMMAND, "--root", root, "tpm", "ensure", "--tpm", ours.tcti]
        script = ["/bin/sh", "-c", _SCRIPT, "script", folder]
        environment = {**os.environ, "TPM2TOOLS_TCTI": theirs.tcti}
        for name in ("cold", "warm"):
            ours_ms, theirs_ms = _wall_ms(ensure), _wall_ms(script, environment)
            mine, others = ours.commands(), theirs.commands()
            print(f"TPM commands, {name}: ours {len(mine)} in {ours_ms:.0f} ms {_counted(mine)}")
            print(f"{'':14}{name}: script {len(others)} in {theirs_ms:.0f} ms {_counted(others)}")
        warm_ours, warm_theirs = _cost(ensure), _cost(script, environment)
        _compare("tpm ensure, warm", warm_ours, warm_theirs, "the script, warm")


def _counted(names: list[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in Counter(names).items())


def _quiet_pass(folder: str, bare: Cost) -> None:
    """Measure a timer's pass on a provisioned device: the one that runs for years."""
    with _provisioned(folder) as root:
        quiet = _cost([_COMMAND, "--root", root, "once", "--because", "timer"])
        waking = _cost([_COMMAND, "--root", root, "once"])
        _compare("quiet pass (timer)", quiet, bare, "python3 -c pass")
        _compare("pass that asks the TPM", waking, bare, "python3 -c pass")
        share = 100 * quiet.cpu_ms / 1000 / 300
        print(f"quiet passes at the default interval of 300 s: {share:.3f} % of a core")


def _provisioned(folder: str) -> "_Stage":
    return _Stage(folder)


class _Stage:
    """A scratch machine that has been provisioned; gives its root."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._held = ExitStack()

    def __enter__(self) -> str:
        root = os.path.join(self._folder, "machine")
        machine = build_machine(root)
        settings = os.path.join(root, "etc/edge-provisioner/agent.toml")
        os.makedirs(os.path.dirname(settings))
        with open(settings, "w", encoding="utf-8") as target:
            target.write('[dps]\nid_scope = "0ne00112233"\n[tpm]\nsettle_s = 0.1\n[runtime]\nprove_s = 0.1\n')
        self._held.enter_context(machine)
        tpm = self._held.enter_context(SoftwareTpm(os.path.join(self._folder, "machine-tpm")))
        tpm.bridge(os.path.join(root, "dev/tpmrm0")).plug()
        subprocess.run([_COMMAND, "--root", root, "once", "--wait", "30"], check=True, capture_output=True)
        return root

    def __exit__(self, *_: object) -> None:
        self._held.close()


def _resident(folder: str, bare: Cost) -> None:
    """Measure the watcher: from exec to READY=1, and what stays in memory when it is quiet."""
    root = os.path.join(folder, "watched")
    os.makedirs(root)
    times = []
    for _ in range(_REPEATS):
        ready_ms, pss = _start_watcher(root)
        times.append(ready_ms)
    ready = statistics.median(times)
    print(f"start to READY=1             {ready:7.1f} ms = {ready / bare.wall_ms:.1f} x python3 -c pass")
    print(f"resident memory (PSS)        {pss / 1024:7.1f} MiB")


def _start_watcher(root: str) -> tuple[float, int]:
    address = os.path.join(root, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(30)
        began = time.monotonic()
        watcher = subprocess.Popen(
            [_COMMAND, "--root", root, "run"], env={**os.environ, "NOTIFY_SOCKET": address}
        )
        try:
            _hear(manager, lambda text: "READY=1" in text)
            ready_ms = (time.monotonic() - began) * 1000
            _hear(manager, lambda text: "STATUS=unconfigured" in text)
            pss = _pss_kib(watcher.pid)
        finally:
            watcher.send_signal(signal.SIGTERM)
            watcher.wait(30)
    os.unlink(address)
    return ready_ms, pss


def _hear(manager: socket.socket, wanted: Callable[[str], bool]) -> None:
    while not wanted(manager.recv(65536).decode()):
        pass


def _pss_kib(pid: int) -> int:
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as source:
        return next(int(line.split()[1]) for line in source if line.startswith("Pss:"))


def _wall_ms(argv: list[str], environment: dict[str, str] | None = None) -> float:
    began = time.monotonic()
    subprocess.run(argv, check=True, capture_output=True, env=environment)
    return (time.monotonic() - began) * 1000


def _cost(argv: list[str], environment: dict[str, str] | None = None) -> Cost:
    walls, processor = [], []
    for _ in range(_REPEATS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        walls.append(_wall_ms(argv, environment))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000)
    return Cost(statistics.median(walls), statistics.median(processor))


def _compare(name: str, cost: Cost, other: Cost, other_name: str) -> None:
    ratios = f"{cost.wall_ms / other.wall_ms:.1f} x wall, {cost.cpu_ms / other.cpu_ms:.1f} x cpu"
    print(f"{name:28} {cost.wall_ms:7.1f} ms wall {cost.cpu_ms:7.1f} ms cpu = {ratios} of {other_name}")


if __name__ == "__main__":
    sys.exit(main())
