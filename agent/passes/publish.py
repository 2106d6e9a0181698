"""Tell what a pass found: the status file, and the journal where something changed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from agent.act.record import Record, save_status
from agent.act.work import Outcome
from agent.codes import Finding, identity
from agent.codes import runtime as codes
from agent.facts.history import Identity
from agent.facts.request import Request
from agent.facts.snapshot import Because, Snapshot
from agent.facts.status import Notice, Status, TpmStatus, UnitStatus, Writer
from agent.host import clock
from agent.host.root import Root
from agent.plan import verdict, written

_INTERVAL_WITHOUT_SETTINGS_S = 60.0


def publish(request: Request, outcome: Outcome, before: Status | None, transaction: str) -> Status:
    """Write the status, and one event if the pass did something or found something else than the last.

    Raises:
        AgentError: agent.state-unwritable.
    """
    status = status_of(request, outcome, before, transaction)
    save_status(request.root, status)
    speak = Speaker(request.root, transaction)
    if outcome.done or before is None or before.code != status.code:
        steps = ", ".join(step.name for step in outcome.done)
        speak(outcome.finding, phase=status.phase, steps=steps, because=request.because)
    known = {notice.code for notice in before.notices} if before else set()
    for notice in outcome.notices:
        if notice.code.name not in known:
            speak(notice, phase=status.phase)
    return status


@dataclass(frozen=True, slots=True)
class Speaker:
    """Writes findings of one pass to the journal, where the MESSAGE_ID leads to the explanation."""

    root: Root
    transaction: str

    def __call__(self, finding: Finding, **fields: str) -> None:
        """Write one."""
        from agent.host.log import logger  # structlog costs 50 ms, which a pass with nothing to say saves

        told = {name: value for name, value in {**dict(finding.facts), **fields}.items() if value}
        logger(self.root, transaction=self.transaction).info(
            finding.summary,
            MESSAGE_ID=finding.code.message_id,
            priority=finding.code.severity.priority,
            code=finding.code.name,
            remedy=finding.remedy,
            **told,
        )


def status_of(request: Request, outcome: Outcome, before: Status | None, transaction: str) -> Status:
    """Put together what `status` shows and the next pass compares with."""
    snapshot, finding = outcome.snapshot, outcome.finding
    now = snapshot.moment.wall_s
    same = before is not None and before.code == finding.code.name
    since = before.since if before is not None and same else now
    interval_s = snapshot.settings.watch.interval_s if snapshot.settings else _INTERVAL_WITHOUT_SETTINGS_S
    answer = snapshot.runtime.answer
    return Status(
        phase=finding.code.phase,
        code=finding.code.name,
        summary=finding.summary,
        remedy=finding.remedy,
        since=since,
        seen_at=now,
        monotonic_s=snapshot.moment.monotonic_s,
        look_again_s=verdict.look_again_s(finding, since_s=max(0.0, now - since), interval_s=interval_s),
        transaction=transaction,
        writer=_writer(request, snapshot),
        registration_id=written.registration_id(snapshot),
        hub=answer.hub,
        device_id=answer.device_id,
        tpm=TpmStatus(snapshot.tpm.node, snapshot.tpm.ek_name, snapshot.tpm.seen),
        units=_units(snapshot),
        runtime_version=snapshot.runtime.version,
        runtime_says={line.name: f"{line.state} {line.detail}".strip() for line in snapshot.runtime.status},
        notices=_notices(outcome, before),
    )


def _notices(outcome: Outcome, before: Status | None) -> tuple[Notice, ...]:
    """Give the notices; what was known of the TPM stays known while it is not asked."""
    kept = () if before is None or outcome.snapshot.tpm.asked else before.notices
    return (
        *(Notice(one.code.name, one.summary, one.remedy) for one in outcome.notices),
        *(one for one in kept if one.code.startswith("tpm.")),
    )


def _units(snapshot: Snapshot) -> Mapping[str, UnitStatus]:
    services = (unit for unit in snapshot.runtime.units or () if unit.name.endswith(".service"))
    return {
        unit.name.removesuffix(".service"): UnitStatus(unit.active, unit.pid, unit.restarts)
        for unit in services
    }


def _writer(request: Request, snapshot: Snapshot) -> Writer:
    """Name the watcher whose pass this is; for a command, the command itself."""
    pid = os.getpid() if request.because is Because.COMMAND else os.getppid()
    return Writer(snapshot.moment.boot_id, pid, clock.process_start_ticks(pid) or 0, request.because)


def record_identity(record: Record, snapshot: Snapshot, finding: Finding) -> tuple[Finding, ...]:
    """Keep the identity that was just proven, with the settings it belongs to; say if it is another one."""
    settings, answer = snapshot.settings, snapshot.runtime.answer
    if finding.code is not codes.PROVISIONED or settings is None:
        return ()
    had = record.history.identity
    if had is not None and (had.hub, had.device_id) == (answer.hub, answer.device_id):
        return ()
    proven = Identity(
        hub=answer.hub,
        device_id=answer.device_id,
        id_scope=settings.dps.id_scope,
        registration_id=written.registration_id(snapshot),
        global_endpoint=settings.dps.global_endpoint,
    )
    record.update(identity=proven)
    if had is None:
        return ()
    facts = {"old_device_id": had.device_id, "old_hub": had.hub}
    return (identity.MOVED(device_id=answer.device_id, hub=answer.hub, **facts),)
