"""Look at every TPM that could be the device's, and choose."""

from collections.abc import Iterator

from agent.codes import AgentError
from agent.host.root import Root
from agent.tpm import keys, nodes
from agent.tpm.choice import Choice, Seen, choose, names_one_device
from agent.tpm.device import Device
from agent.tpm.keys import DEFAULT_PATIENCE, NO_AUTHORISATIONS, Authorisations, Patience, Request
from agent.tpm.protocol import KeyState
from agent.values import dataclass, replace


@dataclass(frozen=True, slots=True)
class Wanted:
    """What decides: `[tpm] device`, the EK Name (hex) of the last provisioning, and how to ask a TPM."""

    setting: str = "auto"
    stored_ek_name: str = ""
    authorisations: Authorisations = NO_AUTHORISATIONS
    patience: Patience = DEFAULT_PATIENCE


def select(root: Root, wanted: Wanted) -> Choice:
    """Choose the TPM. A single candidate is taken unseen: who asks for its keys says which EK it must have.

    Of several each is asked for its keys (two commands), by number, until one has the stored EK: what was
    plugged in besides is not waited for. Where that doesn't decide, one without an EK is asked what its EK
    would be.
    """
    if names_one_device(wanted.setting):
        return Choice(nodes.device(root, wanted.setting))
    found = nodes.list_nodes(root)
    if not found:
        return Choice(finding=nodes.absence(root))
    if len(found) == 1 and wanted.setting == "auto":
        return Choice(found[0])
    seen = tuple(_until_known(wanted, (_look(root, wanted, device) for device in found)))
    choice = choose(wanted.setting, seen, wanted.stored_ek_name)
    if choice.device is None and (wanted.stored_ek_name or wanted.setting != "auto"):
        seen = tuple(_look_closer(root, wanted, each) for each in seen)
        choice = choose(wanted.setting, seen, wanted.stored_ek_name)
    return choice


def _until_known(wanted: Wanted, candidates: Iterator[Seen]) -> Iterator[Seen]:
    for seen in candidates:
        yield seen
        if wanted.setting == "auto" and seen.ek_name and seen.ek_name == wanted.stored_ek_name:
            return


def _look(root: Root, wanted: Wanted, device: Device) -> Seen:
    try:
        found = keys.show(root, _request(wanted, device))
    except AgentError as error:
        return Seen(device, failure=error.finding)
    return Seen(device, found.ek.name if found.ek.usable else "", vacant=found.ek.state is KeyState.ABSENT)


def _look_closer(root: Root, wanted: Wanted, seen: Seen) -> Seen:
    if not seen.vacant:
        return seen
    try:
        request = replace(_request(wanted, seen.device), expected_ek_name=wanted.stored_ek_name)
        return Seen(seen.device, keys.derive_any(root, request).ek.name)
    except AgentError as error:
        return Seen(seen.device, failure=error.finding)


def _request(wanted: Wanted, device: Device) -> Request:
    return Request(device, wanted.authorisations, wanted.patience)
