"""The package, built once, and machines: one a suite, each test with an overlay of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.package.debian_tree import PROJECT, Machine, build, over, run

SUITES = os.environ.get("EDGE_PROVISIONER_SUITES", "bookworm trixie").split()


@pytest.fixture(scope="session", name="package")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the .deb of this tree."""
    return build(tmp_path_factory.mktemp("deb"))


@pytest.fixture(scope="session", name="tree")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the files of the package."""
    folder = tmp_path_factory.mktemp("tree")
    run("dpkg-deb", "-x", package, folder)
    return folder


@pytest.fixture(scope="session", params=SUITES, name="base")
def debian(request: pytest.FixtureRequest) -> Path:
    """Give a suite's tree, which has what the package depends on. Nobody may write to it."""
    base: Path = PROJECT / "build" / f"chroot-{request.param}"
    if os.geteuid() != 0:
        pytest.skip("only root can mount and chroot")
    if not base.is_dir():
        pytest.skip(f"there is no {base.relative_to(PROJECT)}: see what tests/package/debian.sh said")
    return base


@pytest.fixture(scope="session", name="with_package")
def installed_once(base: Path, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give what the installation of the package changed in a tree."""
    folder = tmp_path_factory.mktemp("installed")
    with over(folder, base) as machine:
        machine.install(package)
    return folder / "upper"


@pytest.fixture(name="machine")
def without_package(base: Path, tmp_path: Path) -> Iterator[Machine]:
    """Give a machine on which the package never was."""
    with over(tmp_path, base) as machine:
        yield machine


@pytest.fixture
def installed(base: Path, with_package: Path, tmp_path: Path) -> Iterator[Machine]:
    """Give a machine on which dpkg has installed the package."""
    with over(tmp_path, with_package, base) as machine:
        yield machine
