"""Machines that cases begin with: each is brought there once, saved, and copied for every case.

booted            Debian with a TPM, and a local archive with the runtime's packages
installed         our package, and nothing else
with-runtime      aziot-edge, installed after us
provisioned       settings, written after all that
soon-provisioned  settings that make it take less time
without-tpm       the first settings, but booted without a TPM
late-tpm          a TPM came after that, and the device is provisioned
"""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.vm import vtpm
from tests.vm.machine import Machine
from tests.vm.parts import Parts
from tests.vm.shell import Shell

NEWER, OLDER = "/root/edge-provisioner.deb", "/root/older.deb"
SETTINGS = "/etc/edge-provisioner/agent.toml"
ID_SCOPE = "0ne00112233"
_STATUS = "/run/edge-provisioner/status.json"
PROVISIONED = f"""grep -q '"phase": "provisioned"' {_STATUS}"""
SOON = "[tpm]\nsettle_s = 1\n[runtime]\nprove_s = 2\n"


def deliver(machine: Shell, parts: Parts) -> None:
    """Bring our packages, and the runtime's in an archive that apt knows."""
    machine.put(parts.packages, target="/srv/packages")
    machine.put(parts.package, target=NEWER)
    machine.put(parts.older, target=OLDER)
    machine.run("apt-get update")


def _boot(machine: Machine, parts: Parts) -> None:
    machine.boot()
    deliver(machine, parts)


def _install(machine: Machine, _parts: Parts) -> None:
    machine.run(f"apt-get install -y --no-install-recommends {NEWER}")


def _install_runtime(machine: Machine, _parts: Parts) -> None:
    machine.run("apt-get install -y moby-engine && apt-get install -y aziot-edge")


def _provision(machine: Machine, _parts: Parts, more: str = "") -> None:
    machine.write(SETTINGS, settings(more=more))
    machine.wait(PROVISIONED)


def _boot_without_tpm(machine: Machine, _parts: Parts) -> None:
    machine.run("systemctl disable --now edge-provisioner.path")
    machine.write(SETTINGS, settings())
    machine.run("systemctl enable edge-provisioner.path")
    machine.power_off()
    machine.take_tpm_out()
    machine.boot()
    machine.wait(says("tpm.absent"))


def _plug_late(machine: Machine, _parts: Parts) -> None:
    vtpm.plug(machine, "a")
    machine.wait(PROVISIONED)


_STAGES: dict[str, tuple[str | None, Callable[[Machine, Parts], None]]] = {
    "booted": (None, _boot),
    "installed": ("booted", _install),
    "with-runtime": ("installed", _install_runtime),
    "provisioned": ("with-runtime", _provision),
    "soon-provisioned": ("with-runtime", partial(_provision, more=SOON)),
    "without-tpm": ("with-runtime", _boot_without_tpm),
    "late-tpm": ("without-tpm", _plug_late),
}


def says(code: str) -> str:
    """Give the condition that our status has a code: what to wait for, not what to believe."""
    return f"""grep -q '^ "code": "{code}"' {_STATUS} || {{ cat {_STATUS}; false; }}"""


def provisioned_again(times: int) -> str:
    """Give the condition that since the boot we have said so often that the device is provisioned."""
    events = "journalctl -q -b -o cat -t edge-provisioner EDGE_PROVISIONER_CODE=runtime.provisioned"
    return f"{PROVISIONED} && [ $({events} | wc -l) -ge {times} ]"


def settings(id_scope: str = ID_SCOPE, more: str = "") -> str:
    """Give a settings file that is enough, and what a case adds to it."""
    return f'[dps]\nid_scope = "{id_scope}"\n{more}'


def bring_to(name: str, machine: Machine, parts: Parts, tell: Callable[[str], None]) -> None:
    """Bring one machine to a stage, through all before it, saying which is next."""
    before, act = _STAGES[name]
    if before:
        bring_to(before, machine, parts, tell)
    tell(f"{name} ...")
    act(machine, parts)


class Stages:
    """The saved machines, below a folder that all workers of a test run share."""

    def __init__(self, folder: Path, parts: Parts) -> None:
        self.folder = folder
        self._parts = parts

    def saved(self, name: str) -> Machine:
        """Give a saved machine, brought to its stage by whoever asks first."""
        with locked(self.folder / f"{name}.lock"):
            machine = self.at(name)
            if machine.is_saved:
                return machine
            return self._bring(name)

    def at(self, name: str) -> Machine:
        """Give what was saved under a name below the folder."""
        return Machine(self.folder / name, self._parts.image)

    def _bring(self, name: str) -> Machine:
        before, act = _STAGES[name]
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)  # what an earlier attempt left
        machine = self.copy(before, folder) if before else Machine.new(folder, self._parts.image)
        try:
            act(machine, self._parts)
            machine.save()
        finally:
            machine.cut()
        return machine

    def copy(self, name: str, folder: Path) -> Machine:
        """Give a running copy of a stage."""
        machine = Machine.copy(folder, self.saved(name))
        machine.resume()
        return machine


@contextmanager
def locked(place: Path) -> Iterator[None]:
    """Keep other workers out."""
    with place.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
