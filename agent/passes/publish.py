"""Tell what a pass found: the status file, and the journal where something changed."""

import os
from collections.abc import Mapping

from agent.act.record import Record, save_status
from agent.act.work import Outcome
from agent.codes import Finding, identity
from agent.codes.agent import WORKING
from agent.codes.shown import shown, shown_lines
from agent.facts.history import Identity
from agent.facts.request import Request
from agent.facts.snapshot import Because, Snapshot
from agent.facts.status import ModuleStatus, Notice, Status, StepStatus, TpmStatus, UnitStatus, Writer
from agent.facts.steps import Begun
from agent.host import clock
from agent.plan import ek_changes, verdict, written
from agent.values import dataclass, replace

_INTERVAL_WITHOUT_SETTINGS_S = 60.0


@dataclass(frozen=True, slots=True)
class Publisher:
    """Tells what one pass does and finds; `before` is what the last one found."""

    request: Request
    before: Status | None
    transaction: str

    def begun(self, snapshot: Snapshot, begun: Begun) -> None:
        """Write that a step is being done: what was known before it is not true any more.

        Raises:
            AgentError: agent.state-unwritable.
        """
        now_s, pid = clock.wall_s(), os.getpid()
        step = StepStatus(
            name=begun.step.name,
            effect=shown(begun.step.effect),
            number=begun.number,
            of=begun.of,
            since=now_s,
            pid=pid,
            start_time=clock.process_start_ticks(pid) or 0,
        )
        working = WORKING(number=step.number, of=step.of, effect=step.effect, pid=pid)
        found = self._status(Outcome(snapshot, working))
        save_status(self.request.root, replace(found, since=now_s, step=step))

    def finished(self, outcome: Outcome) -> Status:
        """Write the status, and one event if the pass did something or found something else than the last.

        Raises:
            AgentError: agent.state-unwritable.
        """
        status, before = self._status(outcome), self.before
        save_status(self.request.root, status)
        if outcome.done or before is None or before.code != status.code:
            steps = ", ".join(step.name for step in outcome.done)
            self.speak(outcome.finding, phase=status.phase, steps=steps, because=self.request.because)
        known = {notice.code for notice in before.notices} if before else set()
        for notice in outcome.notices:
            if notice.code.name not in known:
                self.speak(notice, phase=status.phase)
        return status

    def speak(self, finding: Finding, **fields: str) -> None:
        """Write a finding to the journal, where the MESSAGE_ID leads to the explanation."""
        from agent.host.log import logger  # structlog costs 50 ms, which a pass with nothing to say saves

        more = {name: shown_lines(value) for name, value in fields.items()}
        told = {name: value for name, value in {**dict(finding.facts), **more}.items() if value}
        logger(self.request.root, transaction=self.transaction).info(
            finding.summary,
            MESSAGE_ID=finding.code.message_id,
            priority=finding.code.severity.priority,
            code=finding.code.name,
            remedy=finding.remedy,
            **told,
        )

    def _status(self, outcome: Outcome) -> Status:
        """Put together what `status` shows and the next pass compares with."""
        snapshot, finding, before = outcome.snapshot, outcome.finding, self.before
        now_s = snapshot.moment.wall_s
        same = before is not None and before.code == finding.code.name
        since = before.since if before is not None and same else now_s
        answer = snapshot.runtime.answer
        return Status(
            phase=finding.code.phase,
            code=finding.code.name,
            summary=finding.summary,
            remedy=finding.remedy,
            since=since,
            seen_at=now_s,
            monotonic_s=snapshot.moment.monotonic_s,
            look_again_s=_look_again_s(outcome, max(0.0, now_s - since)),
            transaction=self.transaction,
            writer=_writer(self.request, snapshot),
            registration_id=_registration_id(snapshot),
            hub=shown(answer.hub),
            device_id=shown(answer.device_id),
            tpm=_tpm(snapshot),
            units=_units(snapshot),
            modules=_modules(snapshot),
            runtime_version=shown(snapshot.runtime.version),
            runtime_says=_said(snapshot),
            notices=_notices(outcome, before),
            judged=dict(snapshot.judged),
        )


def _look_again_s(outcome: Outcome, since_s: float) -> float:
    settings = outcome.snapshot.settings
    interval_s = settings.watch.interval_s if settings else _INTERVAL_WITHOUT_SETTINGS_S
    return verdict.look_again_s(
        outcome.finding, since_s=since_s, interval_s=interval_s, notices=outcome.notices
    )


def _said(snapshot: Snapshot) -> Mapping[str, str]:
    said = ((line.name, f"{line.state} {line.detail}".strip()) for line in snapshot.runtime.status)
    return {shown(name): shown(words) for name, words in said}


def _tpm(snapshot: Snapshot) -> TpmStatus:
    setting = snapshot.settings.tpm.device if snapshot.settings else ""
    found, trouble = snapshot.tpm, snapshot.tpm.trouble
    return TpmStatus(found.node, found.ek_name, found.seen, setting, trouble.code.name if trouble else "")


def _notices(outcome: Outcome, before: Status | None) -> tuple[Notice, ...]:
    """Give the notices; what was known of the TPM stays known while it is not asked."""
    kept = () if before is None or outcome.snapshot.tpm.asked else before.notices
    return (
        *(Notice(one.code.name, one.summary, one.remedy) for one in outcome.notices),
        *(one for one in kept if one.code.startswith("tpm.")),
    )


def _registration_id(snapshot: Snapshot) -> str:
    settings = snapshot.settings
    return shown(written.registration(snapshot, settings).registration_id) if settings else ""


def _units(snapshot: Snapshot) -> Mapping[str, UnitStatus]:
    services = (unit for unit in snapshot.runtime.units or () if unit.name.endswith(".service"))
    return {
        unit.name.removesuffix(".service"): UnitStatus(shown(unit.active), unit.pid, unit.restarts)
        for unit in services
    }


def _modules(snapshot: Snapshot) -> Mapping[str, ModuleStatus]:
    agent = snapshot.runtime.edge_agent
    return {"edgeAgent": ModuleStatus(shown(agent.state), agent.pid)} if agent.state else {}


def _writer(request: Request, snapshot: Snapshot) -> Writer:
    """Name the watcher whose pass this is; for a command, the command itself."""
    pid = os.getpid() if request.because is Because.COMMAND else os.getppid()
    return Writer(snapshot.moment.boot_id, pid, clock.process_start_ticks(pid) or 0, request.because)


def record_key(record: Record, snapshot: Snapshot, finding: Finding) -> None:
    """Keep the endorsement key that was met; one that a person takes over before anything is written, too."""
    seen, history = replace(snapshot, history=record.history), record.history
    record.update(ek_trail=ek_changes.trail_after(seen, finding))
    if snapshot.adopt and history.ek_public and snapshot.tpm.ek_public and not history.written:
        record.update(ek_public=snapshot.tpm.ek_public.hex())


def record_identity(record: Record, snapshot: Snapshot, finding: Finding) -> tuple[Finding, ...]:
    """Keep the identity that was just proven, with the settings it belongs to; say if it is another one."""
    settings, answer = snapshot.settings, snapshot.runtime.answer
    if settings is None or not verdict.proves_identity(finding):
        return ()
    had, registered = record.history.identity, written.registration(snapshot, settings)
    if had is not None and (had.hub, had.device_id) == (answer.hub, answer.device_id):
        return ()
    proven = Identity(
        hub=answer.hub,
        device_id=answer.device_id,
        id_scope=settings.dps.id_scope,
        registration_id=registered.registration_id,
        global_endpoint=registered.global_endpoint,
    )
    record.update(identity=proven)
    if had is None:
        return ()
    facts = {"old_device_id": had.device_id, "old_hub": had.hub}
    return (identity.MOVED(device_id=answer.device_id, hub=answer.hub, **facts),)
