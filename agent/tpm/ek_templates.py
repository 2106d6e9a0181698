"""Which of the TCG's templates an endorsement key is of, as far as its public area tells. Pure.

TCG EK Credential Profile for TPM 2.0, annex B: low range (L) with policy A, high range (H) with policy B.
Other than the policy, it is kind, size and name algorithm that tell them apart. `unique` is not told: the key
takes its place. So a key of the Azure C SDK's template, L-1 but for that field, looks like one of L-1.
"""

from collections.abc import Mapping
from types import MappingProxyType

from agent.tpm.public_area import PublicArea, parse_public
from agent.tpm.templates import EK_POLICY, RSA, Attribute

_ECC = 0x0023
_SHA256, _SHA384, _SHA512 = 0x000B, 0x000C, 0x000D
_P256, _P384, _P521 = 0x0003, 0x0004, 0x0005
_POLICY_B_SHA256 = bytes.fromhex("ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0")
_POLICY_B_SHA384 = bytes.fromhex(
    "b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12"
)
_POLICY_B_SHA512 = bytes.fromhex(
    "b8221ca69e8550a4914de3faa6a18c072cc01208073a928d5d66d59ef79e49a4"
    "29c41a6b269571d57edb25fbdb1838425608b413cd616a5f6db5b6071af99bea"
)
L_1 = "L-1"
_TEMPLATES: Mapping[tuple[int, int, bytes, int], str] = MappingProxyType({
    (RSA, _SHA256, EK_POLICY, 2048): L_1,
    (_ECC, _SHA256, EK_POLICY, _P256): "L-2",
    (RSA, _SHA256, _POLICY_B_SHA256, 2048): "H-1",
    (_ECC, _SHA256, _POLICY_B_SHA256, _P256): "H-2",
    (_ECC, _SHA384, _POLICY_B_SHA384, _P384): "H-3",
    (_ECC, _SHA512, _POLICY_B_SHA512, _P521): "H-4",
    (RSA, _SHA384, _POLICY_B_SHA384, 3072): "H-6",
    (RSA, _SHA384, _POLICY_B_SHA384, 4096): "H-7",
})  # fmt: skip
_KINDS: Mapping[str, str] = MappingProxyType({
    L_1: "RSA 2048", "L-2": "ECC NIST P-256", "H-1": "RSA 2048", "H-2": "ECC NIST P-256",
    "H-3": "ECC NIST P-384", "H-4": "ECC NIST P-521", "H-6": "RSA 3072", "H-7": "RSA 4096",
})  # fmt: skip
_USES = Attribute.RESTRICTED | Attribute.DECRYPT | Attribute.SIGN


def template_of(public: bytes) -> str:
    """Name the template that a TPM2B_PUBLIC fits; empty if it is none of them."""
    try:
        area = parse_public(public)
    except ValueError:
        return ""
    if area.attributes & _USES != Attribute.RESTRICTED | Attribute.DECRYPT:
        return ""
    return _TEMPLATES.get((area.kind, area.name_algorithm, area.policy, _size(area)), "")


def in_words(template: str) -> str:
    """Give a template with what its keys are: "H-1 (RSA 2048)"."""
    return f"{template} ({_KINDS[template]})"


def _size(area: PublicArea) -> int:
    return area.key_bits if area.kind == RSA else area.curve
