"""What a TPM answers, told by whole passes: each has its own code, and plan, show and once agree."""

import os
import subprocess
import sys

import pytest

from tests.contract.tpm_asking import tools
from tests.scenario.stage import CHECKOUT, Stage, set_owner_password
from tests.standins.tpm_wire import Effect, Fault

UPGRADE = 0x12D
ALWAYS = 1_000_000


def plan_of(stage: Stage) -> str:
    return stage.run("plan").out


# A firmware update that was broken off


def test_a_tpm_in_the_middle_of_an_update_is_sent_one_command_and_no_more(stage: Stage) -> None:
    stage.tpm.faults.append(Fault(Effect.ANSWER, rc=UPGRADE, times=ALWAYS))
    held = stage.once()

    assert (held["phase"], held["code"]) == ("held", "tpm.firmware-update")
    assert "/dev/tpmrm0 waits for the rest of a firmware update" in held["summary"]
    assert stage.tpm.commands() == ["ReadPublic"]
    assert stage.once()["code"] == stage.watched_look()["code"] == "tpm.firmware-update"
    assert "waits for the rest of a firmware update" in plan_of(stage)
    assert stage.tpm.commands() == []


def test_a_person_may_ask_a_tpm_in_the_middle_of_an_update(stage: Stage) -> None:
    stage.tpm.faults.append(Fault(Effect.ANSWER, rc=UPGRADE, times=ALWAYS))
    stage.once()
    stage.tpm.commands()

    assert "tpm.firmware-update: " in stage.run("tpm", "show").out
    assert "tpm.firmware-update: " in stage.run("identity").err
    assert stage.tpm.commands() == ["ReadPublic", "ReadPublic"]


def test_a_new_node_ends_the_wait_for_an_update(stage: Stage) -> None:
    stage.tpm.faults.append(Fault(Effect.ANSWER, rc=UPGRADE, times=ALWAYS))
    stage.once()
    # Another name keeps the old node's inode in use: a file system gives them out again, devtmpfs does not.
    os.link(stage.path("/dev/tpmrm0"), stage.path("/dev/former"), follow_symlinks=False)
    stage.unplug()
    stage.tpm.faults.clear()
    stage.plug()

    assert stage.provision()["code"] == "runtime.provisioned"


# A command that the chip does not have, told by the kernel


@pytest.mark.parametrize(("command", "step"), [("", "reading"), ("CreatePrimary", "making")])
def test_a_command_that_the_chip_does_not_have(stage: Stage, command: str, step: str) -> None:
    stage.tpm.faults.append(Fault(Effect.ANSWER, command, rc=0xB0143, times=ALWAYS))
    held = stage.once()

    assert (held["phase"], held["code"]) == ("held", "tpm.command-unknown")
    assert held["summary"].startswith("/dev/tpmrm0 does not know a command that is needed (" + step)


# The library's module for device nodes


def test_a_library_without_its_module_for_nodes(stage: Stage) -> None:
    """A file of no bytes lies over the module, for this one command and its children only."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    empty = stage.path("/empty")
    stage.write("/empty", b"")
    script = (
        f"for it in /usr/lib/*/libtss2-tcti-device.so.0.0.0; do mount --bind {empty} $it || exit 9; done; "
        'exec "$@"'
    )
    argv = ("unshare", "-m", "sh", "-c", script, "sh", sys.executable, "-m", "agent")
    done = subprocess.run(
        (*argv, "--root", stage.machine.root, "once"),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 4, done
    assert stage.status()["code"] == "tpm.module-missing"
    what_to_run = stage.status()["remedy"].split("`")[1]
    assert what_to_run == 'apt-get install --reinstall "^libtss2-tcti-device0"'
    simulated = subprocess.run(
        ("sh", "-c", what_to_run.replace("apt-get", "apt-get -s", 1)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Inst libtss2-tcti-device0" in simulated.stdout, simulated.stderr
    stage.provision()


# A hierarchy that is off, and a password: a provisioned device's looks agree


def everybody_says(stage: Stage, code: str) -> None:
    """See that plan, tpm show and once say the same, and that nothing is made to learn it."""
    stage.tpm.commands()
    summary = stage.once()["summary"]

    assert stage.status()["code"] == code
    assert f"held: {summary}" in plan_of(stage)
    assert f"{code}: {summary}" in stage.run("tpm", "show").out
    assert not {"CreatePrimary", "EvictControl"} & set(stage.tpm.commands())


@pytest.mark.parametrize("bit", ["ehEnable", "shEnable"])
def test_plan_show_and_once_agree_on_a_hierarchy_that_is_off(provisioned: Stage, bit: str) -> None:
    tools(provisioned.tpm, "tpm2_hierarchycontrol", "-C", "p", bit, "clear")
    everybody_says(provisioned, "tpm.hierarchy-disabled")
    provisioned.tpm.power_cycle()

    assert provisioned.once()["code"] == "runtime.provisioned"


def test_plan_show_and_once_agree_on_a_missing_password(stage: Stage) -> None:
    set_owner_password(stage.tpm, "long-enough")
    everybody_says(stage, "tpm.owner-password")
    set_owner_password(stage.tpm, "", old="long-enough")

    assert stage.provision()["code"] == "runtime.provisioned"
