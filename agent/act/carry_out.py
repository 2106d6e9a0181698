"""Carry a plan out: write the intent, do one step, look again, and ask the planner what is left.

A step is proven when the planner, looking at what is there now, does not ask for it again. The first failure
stops the rest.
"""

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from agent.act.access import grant_access, install_rule
from agent.act.apply import apply_config, restart_runtime
from agent.act.config import record_config, write_config, write_payload
from agent.act.keys import ensure_keys
from agent.act.record import Record
from agent.act.work import Outcome, Work
from agent.codes import AgentError
from agent.codes.agent import INTERRUPTED, NO_PROGRESS
from agent.edge.config_paths import PAYLOAD_PLACE
from agent.facts.history import Intent
from agent.facts.snapshot import Snapshot
from agent.facts.steps import (
    ApplyConfig,
    Begun,
    EnsureKeys,
    GrantAccess,
    InstallRule,
    RecordConfig,
    RestartRuntime,
    Step,
    WriteConfig,
    WritePayload,
)
from agent.host import clock, files
from agent.host.root import Root
from agent.look.everything import look_again
from agent.plan.apply import was_cut_off
from agent.plan.plan import plan
from agent.tpm import access
from agent.values import replace

_DEEDS: Mapping[type[Step], Callable[[Work, Snapshot, Any], Snapshot]] = MappingProxyType({
    EnsureKeys: ensure_keys,
    InstallRule: install_rule,
    GrantAccess: grant_access,
    WritePayload: write_payload,
    WriteConfig: write_config,
    RecordConfig: record_config,
    ApplyConfig: apply_config,
    RestartRuntime: restart_runtime,
})  # fmt: skip


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
        try:
            work.begin(snapshot, Begun(step, len(done) + 1, len(done) + len(found.steps)))
            snapshot = _do(work, snapshot, step)
        except AgentError as error:
            return replace(outcome, finding=error.finding)
        done.append(step)


def _sweep(root: Root, snapshot: Snapshot) -> None:
    """Remove what a killed pass left half written where these steps write."""
    own = (PAYLOAD_PLACE, access.RULE_PLACE, access.RULE_PLACE_IN_RUN)
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
