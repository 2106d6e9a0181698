"""Registration ids: from the endorsement key, from a literal, or from a template of facts about the machine.

Pure. The id is what the device is called in the cloud for ever, so nothing is guessed: a value that is
missing or that thousands of machines share is refused.
"""

import base64
import hashlib
import re

from agent.codes import AgentError
from agent.codes import registration as codes
from agent.values import dataclass

_LONGEST = 128  # Device Provisioning Service, registrationId
_ALLOWED = re.compile(r"[a-z0-9._:-]*")
_COMPUTED = re.compile(r"[0-9a-f]{64}|[a-z2-7]{52}")  # a SHA-256 in hex or in base32
_FIELD = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDERS = frozenset({
    "(none)", "0123456789", "1234567890", "123456789", "12345678", "123456", "chassis serial number",
    "default", "default string", "empty", "invalid", "localhost", "localhost.localdomain", "n/a", "na",
    "none", "not applicable", "not available", "not defined", "not specified", "null", "o.e.m.", "oem",
    "serial", "serial number", "system serial number", "to be filled by o.e.m.", "to be filled by oem",
    "undefined", "uninitialized", "unknown",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What a template may name; empty where the machine does not say."""

    machine_id: str = ""
    hostname: str = ""
    serial: str = ""


def ek_sha256(public: bytes) -> str:
    """Give the registration id of the published procedure: hex SHA-256 of the TPM2B_PUBLIC."""
    return hashlib.sha256(public).hexdigest()


def ek_base32(public: bytes) -> str:
    """Give the registration id of the older SDK tool: the same digest in lower-case base32, unpadded."""
    return base64.b32encode(hashlib.sha256(public).digest()).decode().rstrip("=").lower()


def endorsement_key(public: bytes) -> str:
    """Give the endorsement key as an enrolment takes it: base64 of the TPM2B_PUBLIC."""
    return base64.b64encode(public).decode()


def is_of_another_key(identifier: str, public: bytes) -> bool:
    """Say whether a registration id was computed from an endorsement key, and not from this one.

    `public` is the EK's TPM2B_PUBLIC; while it is not known (empty), no computed id is this one's.
    """
    own = (ek_sha256(public), ek_base32(public)) if public else ()
    return bool(_COMPUTED.fullmatch(identifier)) and identifier not in own


def needs_endorsement_key(setting: str) -> bool:
    """Say whether a `[dps] registration_id` is computed from the endorsement key."""
    return setting in ("auto", "ek-sha256", "ek-base32")


def resolve(setting: str, public: bytes, facts: MachineFacts) -> str:
    """Give the registration id that `[dps] registration_id` stands for on this machine.

    `public` is the EK's TPM2B_PUBLIC; it may be empty where the setting does not need it.

    Raises:
        AgentError: a value is missing or a placeholder, or the result breaks the service's rules.

    """
    if setting == "ek-base32":
        return ek_base32(public)
    if needs_endorsement_key(setting):
        return ek_sha256(public)
    identifier = _FIELD.sub(lambda found: _value(found[1], facts), setting)
    return _checked(setting, identifier)


def _value(field: str, facts: MachineFacts) -> str:
    values = {"machine_id": facts.machine_id, "hostname": facts.hostname, "serial": facts.serial}
    if field not in values:
        raise AgentError(codes.UNKNOWN_FIELD(field=field, known=", ".join(f"{{{name}}}" for name in values)))
    value = values[field].strip().lower()  # the service compares without case and wants lower case
    if not value:
        raise AgentError(codes.EMPTY_VALUE(field=field))
    if value in _PLACEHOLDERS or len(set(value)) == 1:
        raise AgentError(codes.PLACEHOLDER(field=field, value=values[field].strip()))
    return value


def _checked(setting: str, identifier: str) -> str:
    if fault := _fault(identifier):
        raise AgentError(codes.INVALID(setting=setting, identifier=identifier, fault=fault))
    return identifier


def _fault(identifier: str) -> str:
    if not identifier:
        return "it is empty"
    if len(identifier) > _LONGEST:
        return f"it has {len(identifier)} characters; {_LONGEST} are allowed"
    if not _ALLOWED.fullmatch(identifier):
        strange = sorted(set(_ALLOWED.sub("", identifier)))
        return f"it contains {' '.join(map(repr, strange))}; a-z 0-9 - . _ : are allowed"
    if identifier[-1] in "._:":
        return "it must end in a letter, a digit or a dash"
    return ""
