"""Whether the hierarchies that keys are made in are switched on, and whether they have a password. Pure.

An object of a hierarchy that is off is not seen at its handle, as if it were gone; so this is asked where a
key is absent, before that is believed. One command tells it all (TPM 2.0 part 2, TPM_PT_PERMANENT and
TPM_PT_STARTUP_CLEAR).
"""

import struct
from enum import StrEnum

from agent.tpm.templates import Hierarchy
from agent.values import dataclass

_NO_SESSIONS, _GET_CAPABILITY, _TPM_PROPERTIES = 0x8001, 0x0000017A, 0x00000006
_PERMANENT, _STARTUP_CLEAR = 0x200, 0x201
_OWNER_AUTH_SET, _ENDORSEMENT_AUTH_SET = 1 << 0, 1 << 1  # TPMA_PERMANENT
_STORAGE_ENABLED, _ENDORSEMENT_ENABLED = 1 << 1, 1 << 2  # TPMA_STARTUP_CLEAR: shEnable, ehEnable
_COMMAND_SIZE = 22
_HEADER = struct.Struct(">HIIBII")  # tag, size, response code, moreData, capability, count


@dataclass(frozen=True, slots=True)
class Hierarchies:
    """The state of both hierarchies."""

    owner_on: bool
    endorsement_on: bool
    owner_has_password: bool
    endorsement_has_password: bool


class Obstacle(StrEnum):
    """Why no key can be made in a hierarchy."""

    OFF = "it is switched off"
    PASSWORD_MISSING = "it has a password that was not given"  # noqa: S105  # words, no password
    PASSWORD_WRONG = "it has no password, and one was given"  # noqa: S105


def properties_command() -> bytes:
    """Give the command that asks for both properties; it needs no authorisation (TPM 2.0 part 3)."""
    words = (_NO_SESSIONS, _COMMAND_SIZE, _GET_CAPABILITY, _TPM_PROPERTIES, _PERMANENT, 2)
    return struct.pack(">HIIIII", *words)


def parse_properties(response: bytes) -> Hierarchies | None:
    """Read a TPM's response; None where it refuses or tells other properties, for then nothing is known."""
    if len(response) < _HEADER.size or _HEADER.unpack_from(response)[2]:
        return None
    pairs = response[_HEADER.size :]
    told = dict(struct.iter_unpack(">II", pairs[: len(pairs) // 8 * 8]))
    if not {_PERMANENT, _STARTUP_CLEAR} <= told.keys():
        return None
    permanent, startup = told[_PERMANENT], told[_STARTUP_CLEAR]
    return Hierarchies(
        owner_on=bool(startup & _STORAGE_ENABLED),
        endorsement_on=bool(startup & _ENDORSEMENT_ENABLED),
        owner_has_password=bool(permanent & _OWNER_AUTH_SET),
        endorsement_has_password=bool(permanent & _ENDORSEMENT_AUTH_SET),
    )


def obstacle(state: Hierarchies, hierarchy: Hierarchy, password: str | None) -> Obstacle | None:
    """Say what keeps a key from being made in a hierarchy; a password that is None is not known to us."""
    owner = hierarchy is Hierarchy.OWNER
    if not (state.owner_on if owner else state.endorsement_on):
        return Obstacle.OFF
    has_password = state.owner_has_password if owner else state.endorsement_has_password
    if password is None or bool(password) == has_password:
        return None
    return Obstacle.PASSWORD_MISSING if has_password else Obstacle.PASSWORD_WRONG
