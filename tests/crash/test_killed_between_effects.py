"""Killed (SIGKILL) before and within every effect of a pass, and started again: it ends in the same place.

What happened after an effect happened before the next one, so two moments of each are all there are. The tables
are the effects in their order; a test holds them complete.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.crash.conftest import NewDevice
from tests.crash.device import CHANGED, Device

pytestmark = pytest.mark.timeout(120)

_MOMENTS = ("before", "within")
_CONFIG = "/etc/aziot/config.toml"
_PAYLOAD = "/etc/aziot/edge-provisioner-payload.json"
_STATUS = "/run/edge-provisioner/status.json"
FIRST_PROVISIONING = (
    "begin ensure-keys",
    "run python esapi ensure",
    "end ensure-keys",
    "begin install-rule",
    "write /etc/udev/rules.d/tpmaccess.rules",
    "run udevadm control --reload",
    "run udevadm trigger --action=change",
    "run udevadm settle --timeout=30",
    "end install-rule",
    "begin write-payload",
    f"write {_PAYLOAD}",
    "end write-payload",
    "begin write-config",
    f"write {_CONFIG}",
    "record ek_public",
    "end write-config",
    "begin apply-config",
    "run iotedge config apply",
    "record applied_digest",
    "end apply-config",
    "record identity",
    f"write {_STATUS}",
)
CHANGE_OF_SETTINGS = (
    "begin write-payload",
    f"write {_PAYLOAD}",
    "end write-payload",
    "begin write-config",
    f"write {_CONFIG}.edge-provisioner-STAMP",
    f"write {_CONFIG}",
    "record ek_public",
    "end write-config",
    "begin apply-config",
    "run iotedge config apply",
    "record applied_digest",
    "end apply-config",
    f"write {_STATUS}",
)
# Apply had begun, and nobody was left to say whether the services are back: then they are restarted once.
_UNSURE = ("run iotedge config apply", "record applied_digest", "end apply-config")


def points(effects: tuple[str, ...]) -> list[str]:
    return [f"{moment} {effect}" for effect in effects for moment in _MOMENTS]


def bounded(commands: list[str], point: str) -> bool:
    """Say whether the runtime was disturbed no more than it had to be: one apply, and if unsure one restart."""
    unsure = point.endswith(_UNSURE) and point != "before run iotedge config apply"
    return commands in (["config apply"], ["config apply", "system restart"][: 1 + unsure])


class _Uninterrupted:
    """How both stories end, and through which points they go, when nobody is killed."""

    def __init__(self, device: Device) -> None:
        device.converge()
        self.first = (device.points(), device.commands(), device.state())
        device.forget_commands()
        device.settings(CHANGED)
        device.converge()
        self.change = (device.points(), device.commands(), device.state())


@pytest.fixture(scope="session")
def uninterrupted(new_device: NewDevice, tmp_path_factory: pytest.TempPathFactory) -> _Uninterrupted:
    return _Uninterrupted(new_device(str(tmp_path_factory.mktemp("uninterrupted"))))


@pytest.mark.parametrize("point", points(FIRST_PROVISIONING))
def test_first_provisioning(point: str, device: Device, uninterrupted: _Uninterrupted) -> None:
    device.die(point)
    device.converge()

    assert device.state() == uninterrupted.first[2]
    assert bounded(device.commands(), point)


@pytest.mark.parametrize("point", points(CHANGE_OF_SETTINGS))
def test_change_of_settings(point: str, device: Device, uninterrupted: _Uninterrupted) -> None:
    device.converge()
    device.forget_commands()
    device.settings(CHANGED)

    device.die(point)
    device.converge()

    assert device.state() == uninterrupted.change[2]
    assert bounded(device.commands(), point)


def test_the_tables_name_every_effect(uninterrupted: _Uninterrupted) -> None:
    assert sorted(uninterrupted.first[0]) == sorted(points(FIRST_PROVISIONING))
    assert sorted(uninterrupted.change[0]) == sorted(points(CHANGE_OF_SETTINGS))


def test_nothing_is_left_to_do_afterwards(device: Device) -> None:
    device.converge()
    device.points()

    assert device.once() == 0
    assert device.points() == points((f"write {_STATUS}",))
