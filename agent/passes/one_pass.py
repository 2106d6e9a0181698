"""One pass, from the lock to the status: what `once` runs, and what the watcher starts as a child."""

import os
from collections.abc import Callable

from agent.act.apply import settle_intent
from agent.act.carry_out import carry_out
from agent.act.record import open_record
from agent.act.work import Outcome, Work
from agent.codes import AgentError
from agent.codes.agent import INTERNAL, NOT_ROOT
from agent.facts.request import Request
from agent.facts.snapshot import Because, Snapshot
from agent.facts.status import Status
from agent.facts.steps import Begun
from agent.host import clock
from agent.look.everything import observe
from agent.look.remembered import load_status
from agent.passes import lock
from agent.passes.publish import Publisher, record_identity
from agent.values import replace


def run_pass(request: Request, tell: Callable[[str], None], stopping: Callable[[], bool]) -> Status:
    """Look, do what is missing, and publish what came of it.

    Raises:
        AgentError: agent.not-root, agent.locked, or the state can't be written; nothing was done.
    """
    require_root(request, "`edge-provisioner once`")
    with lock.hold(request.root, "once" if request.because is Because.COMMAND else "run"):
        return pass_under_lock(request, tell, stopping)


def pass_under_lock(request: Request, tell: Callable[[str], None], stopping: Callable[[], bool]) -> Status:
    """Do the same for who holds the lock already, so that nobody else comes between.

    Raises:
        AgentError: the state can't be written; nothing was done.
    """
    record, damaged = open_record(request.root)
    publisher = Publisher(request, load_status(request.root), clock.random_id())

    def begin(snapshot: Snapshot, begun: Begun) -> None:
        publisher.begun(snapshot, begun)
        tell(begun.step.effect)

    work = Work(request, record, publisher.before, publisher.transaction, begin, publisher.speak, stopping)
    outcome = _carry_out(work, observe(request, record.history, publisher.before))
    moved = record_identity(record, outcome.snapshot, outcome.finding)
    outcome = replace(outcome, notices=(*damaged, *moved, *outcome.notices))
    return publisher.finished(outcome)


def require_root(request: Request, what: str) -> None:
    """Make sure that we are root where the machine itself is concerned.

    Raises:
        AgentError: agent.not-root.
    """
    if request.root.is_host and os.geteuid() != 0:
        raise AgentError(NOT_ROOT(what=what))


def _carry_out(work: Work, snapshot: Snapshot) -> Outcome:
    """Carry the plan out; an end that nobody foresaw is a code too, so that the status never goes stale."""
    try:
        outcome = carry_out(work, snapshot)
    except OSError as error:
        return Outcome(snapshot, INTERNAL(reason=str(error)))
    settle_intent(work.record, outcome.snapshot)
    return replace(outcome, snapshot=replace(outcome.snapshot, history=work.record.history))
