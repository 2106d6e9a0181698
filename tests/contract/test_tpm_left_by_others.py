"""What others left in the TPM: keys that work are used as they are, all else is held and left alone."""

import os
import subprocess

import pytest

from agent.codes import Code
from agent.codes import tpm as codes
from agent.tpm import keys
from agent.tpm.protocol import KeyState
from agent.tpm.templates import EK_POLICY
from tests.contract.tpm_asking import (
    EK,
    FLUSH,
    HOST,
    LOOKED,
    MAKE,
    PERSIST,
    SRK,
    WARM,
    Operation,
    ensure,
    persistent_handles,
    public_by_tools,
    refusal,
    request,
    settle,
    tools,
)  # fmt: skip
from tests.standins.software_tpm import SoftwareTpm

PRESENT, CREATED = KeyState.PRESENT, KeyState.CREATED
STORAGE = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt"


def persist(tpm: SoftwareTpm, handle: str, context: str = "made.ctx") -> None:
    tools(tpm, "tpm2_evictcontrol", "-Q", "-C", "o", "-c", context, handle)
    settle(tpm)


@pytest.mark.parametrize(
    ("attributes", "lockable"),
    [
        pytest.param(STORAGE, True, id="the published script's, without noDA"),
        pytest.param(f"{STORAGE}|noda", False, id="an older runtime's, with an empty unique"),
    ],
)
def test_an_srk_that_others_made_is_used(software_tpm: SoftwareTpm, attributes: str, lockable: bool) -> None:
    tools(software_tpm, "tpm2_createek", "-Q", "-G", "rsa", "-c", EK, "-u", "made.pub")
    tools(software_tpm, "tpm2_createprimary", "-Q", "-C", "o", "-a", attributes, "-c", "made.ctx")
    persist(software_tpm, SRK)
    before = public_by_tools(software_tpm, SRK)
    software_tpm.commands()
    found = ensure(software_tpm)

    assert software_tpm.commands() == WARM
    assert found.complete
    assert found.srk.public == before
    assert (codes.SRK_LOCKABLE in [notice.code for notice in found.notices]) == lockable


def test_an_ek_of_the_manufacturer_is_used(tmp_path: os.PathLike[str]) -> None:
    state = os.fspath(tmp_path)
    argv = ["swtpm_setup", "--tpm2", "--tpmstate", state, "--create-ek-cert", "--lock-nvram"]
    subprocess.run([*argv, "--runas", "root"] if os.geteuid() == 0 else argv, check=True, capture_output=True)
    with SoftwareTpm(state) as tpm:
        before = public_by_tools(tpm, EK)
        tpm.commands()
        found = ensure(tpm)

        assert tpm.commands() == [*LOOKED, MAKE, PERSIST, FLUSH]
        assert (found.ek.state, found.srk.state) == (PRESENT, CREATED)
        assert found.ek.public == before


ORIGIN = "fixedtpm|fixedparent|sensitivedataorigin"
PRIMARY = ("tpm2_createprimary", "-Q", "-c", "made.ctx")
FOREIGN: dict[str, list[tuple[str, ...]]] = {
    "ECC": [(*PRIMARY, "-C", "o", "-G", "ecc")],
    "RSA 3072": [(*PRIMARY, "-C", "o", "-G", "rsa3072")],
    "HMAC": [(*PRIMARY, "-C", "o", "-G", "hmac", "-a", f"{ORIGIN}|userwithauth|sign")],
    "signing": [(*PRIMARY, "-C", "o", "-G", "rsa:rsassa-sha256:null", "-a", f"{ORIGIN}|userwithauth|sign")],
    "of another hierarchy": [(*PRIMARY, "-C", "e", "-a", STORAGE)],
    "an EK of the owner": [
        (*PRIMARY, "-C", "o", "-L", "policy", "-a", f"{ORIGIN}|adminwithpolicy|restricted|decrypt")
    ],
    "a child": [
        (*PRIMARY, "-C", "o"),
        ("tpm2_create", "-Q", "-C", "made.ctx", "-u", "child.pub", "-r", "child.priv", "-a", STORAGE),
        ("tpm2_load", "-Q", "-C", "made.ctx", "-u", "child.pub", "-r", "child.priv", "-c", "made.ctx"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize(
    ("handle", "code"), [(EK, codes.FOREIGN_EK), (SRK, codes.FOREIGN_SRK)], ids=["EK", "SRK"]
)
def test_a_foreign_object_is_held_and_nothing_is_made(
    software_tpm: SoftwareTpm, kind: str, handle: str, code: Code
) -> None:
    put_foreign(software_tpm, kind, handle)
    before = public_by_tools(software_tpm, handle)
    software_tpm.commands()
    finding = refusal(keys.ensure, request(software_tpm))

    assert finding.code == code
    assert software_tpm.commands() == WARM
    assert public_by_tools(software_tpm, handle) == before
    assert persistent_handles(software_tpm) == [handle]


def put_foreign(tpm: SoftwareTpm, kind: str, handle: str) -> None:
    with open(os.path.join(tpm.directory, "policy"), "wb") as target:
        target.write(EK_POLICY)
    for argv in FOREIGN[kind]:
        tools(tpm, *argv)
        settle(tpm)
    persist(tpm, handle)


def test_a_foreign_object_is_shown_as_what_it_is(software_tpm: SoftwareTpm) -> None:
    put_foreign(software_tpm, "ECC", SRK)
    shown = keys.show(HOST, request(software_tpm))

    assert shown.srk.state is KeyState.UNFIT
    assert shown.srk.verdict.faults == ("it is an ECC key",)
    assert shown.foreign is not None
    assert "it is an ECC key" in shown.foreign.summary


def test_no_identity_is_made_up_beside_a_foreign_ek(software_tpm: SoftwareTpm) -> None:
    put_foreign(software_tpm, "ECC", EK)

    assert refusal(keys.derive, request(software_tpm)).code == codes.FOREIGN_EK


def test_the_identity_can_be_told_beside_a_foreign_srk(software_tpm: SoftwareTpm) -> None:
    made = ensure(software_tpm)
    tools(software_tpm, "tpm2_evictcontrol", "-Q", "-C", "o", "-c", SRK)
    put_foreign(software_tpm, "ECC", SRK)

    assert keys.derive(HOST, request(software_tpm)).ek.name == made.ek.name


# The EK that a device was provisioned with is the only one that is accepted.


def test_another_ek_than_the_expected_is_held(software_tpm: SoftwareTpm) -> None:
    made = ensure(software_tpm)
    tools(software_tpm, "tpm2_evictcontrol", "-Q", "-C", "o", "-c", SRK)
    software_tpm.commands()
    finding = refusal(keys.ensure, request(software_tpm, expected_ek_name="000b00"))

    assert finding.code == codes.REPLACED
    assert made.ek.name in finding.explanation
    assert software_tpm.commands() == LOOKED


def test_a_cleared_owner_hierarchy_keeps_the_identity(software_tpm: SoftwareTpm) -> None:
    before = ensure(software_tpm)
    tools(software_tpm, "tpm2_clear", "-c", "platform")
    after = keys.ensure(HOST, request(software_tpm, expected_ek_name=before.ek.name))

    assert (after.ek.state, after.srk.state) == (CREATED, CREATED)
    assert after.ek.name == before.ek.name
    assert after.srk.name != before.srk.name


@pytest.mark.parametrize("operation", [keys.ensure, keys.derive])
def test_a_new_endorsement_seed_is_held_and_nothing_is_kept(
    software_tpm: SoftwareTpm, operation: Operation
) -> None:
    before = ensure(software_tpm)
    tools(software_tpm, "tpm2_clear", "-c", "platform")
    tools(software_tpm, "tpm2_changeeps")
    software_tpm.commands()
    finding = refusal(operation, request(software_tpm, expected_ek_name=before.ek.name))

    assert finding.code == codes.CLEARED
    assert software_tpm.commands() == [*LOOKED, MAKE, FLUSH, MAKE, FLUSH], "of both templates"
    assert persistent_handles(software_tpm) == []
