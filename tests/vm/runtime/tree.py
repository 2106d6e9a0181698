"""Writes what the stand-in runtime's packages carry below a folder, one tree a package:  tree.py FOLDER"""

import os
import sys
from pathlib import Path

from tests.standins import layout, spawn, unit_files
from tests.standins.template import TEMPLATE

_CODE = "/usr/lib/standin-runtime"
_MULTICALL = "aziotd"
_IDENTITY = tuple(name for name in layout.RUNTIME if layout.SERVICES[name].daemon != "edged")
_PACKAGES = {
    "moby-engine": ("docker.service",),
    "aziot-identity-service": _IDENTITY,
    "aziot-edge": ("aziot-edged.service",),
}
_FAULTS = '{"time_scale": 0.2, "real_tpm": true}\n'


def _write(tree: Path, absolute: str, text: str, mode: int = 0o644) -> None:
    place = tree / absolute.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")
    place.chmod(mode)


def _units(tree: Path, services: tuple[str, ...]) -> None:
    for service in services:
        for name, text in unit_files.texts(service).items():
            _write(tree, f"/lib/systemd/system/{name}", text)


def _programs(tree: Path, services: tuple[str, ...]) -> None:
    """One program where there is one daemon, else one for all and links to it, as in the real package."""
    programs = [layout.SERVICES[name].program for name in services]
    if len(programs) == 1:
        _write(tree, programs[0], spawn.daemon_text(_CODE), 0o755)
        return
    _write(tree, f"{os.path.dirname(programs[0])}/{_MULTICALL}", spawn.daemon_text(_CODE), 0o755)
    for program in programs:
        (tree / program.lstrip("/")).symlink_to(_MULTICALL)


def main(folder: str) -> None:
    """Write all trees."""
    for package, services in _PACKAGES.items():
        _units(Path(folder, package), services)
        _programs(Path(folder, package), services)
    edge = Path(folder, "aziot-edge")
    _write(edge, "/usr/bin/iotedge", spawn.command_text("iotedge", _CODE), 0o755)
    _write(edge, "/etc/aziot/config.toml.edge.template", TEMPLATE, 0o600)
    _write(Path(folder, "standin-runtime"), layout.FAULTS, _FAULTS)


main(sys.argv[1])
