"""What somebody else decided on this device: adopted, held, reported, and never undone unasked."""

import fcntl
import json
import os
import shutil
import subprocess

import pytest

from agent.host import locks
from agent.passes import lock
from tests.scenario.stage import CHECKOUT, CONFIG, HISTORY, SCOPE, Stage, tree, wait

BY_HAND = """# made by a person
[provisioning]
source = "dps"
global_endpoint = "https://global.azure-devices-provisioning.net/"
id_scope = "{scope}"

[provisioning.attestation]
method = "tpm"
registration_id = "{registration_id}"
"""
CONNECTION_STRING = """# the first line's device
[provisioning]
source = "manual"
connection_string = "HostName=hub.test;DeviceId=old;SharedAccessKey=c2VjcmV0LW9mLXRoZS1odWI="
"""


def by_hand(stage: Stage) -> str:
    """Configure the device as the published procedure does, to the same end as ours."""
    assert stage.run("tpm", "ensure").status == 0
    shown = json.loads(stage.run("identity", "--json").out)
    text = BY_HAND.format(scope=SCOPE, registration_id=shown["registration_id"])
    stage.write(CONFIG, text, 0o600)
    return text


def test_a_file_that_already_means_it_is_adopted_without_a_write_or_an_apply(stage: Stage) -> None:
    text = by_hand(stage)
    assert stage.iotedge("config", "apply").returncode == 0
    edged, config = stage.edged(), os.stat(stage.path(CONFIG))

    stage.provision()

    assert (stage.read(CONFIG), os.stat(stage.path(CONFIG)).st_mtime_ns) == (text, config.st_mtime_ns)
    assert stage.edged() == edged
    assert dict(json.loads(stage.read("/var/lib/edge-provisioner/history.json"))["written"])


def test_what_a_vendor_says_in_config_toml_stays_where_no_settings_file_says_otherwise(stage: Stage) -> None:
    text = 'auto_reprovisioning_mode = "OnErrorOnly"\n' + by_hand(stage).replace(
        "registration_id = ", 'registration_id = "line-4" #'
    )
    stage.write(CONFIG, text, 0o600)

    stage.provision()

    assert stage.read(CONFIG) == text
    assert 'auto_reprovisioning_mode = "OnErrorOnly"' in stage.read("/etc/aziot/edged/config.d/00-super.toml")
    assert stage.status()["registration_id"] == "line-4"
    assert json.loads(stage.run("identity", "--json").out)["registration_id"] == "line-4"
    stage.settings({"runtime": {"auto_reprovisioning_mode": "Dynamic"}})
    stage.provision()
    assert text.replace("OnErrorOnly", "Dynamic").partition("# made")[0] in stage.read(CONFIG)
    assert 'registration_id = "line-4"' in stage.read(CONFIG)


def test_a_device_provisioned_in_another_way_is_taken_over_only_by_a_persons_word(stage: Stage) -> None:
    stage.write(CONFIG, CONNECTION_STRING, 0o600)
    before = tree(stage.path("/etc"))

    held = stage.run("once")

    assert held.status == 4
    assert stage.status()["code"] == "config.other-provisioning"
    assert stage.run("plan").status == 4
    assert "connection_string = " in stage.run("plan").out
    assert "c2VjcmV0" not in held.out + held.err + stage.run("plan").out + stage.run("plan", "--json").out
    assert tree(stage.path("/etc")) == before
    assert stage.once("--adopt")["phase"] != "held"
    assert stage.provision()["device_id"] == "dev-tpm-1"
    assert stage.read(CONFIG).startswith("# the first line's device\n")
    assert "connection_string" not in stage.read(CONFIG)
    backups = [name for name in os.listdir(stage.path("/etc/aziot")) if ".edge-provisioner-" in name]
    assert [stage.read(f"/etc/aziot/{name}") for name in backups] == [CONNECTION_STRING]


def test_keys_changed_by_hand_are_held_and_restored_when_told_to(provisioned: Stage) -> None:
    good, edged = provisioned.read(CONFIG), provisioned.edged()

    def change() -> None:
        provisioned.edit(CONFIG, f'id_scope = "{SCOPE}"', 'id_scope = "0ne00000009"')

    change()
    changed = tree(provisioned.path("/etc"))
    assert provisioned.once()["code"] == "config.manual-edit"
    assert provisioned.watched_look()["phase"] == "held"
    assert (tree(provisioned.path("/etc")), provisioned.edged()) == (changed, edged)

    assert provisioned.once("--adopt")["phase"] in ("provisioning", "provisioned")
    assert provisioned.read(CONFIG) == good

    change()
    provisioned.settings({"runtime": {"on_manual_edit": "restore"}})
    provisioned.provision()
    assert provisioned.read(CONFIG) == good
    assert provisioned.edged() == edged  # never was anything else applied


def test_edits_of_others_are_reported_and_not_applied(provisioned: Stage) -> None:
    edged = provisioned.edged()
    text = provisioned.read(CONFIG) + "\n[watchdog] # a person's\nmax_retries = 3\n"
    provisioned.write(CONFIG, text, 0o600)

    looked = provisioned.once()

    assert looked["code"] == "runtime.provisioned"
    assert [notice["code"] for notice in looked["notices"]] == ["config.unapplied-edit"]
    assert (provisioned.read(CONFIG), provisioned.edged()) == (text, edged)
    provisioned.write(CONFIG, text.partition("\n[watchdog]")[0], 0o600)  # taken back


def _a_link(stage: Stage) -> None:
    stage.write("/srv/config.toml", "")
    os.symlink("../../srv/config.toml", stage.path(CONFIG))


def _a_directory(stage: Stage) -> None:
    os.mkdir(stage.path(CONFIG))


def _not_utf8(stage: Stage) -> None:
    stage.write(CONFIG, b'hostname = "caf\xe9"\n')


def _invalid(stage: Stage) -> None:
    stage.write(CONFIG, "[provisioning\n")


UNUSABLE = {
    "config.symlink": _a_link,
    "config.directory": _a_directory,
    "config.not-utf8": _not_utf8,
    "config.invalid-toml": _invalid,
}


def test_a_config_toml_that_cannot_be_edited_is_left_alone(stage: Stage) -> None:
    for code, make in UNUSABLE.items():
        make(stage)
        before = tree(stage.path("/etc"))

        ended = stage.run("once")

        assert (ended.status, stage.status()["code"]) == (4, code)
        assert stage.run("plan").status == 4
        assert tree(stage.path("/etc")) == before
        _remove(stage.path(CONFIG))
    assert "EvictControl" not in stage.tpm.commands()
    assert stage.provision()["device_id"] == "dev-tpm-1"


def _remove(path: str) -> None:
    if os.path.isdir(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def test_ours_in_a_shape_that_cannot_be_edited_is_held_with_its_line(stage: Stage) -> None:
    stage.write(CONFIG, '# a person\'s\n[[provisioning]]\nsource = "dps"\n', 0o600)
    before = tree(stage.path("/etc"))

    looked = stage.once("--adopt")

    assert looked["code"] == "config.shape-refused"
    assert "line 2" in looked["summary"].lower()
    assert tree(stage.path("/etc")) == before


def test_a_reprovisioning_that_the_cloud_refuses_is_told_at_once_and_nothing_is_restarted(
    stage: Stage,
) -> None:
    """The daemons run on, and the runtime's own status shows that nothing happened."""
    stage.provision()
    edged = stage.edged()
    stage.machine.fault(cloud="401")

    asked, refused = stage.run("reprovision"), stage.run("reprovision", "--yes")

    assert (asked.status, refused.status) == (4, 1)
    assert "identity.reprovision-failed" in refused.err
    assert stage.status()["code"] == "identity.backup-lost"
    assert stage.edged() == edged


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is asked for what is root's")
def test_a_command_that_another_could_change_is_not_run(provisioned: Stage) -> None:
    program = provisioned.path("/usr/bin/iotedge")
    before = provisioned.edged()
    os.chown(program, 65534, 65534, follow_symlinks=False)
    provisioned.settings({"dps": {"payload": {"site": "hall 4"}}})

    held = provisioned.once()

    assert (held["phase"], held["code"]) == ("held", "runtime.unguarded")
    assert "/usr/bin/iotedge belongs to user 65534" in held["summary"]
    assert provisioned.run("reprovision", "--yes").status != 0
    assert provisioned.edged() == before
    remedy = next(part for part in held["remedy"].split("`") if part.startswith("chown"))
    subprocess.run(["sh", "-ec", remedy.replace("/usr/bin/iotedge", program)], check=True)
    assert provisioned.look_until("runtime.provisioned")


def test_nobody_comes_between_a_reprovisioning_and_the_look_at_what_came_of_it(stage: Stage) -> None:
    stage.provision()
    stage.machine.fault(cloud="hanging")
    held, argv, quiet = stage.path(lock.PLACE), stage.argv("reprovision", "--yes"), subprocess.DEVNULL

    with subprocess.Popen(argv, cwd=CHECKOUT, stdout=quiet, stderr=quiet) as asked:
        wait(lambda: b"reprovision" in (locks.lock_note(held) or b""))
        with open(held, "rb") as next_in_line:
            fcntl.flock(next_in_line, fcntl.LOCK_EX)
            code = stage.status()["code"]

    assert (asked.returncode, code) == (1, "identity.backup-lost")


def test_after_a_refusal_the_cloud_may_be_asked_again_though_nobody_knows_what_the_device_was(
    stage: Stage,
) -> None:
    stage.provision()
    stage.machine.fault(cloud="401")
    stage.run("reprovision", "--yes")
    history = json.loads(stage.read(HISTORY))
    stage.write(HISTORY, json.dumps({**history, "identity": None}), 0o600)
    assert stage.run("once").status == 4
    assert stage.status()["code"] == "cloud.not-enrolled"
    stage.machine.fault(cloud=None)

    assert stage.run("reprovision", "--yes").status == 0
    assert stage.provision()["device_id"] == "dev-tpm-1"


def test_a_reprovisioning_ends_with_what_came_of_it(stage: Stage) -> None:
    stage.provision()

    asked = stage.run("reprovision", "--yes")

    assert asked.status == 0
    assert asked.out.splitlines()[1].startswith(f"{stage.status()['phase']}: ")
    assert stage.provision()["device_id"] == "dev-tpm-1"
