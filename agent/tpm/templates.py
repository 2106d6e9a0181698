"""The two primary keys that provisioning needs: where they live and the templates they are made from.

Pure. The templates are those of the TCG EK Credential Profile (L-1, RSA 2048) and of the TCG TPM v2.0
Provisioning Guidance (SRK, RSA 2048), in marshalled form; they give keys of the same Names as
aziot-tpmd's own. A template with another attribute or another `unique` gives another key.
"""

from enum import IntEnum


class PersistentHandle(IntEnum):
    """Where aziot-tpmd looks for its keys (TCG Registry of Reserved TPM 2.0 Handles)."""

    EK = 0x81010001
    SRK = 0x81000001


class Hierarchy(IntEnum):
    """The hierarchies whose seeds primary keys are derived from (TPM 2.0 part 2, TPM_RH)."""

    OWNER = 0x40000001
    ENDORSEMENT = 0x4000000B


class Attribute(IntEnum):
    """The TPMA_OBJECT bits (TPM 2.0 part 2) that decide what a key can be used for."""

    FIXED_TPM = 1 << 1
    FIXED_PARENT = 1 << 4
    SENSITIVE_DATA_ORIGIN = 1 << 5
    USER_WITH_AUTH = 1 << 6
    ADMIN_WITH_POLICY = 1 << 7
    NO_DA = 1 << 10
    RESTRICTED = 1 << 16
    DECRYPT = 1 << 17
    SIGN = 1 << 18


RSA = 0x0001
SHA256 = 0x000B
RSA_KEY_BITS = 2048

# PolicySecret(TPM_RH_ENDORSEMENT) by SHA-256: EK Credential Profile, "PolicyA".
EK_POLICY = bytes.fromhex("837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa")

_ORIGIN = Attribute.FIXED_TPM | Attribute.FIXED_PARENT | Attribute.SENSITIVE_DATA_ORIGIN
_STORAGE = _ORIGIN | Attribute.RESTRICTED | Attribute.DECRYPT
_AES_128_CFB = bytes.fromhex("000600800043")
_NULL_SCHEME = bytes.fromhex("0010")
_DEFAULT_EXPONENT = bytes(4)
_UNIQUE = bytes(RSA_KEY_BITS // 8)


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _rsa_template(attributes: int, policy: bytes, unique: bytes = _UNIQUE) -> bytes:
    """Marshal a TPM2B_PUBLIC of a restricted RSA decryption key (TPM 2.0 part 2, TPMT_PUBLIC)."""
    head = RSA.to_bytes(2, "big") + SHA256.to_bytes(2, "big") + attributes.to_bytes(4, "big")
    parameters = _AES_128_CFB + _NULL_SCHEME + RSA_KEY_BITS.to_bytes(2, "big") + _DEFAULT_EXPONENT
    return _sized(head + _sized(policy) + parameters + _sized(unique))


EK_TEMPLATE = _rsa_template(_STORAGE | Attribute.ADMIN_WITH_POLICY, EK_POLICY)
SRK_TEMPLATE = _rsa_template(_STORAGE | Attribute.USER_WITH_AUTH | Attribute.NO_DA, b"")

# The Azure IoT C SDK's template is L-1 but for its empty `unique`: the same attributes and policy, another
# key (azure-iot-sdk-c#2534). Devices that its tools set up first are enrolled with that key.
OLDER_EK_TEMPLATES = (_rsa_template(_STORAGE | Attribute.ADMIN_WITH_POLICY, EK_POLICY, b""),)
