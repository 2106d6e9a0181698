"""Look at the TPM: which one, its keys, and since when it has been there.

A timer's look at a device that was well goes by the record while the same node is there: it wakes no TPM.
"""

from agent.codes import AgentError, Phase
from agent.codes import tpm as codes
from agent.facts.history import History
from agent.facts.request import Request
from agent.facts.snapshot import ConfigFacts, Moment, Snapshot, TpmFacts
from agent.facts.status import SeenNode, Status
from agent.host.root import Root
from agent.settings import Settings
from agent.tpm import keys, nodes, survey
from agent.tpm.device import Device, tcti_for_runtime
from agent.tpm.keys import CREDENTIAL_PLACES
from agent.tpm.protocol import KeyState
from agent.tpm.public_area import name_of
from agent.values import replace

_WELL = (Phase.PROVISIONED, Phase.PROVISIONING)


def places(_settings: Settings) -> tuple[str, ...]:
    """Name the files that this look goes by, besides the nodes, of which udev tells."""
    return CREDENTIAL_PLACES


def look(request: Request, settings: Settings, snapshot: Snapshot, before: Status | None) -> Snapshot:
    """Choose the TPM and read its keys; what can't be done is the facts' `trouble`."""
    return replace(snapshot, tpm=_tpm(request, settings, snapshot, before))


def _tpm(request: Request, settings: Settings, snapshot: Snapshot, before: Status | None) -> TpmFacts:
    history, moment = snapshot.history, snapshot.moment
    present = nodes.list_nodes(request.root)
    seen = _seen(present, before, moment)
    if trouble := snapshot.authorisations.trouble:
        return TpmFacts(asked=True, seen=seen, trouble=trouble)
    if not request.wakes_tpm and _was_well(before) and history.ek_public:
        recorded = _recorded(request.root, settings, history, before, present)
        if recorded is not None:
            return replace(recorded, seen=seen)
    if before is not None and _waits_for_its_firmware(settings, before, present):
        device = before.tpm.node or " or ".join(one.name for one in present)
        trouble = codes.FIRMWARE_UPDATE(device=device)
        return TpmFacts(node=before.tpm.node, seen=seen, trouble=trouble)
    found = _asked(request, settings, snapshot, present)
    return replace(found, seen=seen, settles_in_s=_settles_in_s(found, seen, settings, moment))


def _waits_for_its_firmware(settings: Settings, before: Status, present: tuple[Device, ...]) -> bool:
    """Say whether the TPM was in the middle of a firmware update and is still the same: it is sent nothing.

    A TPM without a node can't be told from its successor, and is asked.
    """
    if before.tpm.trouble != codes.FIRMWARE_UPDATE.name or before.tpm.setting != settings.tpm.device:
        return False
    known = {(one.name, one.inode) for one in before.tpm.seen}
    return bool(known) and known == {(one.name, one.inode) for one in present}


def _was_well(before: Status | None) -> bool:
    """Say whether the last look found nothing wrong, or the runtime still on its way."""
    return before is not None and before.phase in _WELL and before.step is None


def _recorded(
    root: Root,
    settings: Settings,
    history: History,
    before: Status | None,
    present: tuple[Device, ...],
) -> TpmFacts | None:
    """Give the facts of the record, if the node that was used is still the same one."""
    if before is None or before.tpm.setting != settings.tpm.device:
        return None
    node = before.tpm.node
    device = nodes.device(root, node or settings.tpm.device) if node or ":" in settings.tpm.device else None
    known = {one.name: one.inode for one in before.tpm.seen}
    if device is None or (node and known.get(node) != device.inode):
        return None
    public = bytes.fromhex(history.ek_public)
    return TpmFacts(
        node=node,
        runtime_tcti=tcti_for_runtime(device, present),
        ek_public=public,
        ek_name=name_of(public).hex(),
        srk_name=history.srk_name,
    )


def _asked(request: Request, settings: Settings, snapshot: Snapshot, present: tuple[Device, ...]) -> TpmFacts:
    stored, given = stored_ek_name(snapshot.history, adopt=request.adopt), snapshot.authorisations
    try:
        wanted = survey.Wanted(settings.tpm.device, stored, given, patience(settings))
        choice = survey.select(request.root, wanted)
        if choice.device is None:
            return TpmFacts(asked=True, trouble=choice.finding or codes.ABSENT())
        blank = TpmFacts(
            node=choice.device.name if choice.device.path else "",
            runtime_tcti=tcti_for_runtime(choice.device, present),
            asked=True,
        )
    except AgentError as error:
        return TpmFacts(asked=True, trouble=error.finding)
    try:
        ask = keys.Request(choice.device, given, patience(settings), expected_ek_name=stored)
        found = keys.show(request.root, ask)
        if _is_to_be_foreseen(found) and (request.foresees or stored or _names_its_id(snapshot.config)):
            found = keys.derive(request.root, ask)
        return with_keys(blank, found, stored)
    except AgentError as error:
        return replace(blank, trouble=error.finding)


def _is_to_be_foreseen(found: keys.Keys) -> bool:
    """Say whether the EK is missing, and could be made now."""
    return found.ek.state is KeyState.ABSENT and not found.foreign and not found.obstacle


def _names_its_id(config: ConfigFacts) -> bool:
    """Say whether a registration id is there that may be of another key than the one that would be made.

    Then the key is looked at before anything is made: no step comes before a hold (ADR 0003).
    """
    return "registration_id" in (config.text or "") or config.generated.get("identityd") is not None


def with_keys(facts: TpmFacts, found: keys.Keys, stored_name: str) -> TpmFacts:
    """Put what was found in the TPM into its facts; another EK than the stored one is trouble."""
    ek = found.ek
    trouble = found.foreign
    if trouble is None and ek.persistent and stored_name not in ("", ek.name):
        trouble = codes.REPLACED(device=found.device.name, found=ek.name, wanted=stored_name)
    trouble = trouble or found.obstacle
    pairs = (("the endorsement key", ek), ("the storage root key", found.srk))
    return replace(
        facts,
        missing_keys=tuple(what for what, key in pairs if not key.persistent),
        ek_public=ek.public if ek.usable else b"",
        ek_name=ek.name,
        srk_name=found.srk.name,
        trouble=trouble,
        notices=found.notices,
    )


def stored_ek_name(history: History, *, adopt: bool) -> str:
    """Give the Name of this device's EK as it is on record; a person's --adopt forgets it."""
    if adopt or not history.ek_public:
        return ""
    return name_of(bytes.fromhex(history.ek_public)).hex()


def patience(settings: Settings) -> keys.Patience:
    """Give the TPM's deadlines as the settings have them."""
    return keys.Patience(create_s=settings.tpm.timeout_s)


def _seen(present: tuple[Device, ...], before: Status | None, moment: Moment) -> tuple[SeenNode, ...]:
    """Say since when each node has been there, as the same inode.

    A node that is new to us is as old as its inode's last change says, if the wall clock can be trusted.
    """
    same_boot = before is not None and before.writer.boot_id == moment.boot_id
    known = {(one.name, one.inode): one.since_s for one in before.tpm.seen} if before and same_boot else {}
    return tuple(
        SeenNode(
            one.name,
            one.inode,
            known.get((one.name, one.inode), moment.monotonic_s - max(0.0, moment.wall_s - one.changed_s)),
        )
        for one in present
    )


def _settles_in_s(facts: TpmFacts, seen: tuple[SeenNode, ...], settings: Settings, moment: Moment) -> float:
    since = next((one.since_s for one in seen if one.name == facts.node), None)
    if since is None:
        return 0.0
    return max(0.0, settings.tpm.settle_s - (moment.monotonic_s - since))
