"""The tests of the code itself, run by the tree's own Python and pytest."""

import re

import pytest

from tests import sample
from tests.arch.tree import CHECKOUT, SLOW_S
from tests.package.debian_tree import Machine

# What asks the system for something: locks, times, inodes, descriptors, signals, children, sockets.
DOORS = ("files", "locks", "looking", "backups", "root", "process", "journal", "journal_reading", "network")


def passed(machine: Machine, *paths: str) -> int:
    """Run tests in the tree, all of which must pass; gives how many did. No git there tells a commit."""
    variables = ("HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis", f"{sample.SEED}={sample.ALL}")
    where = ("env", "-C", CHECKOUT, *variables)
    options = ("-q", "-p", "no:cacheprovider", "-o", f"timeout={SLOW_S:g}")
    said = machine.run(*where, "python3", "-m", "pytest", *options, *paths, deadline_s=2 * SLOW_S)
    last = said.strip().splitlines()[-1]
    print(last)
    found = re.search(r"(\d+) passed", last)
    assert found
    return int(found[1])


def test_the_unit_tests(machine: Machine) -> None:
    assert passed(machine, "tests/unit") > 1000


@pytest.mark.parametrize("door", DOORS)
def test_the_doors_to_the_machine(door: str, machine: Machine) -> None:
    assert passed(machine, f"tests/contract/test_host_{door}.py")
