"""Which template an endorsement key is of: every field that tells them apart does."""

import pytest

from agent.tpm.ek_templates import in_words, template_of
from tests.unit import tpm_publics as publics
from tests.unit.tpm_publics import EK_ATTRIBUTES, NO_SCHEME

HIGH = EK_ATTRIBUTES | 1 << 6
B_256 = bytes.fromhex("ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0")
B_384 = bytes.fromhex(
    "b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12"
)
AES_256 = "000601000043"


def high(bits: int, algorithm: int = 0x000C, policy: bytes = B_384, attributes: int = HIGH) -> bytes:
    details = AES_256 + NO_SCHEME
    return publics.rsa(attributes, policy=policy, bits=bits, details=details, name_algorithm=algorithm)


@pytest.mark.parametrize(
    ("public", "template"),
    [
        pytest.param(publics.EK, "L-1", id="a real one"),
        pytest.param(publics.ek(bits=3072), "", id="L-1 but larger"),
        pytest.param(publics.rsa(HIGH, policy=B_256), "H-1", id="H-1"),
        pytest.param(publics.rsa(HIGH, policy=bytes(32)), "", id="a policy of somebody's"),
        pytest.param(publics.rsa(HIGH & ~(1 << 16), policy=B_256), "", id="not restricted"),
        pytest.param(publics.rsa(HIGH | 1 << 18, policy=B_256), "", id="signs"),
        pytest.param(high(3072), "H-6", id="H-6"),
        pytest.param(high(4096), "H-7", id="H-7"),
        pytest.param(high(4096, 0x000B), "", id="H-7 with another name algorithm"),
        pytest.param(high(2048), "", id="H-6 but smaller"),
        pytest.param(publics.other_kind(0x0023), "", id="ECC without parameters"),
        pytest.param(b"", "", id="nothing readable"),
    ],
)
def test_a_template_is_known_by_its_fields(public: bytes, template: str) -> None:
    assert template_of(public) == template


def test_a_template_is_told_with_what_its_keys_are() -> None:
    assert in_words("H-7") == "H-7 (RSA 4096)"
