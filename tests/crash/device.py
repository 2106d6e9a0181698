"""A device for crash tests: a stand-in machine with a software TPM, the agent on it, and how it ends."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.standins.machine import Machine, build_machine
from tests.standins.software_tpm import SoftwareTpm

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOOMED = os.path.join(CHECKOUT, "tests", "crash", "doomed.py")
DEADLINE_S = 40.0
SETTINGS = """[dps]
id_scope = "0ne00000001"
payload = { model = "dtmi:example:line;1" }
[tpm]
settle_s = 0.01
[runtime]
prove_s = 0.01
"""
CHANGED = """[dps]
id_scope = "0ne00000001"
payload = { model = "dtmi:example:line;2" }
[tpm]
settle_s = 0.01
[runtime]
prove_s = 0.01
auto_reprovisioning_mode = "OnErrorOnly"
"""
_COUNTER = """import fcntl
words = sys.argv[1:]
with open(os.path.join(ROOT, "var/lib/standin/commands"), "a", encoding="utf-8") as log:
    log.write(" ".join(words) + "\\n")
    if words == ["config", "apply"]:
        only_one = open(os.path.join(ROOT, "var/lib/standin/apply-lock"), "w", encoding="utf-8")
        try:
            fcntl.flock(only_one, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.write("config apply beside another\\n")

"""
_HANDLES = (0x81000001, 0x81010001)
_FOLDERS = (
    "etc/aziot",
    "etc/udev",
    "etc/edge-provisioner",
    "var/lib/edge-provisioner",
    "run/edge-provisioner",
)


def wait_until(happened: Callable[[], object], otherwise: str) -> None:
    """Wait until something outside has happened."""
    deadline = time.monotonic() + DEADLINE_S
    while not happened():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.01)


def _add(state: dict[str, Any], name: str, content: Any) -> None:
    """Add a file; a second one of the same name but for its stamp stands beside it."""
    state[f"{name} again" if name in state else name] = content


class Device:
    """A machine with the runtime installed, the agent's settings in place, and a TPM plugged in."""

    def __init__(self, place: str, tpm: SoftwareTpm) -> None:
        self.root = os.path.join(place, "machine")
        self.machine: Machine = build_machine(self.root)
        self.machine.fault(time_scale=0.01)
        self.tpm = tpm
        self.apply_pid = 0
        self.said = ""
        self._agents: list[subprocess.Popen[str]] = []
        self.passed = os.path.join(place, "passed")
        os.chmod(self.machine.path("/etc/machine-id"), 0o644)
        self._write("etc/machine-id", "0123456789abcdef0123456789abcdef\n")
        self._count_commands()
        self.settings(SETTINGS)
        self.node = tpm.bridge(self.machine.path("/dev/tpmrm0"))

    def _count_commands(self) -> None:
        """Note each command line of `iotedge`, and two applies at once."""
        with open(self.machine.path("/usr/bin/iotedge"), encoding="utf-8") as source:
            head, tail = source.read().split("sys.exit(", 1)
        self._write("usr/bin/iotedge", f"{head}{_COUNTER}sys.exit({tail}")

    def hang_apply(self, point: str) -> subprocess.Popen[str]:
        """Start a pass and wait until its apply has come to a point where it hangs."""
        self.machine.fault(apply_hang=point)
        agent = self.start("once")
        mark = self.machine.path(f"/var/lib/standin/apply-at-{point}")
        wait_until(lambda: os.path.exists(mark) and os.path.getsize(mark), f"apply did not come to {point}")
        with open(mark, encoding="ascii") as source:
            self.apply_pid = int(source.read())
        return agent

    def let_apply_go(self) -> None:
        """Take the hang away and wait for the apply's end."""
        ended = os.pidfd_open(self.apply_pid)
        self.machine.fault(apply_hang=None)
        assert select.select([ended], [], [], DEADLINE_S)[0], "apply did not end"
        os.close(ended)

    def kill_apply(self) -> None:
        """Kill the apply that hangs and take the hang away."""
        os.killpg(self.apply_pid, signal.SIGKILL)
        self.machine.fault(apply_hang=None)

    def _write(self, path: str, text: str) -> None:
        place = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w", encoding="utf-8") as target:
            target.write(text)

    def switch_on(self) -> None:
        self.machine.start()
        self.node.plug()

    def switch_off(self) -> None:
        """End everything, also what a failed test left."""
        for agent in self._agents:
            if agent.poll() is None:
                agent.kill()
                agent.communicate()
        self.machine.fault(apply_hang=None)
        self.machine.stop()
        self.tpm.stop()

    def reboot(self) -> None:
        """Take the power from the machine and its TPM, and start both again under another boot id."""
        self.machine.stop()
        self._write("proc/sys/kernel/random/boot_id", "00000000-0000-4000-8000-00000000beef\n")
        self.tpm.power_cycle()
        self.machine.start(boot=True)

    def settings(self, text: str) -> None:
        """Write the agent's settings."""
        self._write("etc/edge-provisioner/agent.toml", text)

    def start(self, *words: str, point: str = "") -> subprocess.Popen[str]:
        """Start the agent; with a point it dies there."""
        agent = subprocess.Popen(
            [sys.executable, DOOMED, self.passed, point, self.root, *words],
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": CHECKOUT},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._agents.append(agent)
        return agent

    def once(self, point: str = "") -> int:
        """Run one pass and give its exit status."""
        process = self.start("once", point=point)
        self.said = "".join(process.communicate(timeout=DEADLINE_S))
        return process.returncode

    def die(self, point: str) -> None:
        """Run passes until one dies at this point."""
        status = self._repeat(lambda: self.once(point), lambda status: status in (0, -signal.SIGKILL))
        assert status == -signal.SIGKILL, f"never came to {point!r}; the last pass said: {self.said}"

    def converge(self) -> None:
        """Run passes until the device is provisioned or a person is needed."""
        status = self._repeat(self.once, lambda status: status in (0, 2, 4))
        assert status == 0, self.said

    def _repeat(self, run: Callable[[], int], over: Callable[[int], bool]) -> int:
        deadline = time.monotonic() + DEADLINE_S
        while not over(status := run()):
            assert time.monotonic() < deadline, f"status {status}: {self.said}"
        return status

    def points(self) -> list[str]:
        """Give the points that were passed since the last call, each once, in order."""
        with open(self.passed, encoding="utf-8") as source:
            found = list(dict.fromkeys(source.read().splitlines()))
        os.unlink(self.passed)
        return found

    def commands(self) -> list[str]:
        """Give the command lines with which `iotedge` was run to change something."""
        try:
            with open(self.machine.path("/var/lib/standin/commands"), encoding="utf-8") as source:
                lines = source.read().splitlines()
        except FileNotFoundError:
            return []
        return [line for line in lines if not line.endswith(("status", "version"))]

    def forget_commands(self) -> None:
        os.unlink(self.machine.path("/var/lib/standin/commands"))

    def code(self) -> str:
        """Give the code that the last pass ended with."""
        with open(self.machine.path("/run/edge-provisioner/status.json"), encoding="utf-8") as source:
            return str(json.load(source)["code"])

    def state(self) -> dict[str, Any]:
        """Give everything that must not depend on whether we were killed."""
        state: dict[str, Any] = {f"key {handle:#x}": self.read_public(handle) for handle in _HANDLES}
        if os.geteuid() == 0:  # for others every user is the caller, and no node's mode matters
            node = os.stat(self.machine.path("/dev/tpmrm0"))
            state["node"] = (node.st_uid, oct(node.st_mode))
        for folder in _FOLDERS:
            for place, _, names in os.walk(os.path.join(self.root, folder)):
                for name in names:
                    _add(state, *self._file(os.path.join(place, name)))
        return state

    def _file(self, place: str) -> tuple[str, Any]:
        with open(place, encoding="utf-8") as source:
            text = source.read()
        name = re.sub(r"edge-provisioner-\d+$", "edge-provisioner-STAMP", os.path.relpath(place, self.root))
        found = os.stat(place)
        content: Any = text
        if name.endswith("status.json"):
            wanted = ("phase", "code", "registration_id", "hub", "device_id", "notices")
            content = {key: json.loads(text)[key] for key in wanted}
            content["notices"] = [one for one in content["notices"] if not one["code"].startswith("modules.")]
        return name, (oct(found.st_mode), found.st_uid, found.st_gid, content)

    def read_public(self, handle: int) -> str:
        """Ask the TPM for a key's public area and Names, past the agent."""
        command = (
            b"\x80\x01" + (14).to_bytes(4, "big") + (0x173).to_bytes(4, "big") + handle.to_bytes(4, "big")
        )
        return self.tpm.wire.transact(command).hex()
