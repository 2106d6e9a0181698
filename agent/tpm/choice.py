"""Which of several TPMs is the device's: decided by EK Name, never by the order in which nodes appear.

Pure. `seen` is every candidate with what could be learned about it.
"""

from agent.codes import Finding
from agent.codes import tpm as codes
from agent.tpm.device import Device
from agent.values import dataclass

_BY_EK = "ek:"


@dataclass(frozen=True, slots=True)
class Seen:
    """A TPM and the Name (hex) of the EK it has or would make; empty if that is unknown or its EK is unfit.

    `vacant`: there is no EK in it. `failure` says why the TPM could not be read.
    """

    device: Device
    ek_name: str = ""
    vacant: bool = False
    failure: Finding | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The TPM to use, or why there is none."""

    device: Device | None = None
    finding: Finding | None = None


def names_one_device(setting: str) -> bool:
    """Say whether a `[tpm] device` is a node or a TCTI string, and so needs no choice."""
    return setting != "auto" and not setting.startswith(_BY_EK)


def choose(setting: str, seen: tuple[Seen, ...], stored_ek_name: str = "") -> Choice:
    """Choose the TPM by `[tpm] device` and by the EK Name (hex) of its last provisioning, if any."""
    if not seen:
        return Choice(finding=codes.ABSENT())
    if setting.startswith(_BY_EK):
        return _by_prefix(setting.removeprefix(_BY_EK).lower(), seen, stored_ek_name)
    if len(seen) == 1:
        return _only(seen[0], stored_ek_name)
    if not stored_ek_name:
        return Choice(finding=codes.SEVERAL(found=_listed(seen)))
    stored = [each for each in seen if each.ek_name == stored_ek_name]
    return Choice(stored[0].device) if stored else _none(stored_ek_name, seen)


def _by_prefix(prefix: str, seen: tuple[Seen, ...], stored_ek_name: str) -> Choice:
    matching = [each for each in seen if prefix and each.ek_name.startswith(prefix)]
    if not matching:
        return _none(prefix, seen)
    if len({each.ek_name for each in matching}) > 1:
        return Choice(finding=codes.AMBIGUOUS(wanted=prefix, found=_listed(tuple(matching))))
    return _only(matching[0], stored_ek_name)


def _only(only: Seen, stored_ek_name: str) -> Choice:
    """Take the one candidate, be it unreadable just now; one without an EK is judged when that is made."""
    if only.failure is None and only.ek_name and stored_ek_name not in ("", only.ek_name):
        facts = {"device": only.device.name, "found": only.ek_name, "wanted": stored_ek_name}
        return Choice(finding=codes.REPLACED(**facts))
    return Choice(only.device, only.failure)


def _none(wanted: str, seen: tuple[Seen, ...]) -> Choice:
    """No TPM has the wanted EK; but one that can't be read may be it."""
    failure = next((each.failure for each in seen if each.failure), None)
    return Choice(finding=failure or codes.NOT_AMONG(wanted=wanted, found=_listed(seen)))


def _listed(seen: tuple[Seen, ...]) -> str:
    return "; ".join(f"{each.device.name} ({_known(each)})" for each in seen)


def _known(each: Seen) -> str:
    if each.failure:
        return each.failure.code.name
    if each.ek_name:
        return f"EK Name {each.ek_name}"
    return "no EK yet" if each.vacant else "a foreign object in place of its EK"
