"""One pass, from the lock to the status: what `once` runs, and what the watcher starts as a child."""

import os
from collections.abc import Callable
from dataclasses import replace

from agent.codes import AgentError
from agent.codes.agent import INTERNAL, NOT_ROOT
from agent.converge import act, lock, publish, store
from agent.converge.observe import observe
from agent.converge.request import Request
from agent.converge.snapshot import Snapshot
from agent.converge.status_file import Status
from agent.host import clock


def run_pass(request: Request, tell: Callable[[str], None], stopping: Callable[[], bool]) -> Status:
    """Look, do what is missing, and publish what came of it.

    Raises:
        AgentError: agent.not-root, agent.locked, or the state can't be written; nothing was done.
    """
    require_root(request, "`edge-provisioner once`")
    with lock.hold(request.root, "once"):
        return pass_under_lock(request, tell, stopping)


def pass_under_lock(request: Request, tell: Callable[[str], None], stopping: Callable[[], bool]) -> Status:
    """Do the same for who holds the lock already, so that nobody else comes between.

    Raises:
        AgentError: the state can't be written; nothing was done.
    """
    record, damaged = store.open_record(request.root)
    before = store.load_status(request.root)
    transaction = clock.random_id()
    speak = publish.Speaker(request.root, transaction)
    work = act.Work(request, record, before, transaction, tell, speak, stopping)
    outcome = _carry_out(work, observe(request, record.history, before))
    moved = publish.record_identity(record, outcome.snapshot, outcome.finding)
    outcome = replace(outcome, notices=(*damaged, *moved, *outcome.notices))
    return publish.publish(request, outcome, before, transaction)


def require_root(request: Request, what: str) -> None:
    """Make sure that we are root where the machine itself is concerned.

    Raises:
        AgentError: agent.not-root.
    """
    if request.root.is_host and os.geteuid() != 0:
        raise AgentError(NOT_ROOT(what=what))


def _carry_out(work: act.Work, snapshot: Snapshot) -> act.Outcome:
    """Carry the plan out; an end that nobody foresaw is a code too, so that the status never goes stale."""
    try:
        outcome = act.carry_out(work, snapshot)
    except OSError as error:
        return act.Outcome(snapshot, INTERNAL(reason=str(error)))
    act.settle_intent(work.record, outcome.snapshot)
    return replace(outcome, snapshot=replace(outcome.snapshot, history=work.record.history))
