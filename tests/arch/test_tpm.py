"""The TPM's keys as the installed command reads and makes them, judged by the same on this machine."""

import json
import subprocess
import sys

from agent.host import process
from tests.arch.tree import COMMAND, SLOW_S, ask
from tests.contract.tpm_asking import COLD, FLUSH, MAKE, READ, WARM
from tests.package.debian_tree import Machine
from tests.standins.software_tpm import SoftwareTpm

IMPORT_ALL = """
import importlib, pkgutil, sys
sys.path.insert(1, "/usr/lib/edge-provisioner")
import agent
import cryptography.x509, pyudev, sdnotify, structlog, tomlkit, tpm2_pytss
pyudev.Context()
for found in pkgutil.walk_packages(agent.__path__, "agent."):
    if found.name != "agent.__main__":
        importlib.import_module(found.name)
"""


def here(*words: str) -> str:
    """Give what the command of this checkout prints, run by this machine's own Python."""
    argv = (*process.module_argv("agent.cli"), *words)
    assert argv[0] == sys.executable
    return subprocess.run(argv, capture_output=True, text=True, check=True, cwd="/").stdout


def test_what_apt_brought_can_be_imported_without_a_warning(machine: Machine) -> None:
    assert machine.run("python3", "-W", "error", "-c", IMPORT_ALL, deadline_s=SLOW_S) == ""


def test_an_empty_tpm_is_told_what_it_will_be_and_left_empty(machine: Machine, tpm: SoftwareTpm) -> None:
    told = ask(machine, COMMAND, "identity", "--json", "--tpm", tpm.tcti)

    assert told.status == 0, told.err
    assert tpm.commands() == [READ, READ, MAKE, FLUSH]
    assert json.loads(told.out) == json.loads(here("identity", "--json", "--tpm", tpm.tcti))
    assert json.loads(told.out)["persistent"] is False


def test_the_keys_are_made_with_as_many_commands_and_are_the_same_to_others(
    machine: Machine, tpm: SoftwareTpm
) -> None:
    made = ask(machine, COMMAND, "tpm", "ensure", "--tpm", tpm.tcti)
    assert (made.status, tpm.commands()) == (0, COLD), made.err
    again = ask(machine, COMMAND, "tpm", "ensure", "--json", "--tpm", tpm.tcti)
    assert (again.status, tpm.commands()) == (0, WARM), again.err

    assert json.loads(again.out) == json.loads(here("tpm", "ensure", "--json", "--tpm", tpm.tcti))
    told = ask(machine, COMMAND, "identity", "--json", "--tpm", tpm.tcti)
    assert json.loads(told.out) == json.loads(here("identity", "--json", "--tpm", tpm.tcti))
    assert json.loads(told.out)["persistent"] is True
