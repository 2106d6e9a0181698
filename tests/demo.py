"""The demonstration: the real agent on a scratch machine, from no TPM to provisioned and through two mishaps.

The TPM is swtpm, udev events come from umockdev, the runtime is the stand-in; this machine is not touched.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from tests.standins.hotplug import MockDevices
from tests.standins.machine import Machine, build_machine
from tests.standins.software_tpm import SoftwareTpm

_PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_COMMAND = os.path.join(_PROJECT, ".venv", "bin", "edge-provisioner")
_LIMIT_S = 30.0
_SETTINGS = """\
[dps]
id_scope = "0ne00112233"

[tpm]
settle_s = 1        # 10 by default: a demonstration is in a hurry

[runtime]
prove_s = 2         # 10 by default
"""


class Demonstration:
    """A scratch machine and the agent on it."""

    def __init__(self, folder: str, held: ExitStack) -> None:
        self.root = os.path.join(folder, "root")
        self.machine: Machine = build_machine(self.root)
        settings = os.path.join(self.root, "etc/edge-provisioner/agent.toml")
        os.makedirs(os.path.dirname(settings))
        with open(settings, "w", encoding="utf-8") as target:
            target.write(_SETTINGS)
        held.enter_context(self.machine)
        self.devices = held.enter_context(MockDevices())
        self.tpm = held.enter_context(SoftwareTpm(os.path.join(folder, "tpm")))
        self.node = self.tpm.bridge(os.path.join(self.root, "dev/tpmrm0"))
        log = open(os.path.join(folder, "journal.txt"), "wb")  # noqa: SIM115  # the stack closes it
        self._log = held.enter_context(log)
        self._watcher: subprocess.Popen[bytes] | None = None
        held.callback(self.end)

    def watch(self) -> None:
        """Start the agent as its service does."""
        argv = [_COMMAND, "--root", self.root, "run"]
        environment = {**os.environ, **self.devices.environment}
        self._watcher = subprocess.Popen(argv, env=environment, stderr=self._log)

    def end(self) -> None:
        """Stop the agent as its service is stopped."""
        if self._watcher:
            self._watcher.send_signal(signal.SIGTERM)
            self._watcher.wait(_LIMIT_S)

    def run(self, *words: str) -> str:
        """Run the command and show it, as a field engineer would type it."""
        print(f"\n$ edge-provisioner {' '.join(words)}", flush=True)
        ended = subprocess.run(
            [_COMMAND, "--root", self.root, *words], check=False, capture_output=True, text=True
        )
        _show(ended.stdout or ended.stderr)
        return ended.stdout

    def status(self) -> dict[str, Any]:
        """Read what the last look left behind."""
        path = os.path.join(self.root, "run/edge-provisioner/status.json")
        try:
            with open(path, encoding="utf-8") as source:
                found: dict[str, Any] = json.load(source)
        except FileNotFoundError:
            return {"code": "", "phase": ""}
        return found

    def until(self, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a status that is as wanted."""
        deadline_s = time.monotonic() + _LIMIT_S
        while not what(status := self.status()):
            if time.monotonic() > deadline_s:
                raise SystemExit(f"the demonstration got stuck at: {status}")
            time.sleep(0.05)
        return status

    def plug(self) -> None:
        """Let the TPM appear: its node, and what udev says of it."""
        self.node.plug()

    def announce(self, action: str) -> None:
        """Send the udev events of the TPM's two nodes."""
        for name in ("tpm0", "tpmrm0"):
            self.devices.do(action, name)


def main() -> int:
    """Show it all, once; the scratch root stays for a look around."""
    folder = tempfile.mkdtemp(prefix="edge-provisioner-demo-")
    with ExitStack() as held:
        _tour(Demonstration(folder, held))
    print(f"\nThat was it; nothing is running any more. The scratch machine is {folder}/root,")
    print(f"what the journal would have got is {folder}/journal.txt.")
    return 0


def _tour(demo: Demonstration) -> None:
    _title("1. A device without a TPM: the service runs, watches, and says so")
    demo.watch()
    demo.until(lambda status: status["code"] == "tpm.absent")
    demo.run("status")
    _title("2. The TPM appears: what would be done?")
    demo.plug()
    demo.run("plan")
    _title("3. udev announces it: the service does it")
    began_s = time.monotonic()
    demo.announce("add")
    demo.until(lambda status: status["phase"] == "provisioned")
    print(f"(provisioned after {time.monotonic() - began_s:.1f} s)")
    demo.run("status")
    demo.run("identity")
    _nothing_again(demo)
    _mishaps(demo)


def _nothing_again(demo: Demonstration) -> None:
    _title("4. Once more: a pass that has nothing to do, does nothing")
    before = _times(demo.root)
    demo.tpm.commands()
    demo.run("once")
    same = "nothing was written" if _times(demo.root) == before else "something was written!"
    print(f"({same} below etc and var/lib; TPM commands: {', '.join(demo.tpm.commands())})")


def _mishaps(demo: Demonstration) -> None:
    _title("5. A daemon of the runtime dies")
    victim = demo.status()["units"]["aziot-identityd"]["pid"]
    os.kill(victim, signal.SIGKILL)
    demo.until(lambda status: status["code"] == "runtime.restarted")
    demo.run("status")
    demo.until(lambda status: status["phase"] == "provisioned")
    print("(and it is provisioned again)")
    _title("6. The TPM is unplugged: the runtime's own status does not show it, ours does")
    demo.node.unplug()
    demo.announce("remove")
    demo.until(lambda status: status["code"] == "runtime.tpm-gone")
    print("\n$ iotedge system status")
    _show(demo.machine.run("iotedge", "system", "status").stdout)
    demo.run("status")


def _times(root: str) -> dict[str, int]:
    return {
        os.path.join(place, name): os.lstat(os.path.join(place, name)).st_mtime_ns
        for folder in ("etc", "var/lib/edge-provisioner", "var/lib/aziot")
        for place, _, names in os.walk(os.path.join(root, folder))
        for name in names
    }


def _title(text: str) -> None:
    print(f"\n=== {text}", flush=True)


def _show(text: str) -> None:
    width = shutil.get_terminal_size((110, 24)).columns
    for line in text.rstrip("\n").splitlines():
        print(f"  {line}"[:width] if sys.stdout.isatty() else f"  {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
