"""What machines are made from: image, our package and an older one, the stand-in runtime's packages."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.package.debian_tree import PROJECT, run
from tests.vm.emulator import Image

OLDER_VERSION = "0.0.9"


@dataclass(frozen=True, slots=True)
class Parts:
    """The image, and a folder of packages."""

    image: Image
    packages: Path
    package: Path
    older: Path


def build_parts(suite: str, folder: Path) -> Parts:
    """Build the packages, unless that is done; the image is there already (see the Makefile)."""
    image = Image(PROJECT / "build" / "vm" / suite)
    parts = Parts(image, folder / "packages", folder / "edge-provisioner.deb", folder / "older.deb")
    if not parts.older.exists():
        Path(run(PROJECT / "packaging" / "build.sh", folder).strip()).rename(parts.package)
        run(PROJECT / "tests" / "vm" / "runtime" / "build.sh", parts.packages)
        _build_older(parts.package, parts.older)
    return parts


def _build_older(package: Path, target: Path) -> None:
    """Make of a package one with a lower version, which says so too."""
    tree = target.with_suffix("")
    run("dpkg-deb", "-R", package, tree)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {OLDER_VERSION}", control.read_text()))
    version = tree / "usr/lib/edge-provisioner/agent/__init__.py"
    version.write_text(re.sub(r'__version__ = ".*"', f'__version__ = "{OLDER_VERSION}"', version.read_text()))
    _write_sums(tree)
    run("dpkg-deb", "--root-owner-group", "-b", tree, target)


def _write_sums(tree: Path) -> None:
    """Write md5sums anew, so that dpkg --verify can be asked on the machine."""
    listed = sorted(
        path.relative_to(tree)
        for path in tree.rglob("*")
        if path.is_file() and not path.is_symlink() and "DEBIAN" not in path.parts
    )
    sums = subprocess.run(["md5sum", *map(str, listed)], cwd=tree, capture_output=True, check=True)
    (tree / "DEBIAN/md5sums").write_bytes(sums.stdout)
