"""A key is on record from the moment it is made or printed: a change is held before anything is made."""

import json
import os
import shutil

import pytest

from tests.contract.test_tpm_hierarchies import lose_ek, make_as_the_sdk_does
from tests.contract.tpm_asking import EK, persistent_handles, settle, tools
from tests.scenario.stage import HISTORY, Ended, Stage

HELD_ANEW = "tpm.cleared"
SEEDED = {"CreatePrimary", "EvictControl"}


def make_anew(stage: Stage, boot: str) -> None:
    """Start the machine with a TPM that lost all it had, as one whose storage is a RAM disk."""
    stage.tpm.power_off()
    shutil.rmtree(stage.tpm.directory)
    stage.tpm.start()
    stage.write("/proc/sys/kernel/random/boot_id", f"{boot}\n")


def registration_id(told: Ended) -> str:
    return str(json.loads(told.out)["registration_id"])


def printed(stage: Stage) -> str:
    return registration_id(stage.run("identity", "--json"))


def recorded(stage: Stage) -> str:
    return str(json.loads(stage.read(HISTORY))["ek_public"])


def print_it(stage: Stage) -> None:
    printed(stage)


def make_it(stage: Stage) -> None:
    assert stage.run("tpm", "ensure").status == 0


def make_it_in_a_pass(stage: Stage) -> None:
    assert stage.once()["code"] == "runtime.not-installed"


@pytest.mark.parametrize("learn", [print_it, make_it, make_it_in_a_pass])
def test_a_change_before_the_first_config_is_held(base: str, learn: object) -> None:
    with Stage(base, runtime=False) as stage:
        stage.plug()
        assert callable(learn)
        learn(stage)
        make_anew(stage, "boot-2")
        held = stage.once()

        assert (held["phase"], held["code"]) == ("held", HELD_ANEW)
        assert persistent_handles(stage.tpm) == []
        settle(stage.tpm)
        assert stage.run("tpm", "ensure").status == 4
        assert stage.once("--adopt")["code"] == "runtime.not-installed"
        assert EK in persistent_handles(stage.tpm)
        assert stage.once()["code"] == "runtime.not-installed", "the new key is the recorded one now"


def test_what_was_printed_is_what_is_provisioned(stage: Stage) -> None:
    told = printed(stage)
    status = stage.provision()

    assert status["registration_id"] == told


def test_a_tpm_that_is_made_anew_at_each_start_is_told(stage: Stage) -> None:
    stage.provision()
    make_anew(stage, "boot-2")
    assert [stage.once()["code"], stage.once()["code"]] == [HELD_ANEW, HELD_ANEW]
    make_anew(stage, "boot-3")
    held = stage.once()

    assert (held["phase"], held["code"]) == ("held", "tpm.keys-not-kept")
    assert stage.once()["code"] == "tpm.keys-not-kept"
    make_anew(stage, "boot-4")
    assert stage.once()["code"] == "tpm.keys-not-kept"
    assert persistent_handles(stage.tpm) == []


def test_another_key_that_stays_is_no_tpm_that_forgets(stage: Stage) -> None:
    stage.provision()
    make_anew(stage, "boot-2")
    stage.once()
    stage.write("/proc/sys/kernel/random/boot_id", "boot-3\n")
    stage.once()
    make_anew(stage, "boot-4")

    assert stage.once()["code"] == HELD_ANEW


def test_another_tpm_is_printed_and_not_recorded(stage: Stage) -> None:
    """What tpm.cleared tells a person to enrol."""
    was = printed(stage)
    before = recorded(stage)
    make_anew(stage, "boot-2")
    told = stage.run("identity", "--json")

    assert registration_id(told) != was
    assert "is not the endorsement key that is on record" in told.err
    assert recorded(stage) == before


@pytest.mark.parametrize("words", [("--tpm", "auto"), ("--tpm", "/dev/tpmrm0")])
def test_what_is_named_on_the_command_line_is_not_recorded(stage: Stage, words: tuple[str, str]) -> None:
    words = (words[0], stage.path(words[1]) if words[1].startswith("/") else words[1])
    for verb in (("identity",), ("tpm", "ensure")):
        assert stage.run(*verb, *words).status == 0

    assert not os.path.exists(stage.path(HISTORY))


def test_a_state_that_can_t_be_written_keeps_nobody_from_the_identity(stage: Stage) -> None:
    stage.write("/var/lib/edge-provisioner", b"a file where the folder belongs")
    for verb in (("identity", "--json"), ("tpm", "ensure")):
        told = stage.run(*verb)

        assert told.status == 0
        assert ("could not be put on record" in told.err) == (os.geteuid() == 0)


def test_the_recorded_key_is_put_back_as_the_sdk_s_template_makes_it(stage: Stage) -> None:
    make_as_the_sdk_does(stage.tpm)
    device = stage.provision()
    lose_ek(stage.tpm)

    assert printed(stage) == device["registration_id"]
    again = stage.once()
    assert (again["code"], again["registration_id"]) == ("runtime.provisioned", device["registration_id"])
    assert "tpm.older-template" in [notice["code"] for notice in again["notices"]]
    assert EK in tools(stage.tpm, "tpm2_getcap", "handles-persistent")


def test_a_key_that_was_printed_where_an_image_was_made_holds_no_clone(stage: Stage) -> None:
    stage.write("/etc/machine-id", "a" * 32 + "\n")
    assert stage.run("identity").status == 0
    stage.write("/etc/machine-id", "b" * 32 + "\n")
    make_anew(stage, "boot-2")

    assert stage.provision()["code"] == "runtime.provisioned"


@pytest.mark.parametrize("machine_id", ["", "uninitialized\n"])
def test_an_image_without_a_machine_id_remembers_no_key(stage: Stage, machine_id: str) -> None:
    stage.write("/etc/machine-id", machine_id)

    assert stage.run("identity").status == 0
    assert stage.run("tpm", "ensure").status == 0

    assert not os.path.exists(stage.path(HISTORY))
