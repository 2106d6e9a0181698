"""Killed (SIGKILL) before and within every effect of a pass, and started again: it ends in the same place.

What happened after an effect happened before the next one, so two moments of each are all there are; of an
intent's writes to the record, which are all alike, the moment before is enough. The tables are the effects
in their order, and a test holds them complete.
"""

import pytest

from tests import sample
from tests.crash.conftest import Ends
from tests.crash.device import CHANGED, Device

pytestmark = pytest.mark.timeout(120)

_MOMENTS = ("before", "within")
_INTENTS = ("begin ", "end ")
_CONFIG = "/etc/aziot/config.toml"
_PAYLOAD = "/etc/aziot/edge-provisioner-payload.json"
_STATUS = "/run/edge-provisioner/status.json"
_HOLDER = "/run/edge-provisioner/pass.lock.holder"
FIRST_PROVISIONING = (
    f"write {_HOLDER}",
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
    f"write {_HOLDER}",
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


def points(effects: tuple[str, ...]) -> list[str]:
    return [f"{moment} {effect}" for effect in effects for moment in _MOMENTS if is_told(moment, effect)]


def is_told(moment: str, effect: str) -> bool:
    return moment == "before" or not effect.startswith(_INTENTS)


@pytest.mark.parametrize(
    "point", sample.cases("killed first", {point: (point,) for point in points(FIRST_PROVISIONING)})
)
def test_first_provisioning(point: str, device: Device, ends: Ends) -> None:
    device.die(point)
    device.converge()

    assert device.state() == ends.first
    assert device.commands() == ["config apply"]


@pytest.mark.parametrize(
    "point", sample.cases("killed change", {point: (point,) for point in points(CHANGE_OF_SETTINGS)})
)
def test_change_of_settings(point: str, device: Device, ends: Ends) -> None:
    device.converge()
    device.forget_commands()
    device.settings(CHANGED)

    device.die(point)
    device.converge()

    assert device.state() == ends.change
    assert device.commands() == ["config apply"]


def test_the_tables_name_every_effect(ends: Ends) -> None:
    for passed, table in (
        (ends.points_of_first, FIRST_PROVISIONING),
        (ends.points_of_change, CHANGE_OF_SETTINGS),
    ):
        told = [point for point in passed if is_told(*point.split(" ", 1))]
        assert sorted(told) == sorted(points(table))


def test_nothing_is_left_to_do_afterwards(device: Device) -> None:
    device.converge()
    device.points()

    assert device.once() == 0
    assert device.points() == points((f"write {_HOLDER}", f"write {_STATUS}"))
