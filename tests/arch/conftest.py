"""Debian trees of other processors and of what is to come, each with our package as apt installs it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.arch.tree import SLOW_S, Device, copy_project, device_in
from tests.package.debian_tree import PROJECT, Machine, build, over
from tests.standins.software_tpm import SoftwareTpm

WHERE = os.environ.get("EDGE_PROVISIONER_WHERE", "bookworm:arm64 bookworm:armhf sid").split()


@pytest.fixture(scope="session", name="package")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the .deb of this tree, which is one for all processors."""
    return build(tmp_path_factory.mktemp("deb"))


@pytest.fixture(scope="session", params=WHERE, name="machine")
def installed_by_apt(
    request: pytest.FixtureRequest, package: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """Give a tree into which apt has brought the package and all that it depends on."""
    base = PROJECT / "build" / "arch" / request.param.replace(":", "-")
    if os.geteuid() != 0:
        pytest.skip("only root can mount and chroot")
    assert base.is_dir(), f"there is no {base.relative_to(PROJECT)}: see what tests/package/debian.sh said"
    with over(tmp_path_factory.mktemp("tree"), base) as machine:
        copied = machine.write(f"/root/{package.name}", package.read_bytes())
        machine.write("/etc/resolv.conf", Path("/etc/resolv.conf").read_bytes())
        machine.run("apt-get", "-q", "update", deadline_s=SLOW_S)
        install = ("apt-get", "-q", "-y", "install", "--no-install-recommends", f"/root/{copied.name}")
        machine.run(*install, deadline_s=SLOW_S)
        copy_project(machine)
        yield machine


@pytest.fixture(name="tpm")
def software_tpm() -> Iterator[SoftwareTpm]:
    """Give an empty TPM. It runs here, not emulated, and is reached over the loopback."""
    with SoftwareTpm() as tpm:
        yield tpm


@pytest.fixture(name="new")
def device_to_provision(machine: Machine, tpm: SoftwareTpm) -> Iterator[Device]:
    """Give a device that has a runtime, a TPM and settings, and was never provisioned."""
    with device_in(machine, tpm) as device:
        yield device


@pytest.fixture(scope="module", name="provisioned")
def provisioned_device(machine: Machine) -> Iterator[Device]:
    """Give a device that `once` has provisioned; who changes something on it puts it back."""
    with SoftwareTpm() as tpm, device_in(machine, tpm) as device:
        device.told = device.run("once", "--wait", f"{SLOW_S:g}")
        yield device
