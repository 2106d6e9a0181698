"""What a key found at a persistent handle is worth, that is, whether aziot-tpmd could work with it.

Pure. A key is judged by what it can do, not by equality with our templates: keys that the published
script, swtpm_setup and older runtimes left have other attributes or another `unique`, and work.
"""

from enum import Enum

from agent.tpm.ek_templates import L_1, in_words, template_of
from agent.tpm.public_area import PublicArea, name_of, parse_public, primary_qualified_name
from agent.tpm.templates import (
    EK_POLICY,
    EK_TEMPLATE,
    RSA,
    RSA_KEY_BITS,
    SRK_TEMPLATE,
    Attribute,
    Hierarchy,
    PersistentHandle,
)
from agent.values import dataclass

_KINDS = {0x0008: "an HMAC key or sealed data", 0x0023: "an ECC key", 0x0025: "a symmetric key"}


@dataclass(frozen=True, slots=True)
class Role:
    """What a key is for: where it lives, how it is made, which hierarchy it belongs to."""

    handle: PersistentHandle
    hierarchy: Hierarchy
    template: bytes


class KeyRole(Enum):
    """The two keys of a provisioned TPM."""

    EK = Role(PersistentHandle.EK, Hierarchy.ENDORSEMENT, EK_TEMPLATE)
    SRK = Role(PersistentHandle.SRK, Hierarchy.OWNER, SRK_TEMPLATE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a key is worth: `faults` name why aziot-tpmd can't work with it, none if it can.

    `lockable` says that the key stops working while the TPM is in dictionary-attack lockout. `template` is
    the TCG's template of an endorsement key, where it is known.
    """

    faults: tuple[str, ...] = ()
    lockable: bool = False
    template: str = ""

    @property
    def fit(self) -> bool:
        """Whether the key can be used as it is."""
        return not self.faults


FIT = Verdict()


def judge(role: KeyRole, public: bytes, qualified_name: bytes) -> Verdict:
    """Judge a TPM2B_PUBLIC, and the qualified Name the TPM gives with it, for a role."""
    if role is KeyRole.EK and (template := template_of(public)):
        return _judge_by_template(template, public, qualified_name)
    try:
        area = parse_public(public)
        if area.kind != RSA:
            return Verdict((f"it is {_KINDS.get(area.kind, f'an object of type {area.kind:#06x}')}",))
        primary = primary_qualified_name(name_of(public), role.value.hierarchy) == qualified_name
    except ValueError as error:
        return Verdict((f"its public area can't be used ({error})",))
    faults = [*_usage_faults(area), *_authorisation_faults(role, area)]
    if not primary:
        faults.append(f"it is no primary key of the {role.value.hierarchy.name.lower()} hierarchy")
    return Verdict(tuple(faults), lockable=role is KeyRole.SRK and not area.attributes & Attribute.NO_DA)


def _judge_by_template(template: str, public: bytes, qualified_name: bytes) -> Verdict:
    """Judge an endorsement key of the TCG's: aziot-tpmd fulfils the policy of L-1, and of no other."""
    foreign = f"it is an endorsement key of the TCG's template {in_words(template)}"
    faults = () if template == L_1 else (foreign,)
    if primary_qualified_name(name_of(public), Hierarchy.ENDORSEMENT) != qualified_name:
        return Verdict((*faults, "it is no primary key of the endorsement hierarchy"))
    return Verdict(faults, template=template)


def _usage_faults(area: PublicArea) -> list[str]:
    """Name what keeps an RSA key from being a storage key that TPM2_Import and ActivateCredential take."""
    faults = []
    if area.key_bits != RSA_KEY_BITS:
        faults.append(f"it has {area.key_bits} bits instead of {RSA_KEY_BITS}")
    if area.attributes & Attribute.SIGN:
        faults.append("it is a signing key")
    if not area.attributes & Attribute.DECRYPT:
        faults.append("it is no decryption key")
    if not area.attributes & Attribute.RESTRICTED:
        faults.append("it is not restricted")
    return faults


def _authorisation_faults(role: KeyRole, area: PublicArea) -> list[str]:
    """Name what keeps aziot-tpmd out: it uses the EK by its policy and the SRK by its empty password."""
    if role is KeyRole.EK:
        return [] if area.policy == EK_POLICY else ["its policy is not that of the TCG template L-1"]
    return [] if area.attributes & Attribute.USER_WITH_AUTH else ["it can't be used by password"]
