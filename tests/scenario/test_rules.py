"""The udev rule through whole passes: whatever lies in its place, and a file system that can't be written."""

import os
import subprocess

import pytest

from tests.scenario.stage import RULE, Stage, run_command, tree

IN_RUN = "/run/udev/rules.d/tpmaccess.rules"
OLD = 'KERNEL=="tpm0", OWNER="aziottpm"  # somebody\'s\n'
# A mount namespace of its own, in which a folder is read-only; then the command.
_READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'


def read_only(folder: str, argv: tuple[str, ...]) -> tuple[str, ...]:
    return ("unshare", "--mount", "sh", "-c", _READ_ONLY, "sh", folder, *argv)


@pytest.fixture(name="can_mount")
def mounting_must_be_allowed(base: str) -> None:
    asked = subprocess.run(read_only(base, ("true",)), capture_output=True, text=True, check=False)
    if asked.returncode:
        pytest.skip(f"NOT TESTED HERE, a read-only file system: {asked.stderr.strip()}")


def test_a_link_or_a_mask_is_held_and_left_alone(stage: Stage) -> None:
    for target, code in (("/etc/other.rules", "udev.rule-link"), ("/dev/null", "udev.rule-masked")):
        os.symlink(target, stage.path(RULE))
        before = tree(stage.path("/etc/udev"))

        looked = stage.once()

        assert (looked["phase"], looked["code"]) == ("held", code)
        assert tree(stage.path("/etc/udev")) == before
        os.unlink(stage.path(RULE))
    stage.write(RULE, "")
    assert stage.once()["code"] == "udev.rule-masked"
    assert stage.read(RULE) == ""
    os.unlink(stage.path(RULE))
    assert stage.provision()["code"] == "runtime.provisioned"


def test_a_different_rule_is_kept_once_and_replaced(stage: Stage) -> None:
    stage.write(RULE, OLD)

    with stage.journal() as journal:
        stage.provision()
        assert OLD.strip().encode() in journal.expect("udev.rule-replaced")

    ours = stage.read(RULE)
    assert 'KERNEL=="tpmrm[0-9]*", OWNER="aziottpm"' in ours
    saved = [name for name in os.listdir(stage.path("/etc/udev/rules.d")) if "edge-provisioner" in name]
    assert [stage.read(f"/etc/udev/rules.d/{name}") for name in saved] == [OLD]
    stage.write(RULE, "# changed again\n")
    stage.provision()
    assert stage.read(RULE) == ours
    assert [stage.read(f"/etc/udev/rules.d/{name}") for name in saved] == [OLD]


def test_where_only_run_can_be_written_the_rule_goes_there(stage: Stage, can_mount: None) -> None:
    ended = run_command(read_only(stage.path("/etc/udev"), stage.argv("once", "--wait", "30")))

    assert (ended.status, stage.status()["code"]) == (0, "runtime.provisioned")
    assert not os.path.exists(stage.path(RULE))
    assert 'OWNER="aziottpm"' in stage.read(IN_RUN)
    told = [notice["code"] for notice in stage.status()["notices"]]
    assert [code for code in told if not code.startswith("modules.")] == ["udev.rule-in-run"]


def test_a_config_toml_that_cannot_be_written_is_said(stage: Stage, can_mount: None) -> None:
    ended = run_command(read_only(stage.path("/etc/aziot"), stage.argv("once")))

    assert (ended.status, stage.status()["code"]) == (4, "config.unwritable")
    assert not os.path.exists(stage.path("/etc/aziot/config.toml"))
    assert stage.provision()["code"] == "runtime.provisioned"


def test_state_that_cannot_be_written_stops_a_pass_before_it_begins(stage: Stage, can_mount: None) -> None:
    os.makedirs(stage.path("/var/lib/edge-provisioner"))

    ended = run_command(read_only(stage.path("/var/lib/edge-provisioner"), stage.argv("once")))

    assert ended.status == 4
    assert "agent.state-unwritable" in ended.out + ended.err + stage.status()["code"]
    assert "EvictControl" not in stage.tpm.commands()


# Access that somebody gave to a group

GROUP_RULE = 'KERNEL=="tpmrm[0-9]*", GROUP="tss", MODE="0660"\n'


def put_user_into_group(stage: Stage, group: str) -> None:
    stage.edit("/etc/group", f"{group}:x:111:", f"{group}:x:111:aziottpm")


def test_a_device_whose_user_has_the_tpm_by_its_group_gets_no_rule(base: str) -> None:
    with Stage(base) as stage:
        put_user_into_group(stage, "tss")
        stage.write("/etc/udev/rules.d/70-tss.rules", GROUP_RULE)
        stage.machine.run("udevadm", "control", "--reload")
        stage.plug()
        before = os.stat(stage.path("/dev/tpmrm0"))

        assert "udev" not in stage.run("plan").out
        assert stage.provision()["code"] == "runtime.provisioned"
        assert not os.path.lexists(stage.path(RULE))
        after = os.stat(stage.path("/dev/tpmrm0"))
        assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
        stage.edit("/etc/group", "tss:x:111:aziottpm", "tss:x:111:")
        stage.provision()
        assert 'OWNER="aziottpm"' in stage.read(RULE), "where that access ended, ours comes"
