"""Hierarchies that are off or have a password: known before a key is believed absent, or made."""

import pytest

from agent.codes import Finding
from agent.tpm import keys
from agent.tpm.protocol import KeyState
from tests.contract.tpm_asking import (
    EK,
    FLUSH,
    HOST,
    LOOKED,
    MAKE,
    PERSIST,
    SRK,
    STATE,
    WARM,
    ensure,
    persistent_handles,
    refusal,
    request,
    tools,
)
from tests.standins.software_tpm import SoftwareTpm
from tests.standins.tpm_wire import Effect, Fault


def switch_off(tpm: SoftwareTpm, bit: str) -> None:
    tools(tpm, "tpm2_hierarchycontrol", "-C", "p", bit, "clear")
    tpm.commands()


def set_password(tpm: SoftwareTpm, hierarchy: str) -> None:
    tools(tpm, "tpm2_changeauth", "-c", hierarchy, "long-enough")
    tpm.commands()


def obstacle(tpm: SoftwareTpm) -> Finding | None:
    return keys.show(HOST, request(tpm)).obstacle


@pytest.mark.parametrize(("bit", "hierarchy"), [("ehEnable", "endorsement"), ("shEnable", "owner")])
def test_keys_of_a_hierarchy_that_is_off_are_not_called_gone(
    software_tpm: SoftwareTpm, bit: str, hierarchy: str
) -> None:
    made = ensure(software_tpm)
    switch_off(software_tpm, bit)
    shown = obstacle(software_tpm)

    assert shown is not None
    assert shown.code.name == "tpm.hierarchy-disabled"
    assert f"(the {hierarchy} hierarchy, {bit} is 0)" in shown.summary
    assert refusal(keys.ensure, request(software_tpm, expected_ek_name=made.ek.name)) == shown
    assert software_tpm.commands() == LOOKED * 2, "nothing is made to learn that"
    software_tpm.power_cycle()
    assert ensure(software_tpm).ek.public == made.ek.public


def test_the_identity_needs_the_endorsement_hierarchy_only(software_tpm: SoftwareTpm) -> None:
    made = ensure(software_tpm)
    switch_off(software_tpm, "shEnable")

    assert keys.derive(HOST, request(software_tpm)).ek.name == made.ek.name


@pytest.mark.parametrize(
    ("hierarchy", "code"), [("owner", "tpm.owner-password"), ("endorsement", "tpm.endorsement-password")]
)
def test_a_password_that_is_missing_is_known_before_a_key_is_made(
    software_tpm: SoftwareTpm, hierarchy: str, code: str
) -> None:
    set_password(software_tpm, hierarchy)
    finding = refusal(keys.ensure, request(software_tpm))

    assert finding.code.name == code
    assert finding == obstacle(software_tpm)
    assert software_tpm.commands() == LOOKED * 2
    assert persistent_handles(software_tpm) == []


def test_a_password_is_no_matter_where_both_keys_are(software_tpm: SoftwareTpm) -> None:
    ensure(software_tpm)
    set_password(software_tpm, "owner")

    assert ensure(software_tpm).complete
    assert software_tpm.commands() == WARM


def test_a_password_that_an_ordinary_user_may_not_read_is_not_called_missing(
    software_tpm: SoftwareTpm,
) -> None:
    set_password(software_tpm, "endorsement")
    hidden = request(software_tpm, authorisations=keys.Authorisations(hidden=True))

    assert keys.show(HOST, hidden).obstacle is None
    assert refusal(keys.derive, hidden).code.name == "tpm.endorsement-password"
    assert software_tpm.commands() == [*LOOKED, *LOOKED, MAKE], "the TPM itself said so"


@pytest.mark.parametrize("rc", [0x143, 0x922])
def test_a_tpm_that_does_not_tell_its_properties_is_used_as_before(
    software_tpm: SoftwareTpm, rc: int
) -> None:
    software_tpm.faults.append(Fault(Effect.ANSWER, STATE, rc=rc))

    assert ensure(software_tpm).complete


# The template that the Azure IoT C SDK's tools make an EK from


def make_as_the_sdk_does(tpm: SoftwareTpm) -> str:
    """Make the EK from L-1 with an empty `unique`; gives its Name."""
    with open(f"{tpm.directory}/policy", "wb") as target:
        target.write(bytes.fromhex("837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"))
    attributes = "fixedtpm|fixedparent|sensitivedataorigin|adminwithpolicy|restricted|decrypt"
    primary = ("tpm2_createprimary", "-Q", "-C", "e", "-g", "sha256", "-G", "rsa2048:aes128cfb")
    tools(tpm, *primary, "-L", "policy", "-a", attributes, "-c", "ek.ctx")
    tools(tpm, "tpm2_evictcontrol", "-Q", "-C", "o", "-c", "ek.ctx", EK)
    tools(tpm, "tpm2_flushcontext", "-t")
    return ensure(tpm).ek.name


def lose_ek(tpm: SoftwareTpm) -> None:
    tools(tpm, "tpm2_evictcontrol", "-Q", "-C", "o", "-c", EK)
    tpm.commands()


def test_exactly_the_recorded_key_is_put_back_from_an_older_template(software_tpm: SoftwareTpm) -> None:
    name = make_as_the_sdk_does(software_tpm)
    lose_ek(software_tpm)
    found = keys.ensure(HOST, request(software_tpm, expected_ek_name=name))

    assert software_tpm.commands() == [*LOOKED, MAKE, FLUSH, MAKE, PERSIST, FLUSH]
    assert (found.ek.name, found.ek.state) == (name, KeyState.CREATED)
    assert "tpm.older-template" in [notice.code.name for notice in found.notices]
    assert persistent_handles(software_tpm) == [SRK, EK]
    again = keys.ensure(HOST, request(software_tpm, expected_ek_name=name))
    assert again.ek.name == name
    assert "tpm.older-template" not in [notice.code.name for notice in again.notices]


def test_without_a_record_an_empty_handle_gets_the_tcg_s_key(software_tpm: SoftwareTpm) -> None:
    name = make_as_the_sdk_does(software_tpm)
    lose_ek(software_tpm)

    assert ensure(software_tpm).ek.name != name


def test_what_the_recorded_key_would_be_is_told_for_a_moment(software_tpm: SoftwareTpm) -> None:
    name = make_as_the_sdk_does(software_tpm)
    lose_ek(software_tpm)
    found = keys.derive(HOST, request(software_tpm, expected_ek_name=name))

    assert (found.ek.name, found.ek.state) == (name, KeyState.DERIVED)
    assert persistent_handles(software_tpm) == [SRK]
