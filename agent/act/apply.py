"""Have the runtime take config.toml over, prove that it did, and keep count of the applies that failed."""

from agent.act.record import Record
from agent.act.work import Work, program_of, settings_of
from agent.codes import AgentError, Finding, Phase, apply
from agent.edge import apply_text, config_text, generated, iotedge
from agent.facts.history import LONGEST_PAUSE_S, Attempt, may_retry, pause_s
from agent.facts.snapshot import Snapshot
from agent.facts.steps import APPLY, ApplyConfig, RestartRuntime
from agent.host import clock
from agent.look.config import read
from agent.plan.apply import was_cut_off
from agent.settings import Settings

_NEVER_S = 1e15  # an apply that a person must mend is repeated when config.toml changes or a person says so


def apply_config(work: Work, snapshot: Snapshot, _step: ApplyConfig) -> Snapshot:
    """Run `iotedge config apply` and read the files that it generates.

    Raises:
        AgentError: apply.*; the attempt is on record.
    """
    settings = settings_of(snapshot)
    timeout_s = settings.runtime.apply_timeout_s
    ended = iotedge.apply(work.request.root, program_of(snapshot), timeout_s=timeout_s)
    failure = apply_text.judge(ended, timeout_s) or _unproven(work, settings)
    if failure is not None:
        _record_failure(work, snapshot, failure)
        raise AgentError(failure)
    reapplied = _reapplied(work, snapshot)
    work.record.update(applied_digest=snapshot.config.digest, failed_apply=None, reapplied=reapplied)
    return snapshot


def restart_runtime(work: Work, snapshot: Snapshot, _step: RestartRuntime) -> Snapshot:
    """Bring the services back: with its files proven, the apply that was cut off is done then."""
    iotedge.restart(work.request.root, program_of(snapshot))
    _record_applied(work.record, snapshot)
    return snapshot


def _record_applied(record: Record, snapshot: Snapshot) -> None:
    """Record that an apply that nobody saw end has ended, unless config.toml is newer than its files."""
    if not snapshot.config.newer_than_generated:
        record.update(applied_digest=snapshot.config.digest, failed_apply=None)


def settle_intent(record: Record, snapshot: Snapshot) -> None:
    """Forget a step that was cut off: what is there now was looked at afresh. Only an apply leaves a debt."""
    intent = record.history.intent
    if intent is None or was_cut_off(intent, snapshot):
        return
    if intent.step == APPLY and intent.boot_id == snapshot.moment.boot_id:
        _record_applied(record, snapshot)
    record.update(intent=None)


def _unproven(work: Work, settings: Settings) -> Finding | None:
    """Read the generated files: they alone say whether the daemons were told."""
    facts = read(work.request.root, settings.runtime)
    wrong = generated.disagreements(config_text.parse(facts.text or ""), facts.generated)
    if not wrong:
        return None
    first = wrong[0]
    closed = facts.generated_closed.get(first.service)
    fault = f"can't be read ({closed})" if closed else first.fault
    return apply.UNPROVEN(service=f"aziot-{first.service}", about=first.about, fault=fault)


def _reapplied(work: Work, snapshot: Snapshot) -> Attempt | None:
    """Count an apply of what was applied before: who undoes it would have us stop all modules each time."""
    digest, boot_id, now_s = snapshot.config.digest, snapshot.moment.boot_id, clock.monotonic_s()
    before = work.record.history.reapplied
    if work.record.history.applied_digest != digest:
        return None
    lately = before is not None and not may_retry(before, boot_id=boot_id, now_s=now_s - LONGEST_PAUSE_S)
    times = 1 + (before.failures if before is not None and lately else 0)
    return Attempt(digest, apply.UNDONE.name, (), times, boot_id, now_s + pause_s(times, clock.jitter()))


def _record_failure(work: Work, snapshot: Snapshot, failure: Finding) -> None:
    earlier, moment = work.record.history.failed_apply, snapshot.moment
    same = earlier is not None and earlier.config_digest == snapshot.config.digest
    failures = 1 + (earlier.failures if earlier is not None and same else 0)
    pause = _NEVER_S if failure.code.phase is Phase.HELD else pause_s(failures, clock.jitter())
    attempt = Attempt(
        config_digest=snapshot.config.digest,
        code=failure.code.name,
        facts=failure.facts,
        failures=failures,
        boot_id=moment.boot_id,
        retry_at_s=clock.monotonic_s() + pause,
    )
    cut_off = failure.code is apply.TIMED_OUT  # its intent stays: services may have been left stopped
    work.record.update(failed_apply=attempt, intent=work.record.history.intent if cut_off else None)
