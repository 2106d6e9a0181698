"""Whole passes of the installed command beside the stand-in runtime, and what is wider than 32 bits."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.arch.tree import Device

CONFIG = "/etc/aziot/config.toml"
GENERATED = "/etc/aziot/identityd/config.d/00-super.toml"
RULE = "/etc/udev/rules.d/tpmaccess.rules"
SETTINGS = "/etc/edge-provisioner/agent.toml"
PACKAGES_LOCK = "/var/lib/dpkg/lock-frontend"
READING = {"ReadPublic", "0x17b"}  # 0x17b: the GetRandom that tpm2-tss sends when it opens a TPM
FIVE_GIB = 5 * 1024**3
YEAR_2100_S = 4_102_444_800  # no 32-bit time_t holds it


def test_a_plan_names_the_steps_and_changes_nothing(new: Device) -> None:
    before = new.everything()

    planned = new.run("plan", "--json")

    assert planned.status == 0, planned.err
    steps = [step["name"] for step in json.loads(planned.out)["steps"]]
    assert steps == ["ensure-keys", "install-rule", "write-config", "apply-config"]
    assert set(new.tpm.commands()) <= READING
    assert new.everything() == before


def test_one_command_provisions_and_a_second_does_nothing(provisioned: Device) -> None:
    first = provisioned.told
    assert first is not None
    assert first.status == 0, first
    assert "provisioned: Provisioned as dev-tpm-1 on hub.test:8443" in first.out
    before = {path: seen for path, seen in provisioned.everything().items() if "/run/" not in path}

    second = provisioned.run("once")

    assert (second.status, "-> " in second.out) == (0, False), second
    assert {path: seen for path, seen in provisioned.everything().items() if path in before} == before


def test_a_lock_beyond_2_gib_that_another_program_holds_is_seen(new: Device) -> None:
    """The other one is of this machine: two kinds of processes, one kernel."""
    place = new.path(PACKAGES_LOCK)
    place.parent.mkdir(parents=True)
    with place.open("wb") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX, 1, FIVE_GIB)
        held = json.loads(new.run("plan", "--json").out)["finding"]

    assert held["code"] == "apply.packages-busy"
    assert f"(process {os.getpid()})" in held["summary"]


def test_a_file_of_more_than_4_gib_is_refused_as_it_is(new: Device) -> None:
    new.path(CONFIG).touch(0o600)
    os.truncate(new.path(CONFIG), FIVE_GIB)

    assert new.finding() == "config.unreadable"


@contextmanager
def in_the_year_2100(*paths: Path) -> Iterator[None]:
    """Have files look as if they were written then, as by a machine whose clock was wrong."""
    before = [(path, path.stat()) for path in paths]
    try:
        for path in paths:
            os.utime(path, (YEAR_2100_S, YEAR_2100_S))
        yield
    finally:
        for path, seen in before:
            os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def test_files_of_a_far_future_are_as_good_as_others(provisioned: Device) -> None:
    paths = [provisioned.path(name) for name in (CONFIG, GENERATED, RULE, SETTINGS)]
    with in_the_year_2100(*paths):
        inodes = [path.stat().st_ino for path in paths]
        assert [path.stat().st_mtime for path in paths] == [YEAR_2100_S] * len(paths)

        again = provisioned.run("once")

        assert again.out.startswith("provisioned: Provisioned as dev-tpm-1"), again
        assert [path.stat().st_ino for path in paths] == inodes
        assert [path.stat().st_mtime for path in paths] == [YEAR_2100_S] * len(paths)


def test_an_edit_of_the_far_future_is_as_new_as_it_says(provisioned: Device) -> None:
    """Nobody rewrites or applies it, though by its time it is newer than what was applied."""
    with in_the_year_2100(provisioned.path(CONFIG)):
        planned = provisioned.run("plan")

    assert planned.status == 0, planned
    assert planned.out.startswith("nothing to do\n"), planned
