"""Devices for crash tests, all with the same TPM, so that their ends can be compared."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.crash.device import CHANGED, Device
from tests.standins.software_tpm import SoftwareTpm

State = dict[str, Any]
NewDevice = Callable[[], AbstractContextManager[Device]]


@pytest.fixture(scope="session")
def blank_tpm(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the state of a TPM as it left the factory."""
    place = str(tmp_path_factory.mktemp("blank") / "tpm")
    SoftwareTpm(place).start().stop()
    return place


@pytest.fixture(scope="session")
def new_device(blank_tpm: str, tmp_path_factory: pytest.TempPathFactory) -> NewDevice:
    """Give the way to a device: switched on, with an empty TPM, the runtime installed, settings in place."""

    @contextmanager
    def new() -> Iterator[Device]:
        place = str(tmp_path_factory.mktemp("device"))
        state = shutil.copytree(blank_tpm, os.path.join(place, "tpm"))
        made = Device(place, SoftwareTpm(state).start())
        try:
            made.switch_on()
            yield made
        finally:
            made.switch_off()

    return new


@dataclass(frozen=True)
class Ends:
    """How both stories end when nobody is killed, and through which points they go."""

    first: State
    change: State
    points_of_first: list[str]
    points_of_change: list[str]


@pytest.fixture(scope="session")
def ends(new_device: NewDevice) -> Ends:
    """Tell both stories without a kill: a first provisioning, then a change of settings."""
    with new_device() as device:
        device.converge()
        first, points_of_first = device.state(), device.points()
        assert device.commands() == ["config apply"]
        device.settings(CHANGED)
        device.converge()
        assert device.commands() == ["config apply"] * 2
        return Ends(first, device.state(), points_of_first, device.points())


@pytest.fixture
def device(new_device: NewDevice) -> Iterator[Device]:
    """Give a device for one test."""
    with new_device() as made:
        yield made
