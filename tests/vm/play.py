"""A provisioned machine to look around in:  play.py start|stop SUITE   (`make vm`, `make vm-stop`)."""

import os
import shutil
import signal
import sys
from pathlib import Path

from tests.package.debian_tree import PROJECT
from tests.vm.machine import Machine
from tests.vm.parts import build_parts
from tests.vm.stages import bring_to

_FOLDER = PROJECT / "build" / "vm"
_PROGRAMS = ("qemu", "swtpm")
_TRY = (
    "systemctl status edge-provisioner",
    "journalctl -x -u edge-provisioner",
    "edge-provisioner status",
    "iotedge system status",
)


def start(suite: str) -> None:
    """Build what is needed, boot, install, provision; the machine goes on running."""
    stop()
    shutil.rmtree(_FOLDER / "parts", ignore_errors=True)
    (_FOLDER / "parts").mkdir(parents=True)
    parts = build_parts(suite, _FOLDER / "parts")
    machine = Machine.new(_FOLDER / "machine", parts.image)
    machine.emulator.stays = True
    try:
        bring_to("provisioned", machine, parts, print)
    except BaseException:
        machine.cut()
        raise
    log_in = f"ssh -F {os.path.relpath(machine.folder)}/ssh_config machine"
    print("The machine runs, provisioned. Try:\n")
    for command in _TRY:
        print(f"  {log_in} {command}")
    print(f"\n  {log_in}\n\n`make vm-stop` ends it.")


def stop() -> None:
    """End the machine, if it runs, and remove it."""
    folder = _FOLDER / "machine"
    for name in _PROGRAMS:
        _end(folder / f"{name}.pid")
    shutil.rmtree(folder, ignore_errors=True)


def _end(pid_file: Path) -> None:
    """End a process of the machine: the number may be somebody else's by now."""
    try:
        pid = int(pid_file.read_text())
        if Path(f"/proc/{pid}/cwd").resolve() == pid_file.parent.resolve():
            os.kill(pid, signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        return


if __name__ == "__main__":
    if sys.argv[1] == "start":
        start(sys.argv[2])
    else:
        stop()
