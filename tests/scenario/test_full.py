"""Passes on a device where something is full: each file system on its own, and a really full one."""

import json
import os
import subprocess

import pytest

from tests.scenario.stage import CONFIG, HISTORY, RULE, STATUS, Ended, Stage, run_command

_NO_SPACE = "No space left on device"
# A mount namespace of its own, in which a folder with what is in it lies on a file system that is full.
_FILL = (
    'cp -a "$1" "$1.kept" && mount -t tmpfs -o size=64k,mode=755 full "$1" && cp -a "$1.kept/." "$1" && '
    '{ cat /dev/zero >"$1/filler" 2>/dev/null; shift; exec "$@"; }'
)


def full(folder: str, argv: tuple[str, ...]) -> tuple[str, ...]:
    return ("unshare", "--mount", "sh", "-c", _FILL, "sh", folder, *argv)


def once_with_full(stage: Stage, folder: str) -> Ended:
    os.makedirs(stage.path(folder), exist_ok=True)
    return run_command(full(stage.path(folder), stage.argv("once")))


@pytest.fixture(autouse=True)
def mounting_must_be_allowed(base: str) -> None:
    asked = subprocess.run(full(f"{base}/dev", ("true",)), capture_output=True, text=True, check=False)
    if "mount:" in asked.stderr or "unshare:" in asked.stderr:
        pytest.skip(f"NOT TESTED HERE, a full file system: {asked.stderr.strip()}")


def test_run_that_is_full_is_named_before_anything_is_done(stage: Stage) -> None:
    ended = once_with_full(stage, "/run/edge-provisioner")

    assert ended.status == 4
    place = stage.path("/run/edge-provisioner/pass.lock.holder")
    assert f"agent.state-unwritable: The agent can't write {place}: {_NO_SPACE}\n" in ended.err
    assert "EvictControl" not in stage.tpm.commands()


def test_a_record_that_cannot_be_kept_stops_the_steps_and_is_told(stage: Stage) -> None:
    ended = once_with_full(stage, "/var/lib/edge-provisioner")

    status = stage.status()
    assert (ended.status, status["code"]) == (4, "agent.state-unwritable")
    assert status["summary"] == f"The agent can't write {HISTORY}: {_NO_SPACE}"
    assert "EvictControl" not in stage.tpm.commands()


def test_an_identity_that_cannot_be_recorded_is_told(provisioned: Stage) -> None:
    """The record is full at the very look that proves another identity, with no step before it."""
    record = json.loads(provisioned.read(HISTORY))
    record["identity"]["device_id"] = "dev-before"
    provisioned.write(HISTORY, json.dumps(record), 0o600)

    ended = once_with_full(provisioned, "/var/lib/edge-provisioner")

    status = provisioned.status()
    assert (ended.status, status["code"]) == (4, "agent.state-unwritable")
    assert (status["device_id"], status["hub"] != "") == ("dev-tpm-1", True)
    assert provisioned.once()["code"] == "runtime.provisioned"


def test_a_config_toml_without_room_is_told_and_left(provisioned: Stage) -> None:
    before = provisioned.read(CONFIG)
    provisioned.settings({"dps": {"global_endpoint": "https://other.test"}})

    ended = once_with_full(provisioned, "/etc/aziot")

    status = provisioned.status()
    assert (ended.status, status["code"]) == (4, "config.unwritable")
    assert status["summary"] == f"{CONFIG} can't be written: {_NO_SPACE}"
    assert provisioned.read(CONFIG) == before


def test_a_rule_without_room_is_told(stage: Stage) -> None:
    ended = once_with_full(stage, "/etc/udev/rules.d")

    status = stage.status()
    assert (ended.status, status["code"]) == (4, "udev.rule-unwritable")
    assert status["summary"] == f"The TPM rule can't be written to {RULE}: {_NO_SPACE}"


def test_a_program_that_does_not_start_is_told_with_its_name(provisioned: Stage) -> None:
    """A file system that is full, or a power cut, leaves programs empty behind."""
    place = provisioned.path("/usr/bin/systemctl")
    os.truncate(place, 0)

    looked = provisioned.once()

    assert (looked["phase"], looked["code"]) == ("degraded", "agent.internal")
    assert f"{place}: Exec format error" in looked["summary"]
    planned = provisioned.run("plan")
    assert planned.status == 1
    assert f"agent.internal: The agent met something that it has no answer to: {place}: Exec" in planned.err
    assert json.loads(provisioned.read(STATUS))["code"] == "agent.internal"
