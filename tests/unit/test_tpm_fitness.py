"""Which keys the runtime could work with: what was seen to work passes, everything else says why not."""

import pytest

from agent.tpm.fitness import KeyRole, judge
from tests.unit import tpm_publics as publics
from tests.unit.tpm_publics import EK_ATTRIBUTES, ENDORSEMENT, OWNER, SRK_ATTRIBUTES, qualified

NO_DA, USER_WITH_AUTH, RESTRICTED, DECRYPT, SIGN = 1 << 10, 1 << 6, 1 << 16, 1 << 17, 1 << 18
HIERARCHY = {KeyRole.EK: ENDORSEMENT, KeyRole.SRK: OWNER}


@pytest.mark.parametrize(
    ("role", "public", "lockable"),
    [
        pytest.param(KeyRole.EK, publics.EK, False, id="a real EK"),
        pytest.param(KeyRole.EK, publics.ek(EK_ATTRIBUTES | NO_DA), False, id="EK with noDA"),
        pytest.param(KeyRole.SRK, publics.rsa(), False, id="SRK as the runtime makes it"),
        pytest.param(
            KeyRole.SRK, publics.rsa(SRK_ATTRIBUTES & ~NO_DA), True, id="SRK as tpm2_createprimary makes it"
        ),
        pytest.param(KeyRole.SRK, publics.rsa(name_algorithm=0x000C), False, id="SRK named by SHA-384"),
        pytest.param(
            KeyRole.SRK, publics.rsa(details="000601000043" + publics.NO_SCHEME), False, id="SRK with AES-256"
        ),
    ],
)
def test_a_key_the_runtime_can_use_is_fit(role: KeyRole, public: bytes, lockable: bool) -> None:
    verdict = judge(role, public, qualified(public, HIERARCHY[role]))

    assert verdict.fit
    assert verdict.faults == ()
    assert verdict.lockable == lockable


@pytest.mark.parametrize(
    ("role", "public", "fault"),
    [
        pytest.param(KeyRole.SRK, publics.other_kind(0x0023), "an ECC key", id="ECC"),
        pytest.param(KeyRole.SRK, publics.other_kind(0x0008), "an HMAC key or sealed data", id="HMAC"),
        pytest.param(KeyRole.SRK, publics.other_kind(0x0025), "a symmetric key", id="AES"),
        pytest.param(KeyRole.SRK, publics.other_kind(0x0042), "an object of type 0x0042", id="yet unknown"),
        pytest.param(KeyRole.SRK, publics.rsa(bits=3072), "3072 bits instead of 2048", id="larger"),
        pytest.param(KeyRole.SRK, publics.rsa(SRK_ATTRIBUTES | SIGN), "a signing key", id="signing"),
        pytest.param(
            KeyRole.SRK, publics.rsa(SRK_ATTRIBUTES & ~DECRYPT), "no decryption key", id="no decryption"
        ),
        pytest.param(
            KeyRole.SRK, publics.rsa(SRK_ATTRIBUTES & ~RESTRICTED), "not restricted", id="unrestricted"
        ),
        pytest.param(
            KeyRole.SRK, publics.rsa(SRK_ATTRIBUTES & ~USER_WITH_AUTH), "by password", id="policy only"
        ),
        pytest.param(KeyRole.EK, publics.rsa(EK_ATTRIBUTES), "its policy is not", id="EK without policy"),
        pytest.param(
            KeyRole.EK,
            publics.rsa(EK_ATTRIBUTES, policy=bytes(32)),
            "its policy is not",
            id="EK, other policy",
        ),
        pytest.param(KeyRole.SRK, b"", "can't be used", id="nothing readable"),
        pytest.param(
            KeyRole.SRK, publics.rsa(name_algorithm=0x0012), "name algorithm 0x0012", id="Name unknown"
        ),
    ],
)
def test_a_key_the_runtime_can_not_use_says_why(role: KeyRole, public: bytes, fault: str) -> None:
    verdict = judge(role, public, qualified(public, HIERARCHY[role]))

    assert not verdict.fit
    assert len(verdict.faults) == 1
    assert fault in verdict.faults[0]


@pytest.mark.parametrize(
    ("role", "public", "hierarchy"),
    [
        pytest.param(KeyRole.EK, publics.EK, OWNER, id="an EK of the owner"),
        pytest.param(KeyRole.SRK, publics.rsa(), ENDORSEMENT, id="an SRK of the endorsement hierarchy"),
        pytest.param(
            KeyRole.SRK, publics.rsa(), 0x40000007, id="an SRK of the null hierarchy, gone at every start"
        ),
        pytest.param(KeyRole.SRK, publics.rsa(), 0x80000000, id="a child of another key"),
    ],
)
def test_only_a_primary_key_of_its_own_hierarchy_is_fit(role: KeyRole, public: bytes, hierarchy: int) -> None:
    (fault,) = judge(role, public, qualified(public, hierarchy)).faults

    assert fault.startswith("it is no primary key of the ")


def test_all_faults_are_told_at_once() -> None:
    public = publics.rsa((SRK_ATTRIBUTES | SIGN) & ~DECRYPT & ~RESTRICTED & ~USER_WITH_AUTH, bits=1024)

    assert len(judge(KeyRole.SRK, public, b"").faults) == 6
