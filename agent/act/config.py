"""Write config.toml and the payload file, and remember what we wrote."""

from agent.act.work import Work, root_uid, settings_of
from agent.codes import AgentError, Code, config
from agent.edge import config_text, unwritable
from agent.edge.config_paths import PAYLOAD_READER
from agent.edge.generated import disagreements
from agent.facts.history import History
from agent.facts.snapshot import Snapshot
from agent.facts.steps import RecordConfig, WriteConfig, WritePayload
from agent.host import failures, files
from agent.look.config import digest_of
from agent.plan import by_tpm
from agent.plan.config_keys import intended_keys
from agent.plan.written import record_of

_BACKUPS_KEPT = 5


def write_payload(work: Work, snapshot: Snapshot, step: WritePayload) -> Snapshot:
    """Write the payload, readable by the daemon that reads it: aziot-identityd, when it registers."""
    root = work.request.root
    reader = root.user(PAYLOAD_READER)
    attributes = files.Attributes(0o640, root_uid(), reader.gid if reader else None)
    try:
        files.write(root.path(step.place), step.data, attributes)
    except OSError as error:
        raise _unwritable(config.PAYLOAD_UNWRITABLE, step.place, error) from error
    return snapshot


def write_config(work: Work, snapshot: Snapshot, step: WriteConfig) -> Snapshot:
    """Write config.toml, keeping the old text; not if somebody changed it since we looked."""
    path = work.request.root.path(step.path)
    try:
        old = files.read(path)
        if (None if old is None else old.decode()) != snapshot.config.text:
            return snapshot
        if old is not None:
            files.keep_backup(path, old, stamp=f"{int(snapshot.moment.wall_s)}", keep=_BACKUPS_KEPT)
        files.write(path, step.text.encode(), files.Attributes(0o600, root_uid(), root_uid()))
    except OSError as error:
        raise _unwritable(config.UNWRITABLE, step.path, error) from error
    return _remember_config(work, snapshot, step.text)


def _unwritable(code: Code, path: str, error: OSError) -> AgentError:
    mend = unwritable.mend(error.errno, path)
    return AgentError(code(path=path, reason=failures.reason(error), mend=mend))


def record_config(work: Work, snapshot: Snapshot, _step: RecordConfig) -> Snapshot:
    """Remember a config.toml that already says what the settings want."""
    return _remember_config(work, snapshot, snapshot.config.text or "")


def _remember_config(work: Work, snapshot: Snapshot, text: str) -> Snapshot:
    """Record our keys as they stand and the device they stand for: another TPM is another device now."""
    settings = settings_of(snapshot)
    identifier = by_tpm.registration_id(snapshot, settings)
    intended = intended_keys(snapshot, settings, config_text.parse(text), identifier)
    work.record.update(
        **_applied(work.record.history, snapshot, text),
        written=record_of(intended),
        ek_public=snapshot.tpm.ek_public.hex(),
        srk_name=snapshot.tpm.srk_name,
        machine_id=snapshot.moment.machine.machine_id,
    )
    return snapshot


def _applied(history: History, snapshot: Snapshot, text: str) -> dict[str, str]:
    """Count an edit of ours as applied where the daemons need not hear of it."""
    was_applied = history.applied_digest == snapshot.config.digest != digest_of(text)
    if not was_applied or disagreements(config_text.parse(text), snapshot.config.generated):
        return {}
    return {"applied_digest": digest_of(text)}
