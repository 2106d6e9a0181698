"""The keys, made in a real TPM implementation and compared with what tpm2-tools make and read."""

import base64
import hashlib
import os

import pytest

from agent.tpm import keys, registration
from agent.tpm.protocol import KeyState
from tests.contract.tpm_asking import (
    COLD,
    EK,
    FLUSH,
    HOST,
    LOOKED,
    MAKE,
    PERSIST,
    SRK,
    WARM,
    ensure,
    persistent_handles,
    public_by_tools,
    request,
    tools,
    transient_handles,
)  # fmt: skip
from tests.standins.software_tpm import SoftwareTpm

ABSENT, PRESENT, CREATED = KeyState.ABSENT, KeyState.PRESENT, KeyState.CREATED


def test_an_empty_tpm_gets_both_keys_in_eight_commands(software_tpm: SoftwareTpm) -> None:
    made = ensure(software_tpm)

    assert software_tpm.commands() == COLD
    assert (made.ek.state, made.srk.state) == (CREATED, CREATED)
    assert made.complete
    assert made.changed
    assert persistent_handles(software_tpm) == [SRK, EK]
    assert transient_handles(software_tpm) == []


def test_keys_that_are_there_take_two_commands(software_tpm: SoftwareTpm) -> None:
    made = ensure(software_tpm)
    software_tpm.commands()
    found = ensure(software_tpm)

    assert software_tpm.commands() == WARM
    assert (found.ek.state, found.srk.state) == (PRESENT, PRESENT)
    assert (found.ek.public, found.srk.public) == (made.ek.public, made.srk.public)
    assert (found.ek.name, found.srk.name) == (made.ek.name, made.srk.name)
    assert not found.changed


def test_our_ek_is_the_tools_ek_to_the_byte(software_tpm: SoftwareTpm) -> None:
    made = ensure(software_tpm)
    ours = public_by_tools(software_tpm, EK)
    tools(software_tpm, "tpm2_evictcontrol", "-Q", "-C", "o", "-c", EK)
    tools(software_tpm, "tpm2_createek", "-Q", "-G", "rsa", "-c", EK, "-u", "made.pub")
    theirs = public_by_tools(software_tpm, EK)

    assert made.ek.public == ours == theirs
    assert registration.ek_sha256(made.ek.public) == hashlib.sha256(theirs).hexdigest()
    assert registration.endorsement_key(made.ek.public) == base64.b64encode(theirs).decode()


def test_names_are_those_the_tools_give(software_tpm: SoftwareTpm) -> None:
    made = ensure(software_tpm)

    for key, handle in ((made.ek, EK), (made.srk, SRK)):
        tools(software_tpm, "tpm2_readpublic", "-Q", "-c", handle, "-n", "name")
        with open(os.path.join(software_tpm.directory, "name"), "rb") as source:
            assert source.read().hex() == key.name


def test_an_ek_for_a_moment_is_the_later_one_and_leaves_nothing(software_tpm: SoftwareTpm) -> None:
    derived = keys.derive(HOST, request(software_tpm))

    assert software_tpm.commands() == [*LOOKED, MAKE, FLUSH]
    assert (derived.ek.state, derived.srk.state) == (KeyState.DERIVED, ABSENT)
    assert not derived.ek.persistent
    assert persistent_handles(software_tpm) == transient_handles(software_tpm) == []
    assert ensure(software_tpm).ek.public == derived.ek.public


def test_deriving_reads_an_ek_that_is_there(software_tpm: SoftwareTpm) -> None:
    made = ensure(software_tpm)
    software_tpm.commands()

    assert keys.derive(HOST, request(software_tpm)).ek.public == made.ek.public
    assert software_tpm.commands() == WARM


def test_showing_makes_nothing(software_tpm: SoftwareTpm) -> None:
    shown = keys.show(HOST, request(software_tpm))

    assert (shown.ek.state, shown.srk.state) == (ABSENT, ABSENT)
    assert software_tpm.commands() == LOOKED
    assert not shown.complete
    assert shown.foreign is None


@pytest.mark.parametrize(("lost", "kept"), [(SRK, "ek"), (EK, "srk")])
def test_one_missing_key_is_repaired_and_the_other_kept(
    software_tpm: SoftwareTpm, lost: str, kept: str
) -> None:
    before = ensure(software_tpm)
    tools(software_tpm, "tpm2_evictcontrol", "-Q", "-C", "o", "-c", lost)
    software_tpm.commands()
    after = ensure(software_tpm)

    assert software_tpm.commands() == [*LOOKED, MAKE, PERSIST, FLUSH]
    assert getattr(after, kept).state is PRESENT
    assert (after.ek.public, after.srk.public) == (before.ek.public, before.srk.public)


def test_keys_outlive_a_power_cut(software_tpm: SoftwareTpm) -> None:
    made = ensure(software_tpm)
    software_tpm.power_cycle()

    assert keys.show(HOST, request(software_tpm)).ek.name == made.ek.name
