"""Make the TPM's keys persistent."""

from agent.act.work import Work, settings_of
from agent.codes import AgentError
from agent.facts.snapshot import Snapshot
from agent.facts.steps import EnsureKeys
from agent.look.tpm import patience, stored_ek_name, with_keys
from agent.plan import ek_changes
from agent.tpm import keys, nodes
from agent.values import replace


def ensure_keys(work: Work, snapshot: Snapshot, _step: EnsureKeys) -> Snapshot:
    """Make what is missing; what was made is what is there now, so the TPM is not asked again.

    Before config.toml is written, the record learns the key here: its identity may be enrolled from now on.
    """
    settings = settings_of(snapshot)
    device = nodes.device(work.request.root, snapshot.tpm.node or settings.tpm.device)
    stored = stored_ek_name(work.record.history, adopt=work.request.adopt)
    ask = keys.Request(device, snapshot.authorisations, patience(settings), expected_ek_name=stored)
    try:
        found = keys.ensure(work.request.root, ask)
    except AgentError as error:
        raise AgentError(ek_changes.told(error.finding, work.record.history)) from error
    if not work.record.history.written:
        own = snapshot.moment.machine.machine_id
        work.record.update(ek_public=found.ek.public.hex(), machine_id=own)
    return replace(snapshot, tpm=with_keys(snapshot.tpm, found, stored))
