"""The watcher and udev, on umockdev's mock machine: hot-plug in any order, and a storm of events."""

import os
import select
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.contract import uevent
from tests.contract.watcher_stage import DEADLINE_S, Stage, stage
from tests.standins.hotplug import MockDevices

_STORM = 10_000


class Machine:
    """The mock machine, and the watcher on it."""

    def __init__(self, scene: Stage, devices: MockDevices) -> None:
        self.scene = scene
        self._devices = devices
        self.place = devices.place
        os.symlink(f"{self.place}/sys/class/tpmrm", f"{scene.root}/pass/devices")

    def do(self, action: str, name: str) -> None:
        """Let a device come, change or go; the event has been sent when this returns."""
        self._devices.do(action, name)

    def watch(self) -> subprocess.Popen[bytes]:
        """Start a watcher that sees the mock machine; its passes don't need to."""
        return self.scene.watch(environment=self._devices.environment)

    def storm(self, count: int) -> None:
        """Send many events as fast as they are taken; of the short queue at most one place stays taken."""
        (listener,) = (name for name in os.listdir(self.place) if name.startswith("event"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_RAW) as sender:
            sender.settimeout(DEADLINE_S)
            sender.setsockopt(
                socket.SOL_SOCKET, socket.SO_SNDBUF, 1
            )  # the least there is: writable when empty
            sender.connect(f"{self.place}/{listener}")
            for number in range(count):
                sender.send(uevent.message("change", "tpmrm", "tpmrm0", number + 1))
            assert select.select([], [sender], [], DEADLINE_S)[1]


@pytest.fixture(name="machine")
def _machine() -> Iterator[Machine]:
    with stage() as scene, MockDevices() as devices:
        yield Machine(scene, devices)


@pytest.mark.parametrize("names", [("tpm0", "tpmrm0"), ("tpmrm0", "tpm0")], ids=" then ".join)
def test_a_tpm_that_comes_and_goes_is_looked_at(machine: Machine, names: tuple[str, str]) -> None:
    machine.watch()
    machine.scene.manager.expect("sees nothing")
    for name in names:
        machine.do("add", name)
    machine.scene.passes.expect("begin udev")
    machine.scene.manager.expect("sees tpmrm0")
    for name in reversed(names):
        machine.do("remove", name)
    machine.scene.passes.expect("begin udev")
    machine.scene.manager.expect("sees nothing")


def test_the_same_tpm_at_another_number_is_looked_at(machine: Machine) -> None:
    machine.do("add", "tpmrm0")
    machine.watch()
    machine.scene.manager.expect("sees tpmrm0")
    machine.do("remove", "tpmrm0")
    machine.do("add", "tpmrm1")
    machine.scene.manager.expect("sees tpmrm1")


def test_a_change_is_looked_at_and_other_devices_are_not(machine: Machine) -> None:
    machine.do("add", "tpmrm0")
    watcher = machine.watch()
    machine.scene.manager.expect("sees tpmrm0")
    for action in ("add", "change", "remove"):
        machine.do(action, "block0")
    machine.scene.shut_gate()
    machine.do("change", "tpmrm0")
    machine.scene.passes.expect("begin udev")
    machine.scene.open_gate()
    machine.scene.passes.expect("end")
    machine.scene.stop(watcher)

    assert machine.scene.reasons() == ["start", "udev"]


def test_a_device_that_comes_while_the_first_pass_runs_is_not_lost(machine: Machine) -> None:
    machine.scene.shut_gate()
    machine.watch()
    machine.scene.passes.expect("begin start")
    machine.do("add", "tpmrm0")
    machine.scene.open_gate()
    machine.scene.passes.expect("begin udev")
    machine.scene.manager.expect("sees tpmrm0")


def test_a_storm_during_a_pass_ends_in_the_right_state_with_few_passes(machine: Machine) -> None:
    machine.do("add", "tpmrm0")
    machine.scene.shut_gate()
    watcher = machine.watch()
    machine.scene.passes.expect("begin start")
    machine.storm(_STORM)
    machine.scene.open_gate()
    machine.scene.manager.expect("sees tpmrm0")
    machine.do("remove", "tpmrm0")
    machine.scene.manager.expect("sees nothing")
    machine.scene.stop(watcher)

    reasons = machine.scene.reasons()
    assert set(reasons[1:]) == {"udev"}
    assert len(reasons) <= 5


def test_a_storm_while_idle_ends_in_the_right_state_with_few_passes(machine: Machine) -> None:
    machine.do("add", "tpmrm0")
    watcher = machine.watch()
    machine.scene.manager.expect("sees tpmrm0")
    machine.storm(_STORM)
    machine.do("remove", "tpmrm0")
    machine.scene.manager.expect("sees nothing")
    machine.scene.stop(watcher)

    assert len(machine.scene.reasons()) <= _STORM / 100
