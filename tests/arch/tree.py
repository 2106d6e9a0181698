"""A scratch machine in a Debian tree: the stand-in runtime and the installed command both run there."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import tomlkit

from tests.package.debian_tree import ENVIRONMENT, PROJECT, Machine
from tests.scenario.stage import Ended, tree
from tests.standins.software_tpm import SoftwareTpm

# What takes a second here takes ten and more there, and this machine may have other work.
SLOW_S = 1800.0
CHECKOUT = "/srv/project"
RULE = "/usr/share/edge-provisioner/tpmaccess.rules"  # the command looks for it below its root
COMMAND = "/usr/bin/edge-provisioner"
_OWN = ("var/log/standin", "var/lib/standin")  # where the stand-in notes what it was asked
_RUN = f"""
import sys
sys.path.insert(0, {CHECKOUT!r})
from tests.standins.machine import build_machine
with build_machine(sys.argv[1]):
    print("up", flush=True)
    sys.stdin.read()
"""
_numbers = count(1)


def copy_project(machine: Machine) -> None:
    """Put the stand-in and the tests into a tree, without what was built or installed here."""
    ignored = shutil.ignore_patterns("build", ".*", "__pycache__")
    shutil.copytree(PROJECT, machine.path(CHECKOUT), ignore=ignored)


def ask(machine: Machine, *argv: str) -> Ended:
    """Run a program in a tree and give how it ended, both streams apart."""
    done = subprocess.run(
        machine.argv(*argv), capture_output=True, text=True, env=ENVIRONMENT, timeout=SLOW_S, check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@dataclass
class Device:
    """A device below a directory of a tree; `told` is how its provisioning ended, if it was asked for."""

    machine: Machine
    tpm: SoftwareTpm
    place: str
    told: Ended | None = None

    def path(self, absolute: str) -> Path:
        return self.machine.path(self.place) / absolute.lstrip("/")

    def run(self, *words: str) -> Ended:
        """Run the installed command for this device."""
        ended = ask(self.machine, COMMAND, "--root", self.place, *words)
        assert "Traceback" not in ended.err, ended.err
        return ended

    def finding(self) -> str:
        """Give the code of what `plan` stops at."""
        return str(json.loads(self.run("plan", "--json").out)["finding"]["code"])

    def everything(self) -> dict[str, tuple[object, ...]]:
        """Give all that is there: modes, owners, contents, inodes, times."""
        own = tuple(str(self.path(name)) for name in _OWN)
        return tree(str(self.path("/")), but=own)


@contextmanager
def device_in(machine: Machine, tpm: SoftwareTpm) -> Iterator[Device]:
    """Give a device whose runtime runs until the end of the block; its TPM is found by its TCTI."""
    device = Device(machine, tpm, f"/srv/device-{next(_numbers)}")
    argv = machine.argv("/usr/bin/python3", "-I", "-c", _RUN, device.place)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT) as runtime:
        assert runtime.stdin
        assert runtime.stdout
        assert runtime.stdout.readline() == b"up\n"
        settings = {
            "dps": {"id_scope": "0ne00000001"},
            "tpm": {"device": tpm.tcti, "settle_s": 0.2},
            "runtime": {"prove_s": 0.5},
        }
        machine.write(f"{device.place}/etc/edge-provisioner/agent.toml", tomlkit.dumps(settings))
        machine.write(device.place + RULE, machine.path(RULE).read_bytes())
        yield device
        runtime.stdin.close()
