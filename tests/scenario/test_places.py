"""Systems on which the agent can't do its work: told by the plan, before anything is made."""

import os
import subprocess

import pytest

from tests.scenario.stage import CONFIG, Ended, Stage, run_command, tree

# In a mount namespace of its own something is mounted on a path, by `mount`'s words; then the command.
_MOUNTED = 'eval "mount $1" && shift && exec "$@"'


def mounted(how: str, argv: tuple[str, ...]) -> Ended:
    """Run a command where something else is mounted."""
    return run_command(("unshare", "--mount", "sh", "-c", _MOUNTED, "sh", how, *argv))


@pytest.fixture(name="can_mount")
def mounting_must_be_allowed() -> None:
    asked = subprocess.run(
        ("unshare", "--mount", "mount", "--bind", "/tmp", "/tmp"),  # looked at, not written
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if asked.returncode:
        pytest.skip(f"NOT TESTED HERE, mounts: {asked.stderr.strip()}")


def made_nothing(stage: Stage) -> bool:
    return "EvictControl" not in stage.tpm.commands() and not os.path.exists(
        stage.path("/etc/udev/rules.d/tpmaccess.rules")
    )


@pytest.mark.parametrize("verb", [("plan",), ("once",), ("once", "--adopt")], ids=" ".join)
def test_a_config_toml_that_is_a_mount_point_is_told_before_anything_is_made(
    stage: Stage, can_mount: None, verb: tuple[str, ...]
) -> None:
    stage.write(CONFIG, "# the data partition's\n", 0o600)
    stage.write("/data/config.toml", "# the data partition's\n", 0o600)
    before = tree(stage.path("/etc"))
    bind = f"--bind '{stage.path('/data/config.toml')}' '{stage.path(CONFIG)}'"

    ended = mounted(bind, stage.argv(*verb))

    assert ended.status == 4
    assert "A file system is mounted on /etc/aziot/config.toml itself" in ended.out
    assert "Mount the folder instead" in ended.out
    assert tree(stage.path("/etc")) == before
    assert made_nothing(stage)


def test_the_folder_as_a_mount_is_as_good_as_any(stage: Stage, can_mount: None) -> None:
    os.makedirs(stage.path("/data/aziot"))
    subprocess.run(["cp", "-a", f"{stage.path('/etc/aziot')}/.", stage.path("/data/aziot")], check=True)
    bind = f"--bind '{stage.path('/data/aziot')}' '{stage.path('/etc/aziot')}'"

    ended = mounted(bind, stage.argv("once"))

    assert "-> write auto_reprovisioning_mode" in ended.out
    assert "config.toml" in os.listdir(stage.path("/data/aziot"))


def test_a_file_that_is_right_and_mounted_is_no_matter(provisioned: Stage, can_mount: None) -> None:
    provisioned.write("/data/config.toml", provisioned.read(CONFIG), 0o600)
    bind = f"--bind '{provisioned.path('/data/config.toml')}' '{provisioned.path(CONFIG)}'"

    assert mounted(bind, provisioned.argv("once")).status == 0


def test_a_system_without_systemd_is_held_before_anything_is_made(stage: Stage) -> None:
    os.rmdir(stage.path("/run/systemd/system"))

    looked = stage.once()

    assert (looked["phase"], looked["code"]) == ("held", "runtime.no-systemd")
    assert stage.run("plan").status == 4
    assert made_nothing(stage)
    assert stage.run("identity").status == 0
    assert stage.run("tpm", "ensure").status == 0


def test_the_snap_is_held_before_anything_is_made(base: str) -> None:
    with Stage(base, runtime=False) as stage:
        stage.plug()
        os.makedirs(stage.path("/snap/azure-iot-edge/current"))

        looked = stage.once()

        assert (looked["phase"], looked["code"]) == ("held", "runtime.snap")
        assert made_nothing(stage)


def test_an_engine_that_refuses_the_runtime_is_told_before_the_apply(provisioned: Stage) -> None:
    edged = provisioned.edged()
    provisioned.machine.fault(engine_oldest_api="1.44")
    provisioned.settings({"runtime": {"auto_reprovisioning_mode": "OnErrorOnly"}})

    looked = provisioned.once()

    assert (looked["phase"], looked["code"]) == ("held", "apply.engine-too-new")
    assert "API 1.44 and later" in looked["summary"]
    assert provisioned.edged() == edged
    provisioned.machine.fault(engine_oldest_api=None)
    assert provisioned.provision()["device_id"] == "dev-tpm-1"


def test_keys_that_the_key_service_can_not_read_are_told(stage: Stage) -> None:
    stage.write("/k/edge-ca.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0\n")
    text = '[edge_ca]\ncert = "file:///k/c.pem"\npk = "file:///k/edge-ca.pem"\n'
    stage.write(CONFIG, text, 0o600)
    planned = stage.run("plan").out

    assert "The private key /k/edge-ca.pem (config.toml, line 3: edge_ca.pk) has a pass phrase" in planned
    assert "c2VjcmV0" not in planned
    assert [notice["code"] for notice in stage.provision()["notices"]] == ["config.key-unusable"]


def test_status_says_so_where_no_processes_show(
    provisioned: Stage, can_mount: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = mounted("-t proc -o hidepid=invisible proc /proc", ("true",))
    assert ended.status == 0
    argv = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *provisioned.argv("status"))

    hidden = mounted("-t proc -o hidepid=invisible proc /proc", argv)

    assert "Whether the agent runs does not show to a user who sees no processes of others" in hidden.out
    assert "The agent is not running" not in hidden.out
    assert "The agent is not running" in run_command(argv).out
