"""Carry a plan out: write the intent, do one step, look again, and ask the planner what is left.

A step is proven when the planner, looking at what is there now, does not ask for it again. The first failure
stops the rest.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from agent.codes import AgentError, Finding, Phase, apply, config, udev
from agent.codes.agent import INTERNAL, INTERRUPTED, NO_PROGRESS
from agent.converge import intend
from agent.converge.history import Attempt, Intent, pause_s
from agent.converge.look_at_tpm import patience, stored_ek_name, with_keys
from agent.converge.observe import look_again, look_at_config
from agent.converge.plan import plan, registration_id, was_cut_off
from agent.converge.request import Request
from agent.converge.snapshot import Snapshot
from agent.converge.status_file import Status
from agent.converge.steps import (
    APPLY,
    ApplyConfig,
    EnsureKeys,
    GrantAccess,
    InstallRule,
    RecordConfig,
    RestartRuntime,
    Step,
    WriteConfig,
    WritePayload,
)
from agent.converge.store import Record
from agent.edge import apply_text, config_text, generated, iotedge
from agent.host import clock, files
from agent.host.root import Root
from agent.settings import Settings
from agent.tpm import access, keys, nodes

_BACKUPS_KEPT = 5
_NEVER_S = 1e15  # an apply that a person must mend is repeated when config.toml changes or a person says so


@dataclass(frozen=True, slots=True)
class Work:
    """What the steps work with.

    `tell` hears each effect before it happens, `note` what should be in the journal besides the pass's one
    event, and `stopping` says whether somebody wants us to end.
    """

    request: Request
    record: Record
    before: Status | None
    transaction: str
    tell: Callable[[str], None]
    note: Callable[..., None]
    stopping: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a pass ended: its last look, what is true now, and which steps were done."""

    snapshot: Snapshot
    finding: Finding
    notices: tuple[Finding, ...] = ()
    done: tuple[Step, ...] = ()


def carry_out(work: Work, snapshot: Snapshot) -> Outcome:
    """Do what is missing, one step after the other."""
    _sweep(work.request.root, snapshot)
    done: list[Step] = []
    while True:
        found = plan(snapshot)
        outcome = Outcome(snapshot, found.finding or INTERRUPTED(), found.notices, tuple(done))
        if not found.steps:
            return outcome
        step = found.steps[0]
        if step in done:
            return replace(outcome, finding=NO_PROGRESS(step=step.effect))
        if work.stopping():
            return replace(outcome, finding=INTERRUPTED())
        work.tell(step.effect)
        try:
            snapshot = _do(work, snapshot, step)
        except AgentError as error:
            return replace(outcome, finding=error.finding)
        done.append(step)


def _sweep(root: Root, snapshot: Snapshot) -> None:
    """Remove what a killed pass left half written where these steps write."""
    own = (intend.PAYLOAD_PLACE, access.RULE_PLACE, access.RULE_PLACE_IN_RUN)
    configs = (snapshot.settings.runtime.config_file,) if snapshot.settings else ()
    for folder in {os.path.dirname(root.path(place)) for place in (*own, *configs)}:
        files.sweep_temporaries(folder)


def _do(work: Work, snapshot: Snapshot, step: Step) -> Snapshot:
    """Do one step and look again at what it changed.

    Raises:
        AgentError: it could not be done, or did not come to what it was for.
    """
    debt = _debt(work.record, snapshot, step)
    begun = Intent(step.name, work.transaction, snapshot.moment.boot_id, clock.monotonic_s())
    work.record.update(intent=debt or begun)
    snapshot = _DEEDS[type(step)](work, snapshot, step)
    work.record.update(intent=debt)
    seen = look_again(work.request, snapshot, step.changes, work.before)
    return replace(seen, history=work.record.history)


def _debt(record: Record, snapshot: Snapshot, step: Step) -> Intent | None:
    """Give an apply that was cut off: it stays on record through other steps, until its services are back."""
    settles = isinstance(step, ApplyConfig | RestartRuntime)
    intent = record.history.intent
    return intent if not settles and was_cut_off(intent, snapshot) else None


def _ensure_keys(work: Work, snapshot: Snapshot, _step: EnsureKeys) -> Snapshot:
    settings = _settings(snapshot)
    device = nodes.device(work.request.root, snapshot.tpm.node or settings.tpm.device)
    stored = stored_ek_name(work.record.history, adopt=work.request.adopt)
    ask = keys.Request(device, snapshot.authorisations, patience(settings), expected_ek_name=stored)
    return replace(snapshot, tpm=with_keys(snapshot.tpm, keys.ensure(work.request.root, ask), stored))


def _install_rule(work: Work, snapshot: Snapshot, step: InstallRule) -> Snapshot:
    installed = access.install_rule(work.request.root, step.rule)
    access.announce(work.request.root)
    if installed.backup:
        replaced = udev.RULE_REPLACED(place=installed.place, backup=installed.backup)
        work.note(replaced, text=step.rule.text.decode("utf-8", "replace"))
    return snapshot


def _grant_access(work: Work, snapshot: Snapshot, step: GrantAccess) -> Snapshot:
    root = work.request.root
    access.announce(root)
    user = root.user(access.RUNTIME_USER)
    if user is not None:
        result, reason = access.try_open(root.path(step.node), user)
        if result is access.Access.DENIED:
            raise AgentError(udev.ACCESS_DENIED(node=step.node, reason=reason))
    return snapshot


def _write_payload(work: Work, snapshot: Snapshot, step: WritePayload) -> Snapshot:
    """Write the payload, readable by the daemon that reads it: aziot-identityd, when it registers."""
    root = work.request.root
    reader = root.user(intend.PAYLOAD_READER)
    attributes = files.Attributes(0o640, _root_uid(), reader.gid if reader else None)
    try:
        files.write(root.path(step.place), step.data, attributes)
    except OSError as error:
        raise AgentError(config.PAYLOAD_UNWRITABLE(path=step.place, reason=error.strerror)) from error
    return snapshot


def _write_config(work: Work, snapshot: Snapshot, step: WriteConfig) -> Snapshot:
    """Write config.toml, keeping the old text; not if somebody changed it since we looked."""
    path = work.request.root.path(step.path)
    try:
        old = files.read(path)
        if (None if old is None else old.decode()) != snapshot.config.text:
            return snapshot
        if old is not None:
            files.keep_backup(path, old, stamp=f"{int(snapshot.moment.wall_s)}", keep=_BACKUPS_KEPT)
        files.write(path, step.text.encode(), files.Attributes(0o600, _root_uid(), _root_uid()))
    except OSError as error:
        raise AgentError(config.UNWRITABLE(path=step.path, reason=error.strerror)) from error
    return _remember_config(work, snapshot, step.text)


def _record_config(work: Work, snapshot: Snapshot, _step: RecordConfig) -> Snapshot:
    return _remember_config(work, snapshot, snapshot.config.text or "")


def _remember_config(work: Work, snapshot: Snapshot, text: str) -> Snapshot:
    """Record our keys as they stand and the device they stand for: another TPM is another device now."""
    settings = _settings(snapshot)
    identifier = registration_id(snapshot, settings)
    intended = intend.intended_keys(snapshot, settings, config_text.parse(text), identifier)
    work.record.update(
        written=intend.record_of(intended),
        ek_public=snapshot.tpm.ek_public.hex(),
        srk_name=snapshot.tpm.srk_name,
        machine_id=snapshot.moment.machine.machine_id,
    )
    return snapshot


def _apply_config(work: Work, snapshot: Snapshot, _step: ApplyConfig) -> Snapshot:
    settings = _settings(snapshot)
    timeout_s = settings.runtime.apply_timeout_s
    ended = iotedge.apply(work.request.root, _program(snapshot), timeout_s=timeout_s)
    failure = apply_text.judge(ended, timeout_s) or _unproven(work, settings)
    if failure is not None:
        _record_failure(work, snapshot, failure)
        raise AgentError(failure)
    work.record.update(applied_digest=snapshot.config.digest, failed_apply=None)
    return snapshot


def _restart_runtime(work: Work, snapshot: Snapshot, _step: RestartRuntime) -> Snapshot:
    """Bring the services back: with its files proven, the apply that was cut off is done then."""
    iotedge.restart(work.request.root, _program(snapshot))
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
    facts = look_at_config(work.request.root, settings.runtime)
    wrong = generated.disagreements(config_text.parse(facts.text or ""), facts.generated)
    return apply.UNPROVEN(service=f"aziot-{wrong[0].service}", about=wrong[0].about) if wrong else None


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


def _settings(snapshot: Snapshot) -> Settings:
    if snapshot.settings is None:
        raise AgentError(INTERNAL(reason="a step without settings"))
    return snapshot.settings


def _program(snapshot: Snapshot) -> str:
    if snapshot.runtime.program is None:
        raise AgentError(INTERNAL(reason="a step without the runtime"))
    return snapshot.runtime.program


def _root_uid() -> int | None:
    """Give the owner for files of root's: root, unless a user plays root in a scratch directory."""
    return 0 if os.geteuid() == 0 else None


_DEEDS: dict[type[Step], Callable[[Work, Snapshot, Any], Snapshot]] = {
    EnsureKeys: _ensure_keys,
    InstallRule: _install_rule,
    GrantAccess: _grant_access,
    WritePayload: _write_payload,
    WriteConfig: _write_config,
    RecordConfig: _record_config,
    ApplyConfig: _apply_config,
    RestartRuntime: _restart_runtime,
}
