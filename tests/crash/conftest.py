"""Devices for crash tests, all with the same TPM, so that their ends can be compared."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest

from tests.crash.device import Device
from tests.standins.software_tpm import SoftwareTpm

NewDevice = Callable[[str], Device]


@pytest.fixture(scope="session")
def blank_tpm(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the state of a TPM as it left the factory."""
    place = str(tmp_path_factory.mktemp("blank") / "tpm")
    SoftwareTpm(place).start().stop()
    return place


@pytest.fixture(scope="session")
def new_device(blank_tpm: str) -> Iterator[NewDevice]:
    """Give devices below folders; all are switched off at the end."""
    made: list[Device] = []

    def new(place: str) -> Device:
        state = os.path.join(place, "tpm")
        shutil.copytree(blank_tpm, state)
        made.append(Device(place, SoftwareTpm(state).start()))
        made[-1].switch_on()
        return made[-1]

    yield new
    for one in made:
        one.switch_off()


@pytest.fixture
def device(new_device: NewDevice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """Give a device that is switched on: an empty TPM, the runtime installed, settings in place."""
    made = new_device(str(tmp_path_factory.mktemp("device")))
    yield made
    made.switch_off()
