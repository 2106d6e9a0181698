"""Whatever root runs or goes by must be root's alone: else nothing is done, until the remedy is."""

import os
import subprocess

import pytest

from tests.scenario.stage import CONFIG, HISTORY, RULE, Stage, set_owner_password

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root is asked for what is root's")
_NOBODY = 65534
_SHIPPED = "/usr/share/edge-provisioner/tpmaccess.rules"
_PASSWORD = "/etc/credstore/tpm-owner-auth"  # noqa: S105  # a place


def _mend(stage: Stage, remedy: str, place: str) -> None:
    """Do what the remedy says, at this machine's place."""
    command = next(part for part in remedy.split("`") if part.startswith("chown"))
    subprocess.run(["sh", "-ec", command.replace(place, stage.path(place))], check=True)


def _held_until_mended(stage: Stage, code: str, said: str) -> None:
    """Look with work to do: it is not done before the remedy of the code is."""
    before, text = stage.edged(), stage.read(CONFIG)
    stage.settings({"dps": {"payload": {"site": "hall 4"}}})

    held = stage.once()

    assert (held["phase"], held["code"]) == ("held", code)
    assert held["summary"].endswith(said)
    assert stage.run("reprovision", "--yes").status == 4
    assert (stage.edged(), stage.read(CONFIG)) == (before, text)
    _mend(stage, held["remedy"], said.split(maxsplit=1)[0])
    assert stage.look_until("runtime.provisioned")
    assert 'payload = { uri = "file:///etc/aziot/' in stage.read(CONFIG)


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("/usr/bin/systemctl", "agent.unguarded"),
        (_SHIPPED, "agent.unguarded"),
        (os.path.dirname(_SHIPPED), "agent.unguarded"),
        (RULE, "agent.unguarded"),
        ("/etc/udev/rules.d", "agent.unguarded"),
        (CONFIG, "config.unguarded"),
        ("/etc/aziot", "config.unguarded"),
        (HISTORY, "agent.unguarded"),
        ("/var/lib/edge-provisioner", "agent.unguarded"),
        ("/run/edge-provisioner", "agent.unguarded"),
    ],
)
def test_nothing_is_done_by_what_another_could_change(provisioned: Stage, place: str, code: str) -> None:
    provisioned.write(_SHIPPED, provisioned.read(RULE))
    os.chown(provisioned.path(place), _NOBODY, _NOBODY)

    _held_until_mended(provisioned, code, f"{place} belongs to user {_NOBODY}")


def test_the_program_that_tells_udev_is_not_run(stage: Stage) -> None:
    os.chmod(stage.path("/usr/bin/udevadm"), 0o757)  # noqa: S103  # that is the case

    held = stage.once()

    assert (held["phase"], held["code"]) == ("held", "agent.unguarded")
    assert held["summary"].endswith("/usr/bin/udevadm can be written by everybody")
    _mend(stage, held["remedy"], "/usr/bin/udevadm")
    assert stage.provision()["code"] == "runtime.provisioned"


def test_the_program_that_reads_the_journal_is_not_run(provisioned: Stage) -> None:
    provisioned.systemctl("stop", "aziot-tpmd.service")
    os.chown(provisioned.path("/usr/bin"), 0, _NOBODY)
    os.chmod(provisioned.path("/usr/bin"), 0o775)  # noqa: S103  # that is the case
    os.unlink(provisioned.path("/usr/bin/systemctl"))

    held = provisioned.once()

    assert (held["phase"], held["code"]) == ("held", "runtime.unguarded")
    os.chmod(provisioned.path("/usr/bin"), 0o755)  # noqa: S103  # as it is
    os.chmod(provisioned.path("/usr/bin/journalctl"), 0o757)  # noqa: S103  # that is the case
    held = provisioned.once()
    assert (held["phase"], held["code"]) == ("held", "agent.unguarded")
    assert held["summary"].endswith("/usr/bin/journalctl can be written by everybody")
    _mend(provisioned, held["remedy"], "/usr/bin/journalctl")
    assert provisioned.once()["code"] == "runtime.unknown"


@pytest.fixture(name="with_password")
def device_whose_tpm_has_a_password(stage: Stage) -> Stage:
    set_owner_password(stage.tpm, "hunter2")
    stage.machine.fault(tpm_auth={"owner": "hunter2"})
    stage.write(_PASSWORD, "hunter2\n", 0o600)
    stage.provision()
    return stage


@pytest.mark.parametrize(
    ("place", "owner", "mode", "how"),
    [
        (_PASSWORD, 0, 0o644, "can be read by everybody"),
        (_PASSWORD, _NOBODY, 0o600, f"belongs to user {_NOBODY}"),
        (_PASSWORD, 0, 0o622, "can be written by everybody"),
        (os.path.dirname(_PASSWORD), _NOBODY, 0o700, f"belongs to user {_NOBODY}"),
    ],
)
def test_a_password_that_another_could_read_or_change_is_not_used(
    with_password: Stage, place: str, owner: int, mode: int, how: str
) -> None:
    os.chown(with_password.path(place), owner, 0)
    os.chmod(with_password.path(place), mode)

    _held_until_mended(with_password, "tpm.credential-unguarded", f"{place} {how}")


def test_a_quiet_look_tells_of_such_a_password_too(with_password: Stage) -> None:
    os.chmod(with_password.path(_PASSWORD), 0o640)
    os.chown(with_password.path(_PASSWORD), 0, _NOBODY)

    held = with_password.watched_look()

    assert held["code"] == "tpm.credential-unguarded"
    assert held["summary"].endswith(f"can be read by group {_NOBODY}")


def test_what_systemd_made_of_such_a_password_is_not_used_either(
    with_password: Stage, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is root's own there, 0400 in a folder of 0500, whoever wrote the file that it was made of."""
    own = os.path.join(base, "run-credentials")
    os.mkdir(own)
    with open(os.path.join(own, "tpm-owner-auth"), "w", encoding="ascii") as target:
        target.write("hunter2\n")
    os.chmod(target.name, 0o400)
    os.chmod(own, 0o500)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", own)
    assert with_password.once()["code"] == "runtime.provisioned"

    os.chown(with_password.path(_PASSWORD), _NOBODY, 0)

    assert with_password.once()["code"] == "tpm.credential-unguarded"


def test_a_file_that_others_read_in_a_folder_closed_to_them_is_secret(with_password: Stage) -> None:
    """As it is where somebody writes it with the usual umask: systemd makes the folder with mode 0700."""
    os.chmod(with_password.path(_PASSWORD), 0o644)
    os.chmod(with_password.path(os.path.dirname(_PASSWORD)), 0o700)

    assert with_password.once()["code"] == "runtime.provisioned"
