"""One pass, from the lock to the status: what `once` runs, and what the watcher starts as a child."""

import os
from collections.abc import Callable

from agent.act.apply import settle_intent
from agent.act.carry_out import carry_out
from agent.act.record import Record, open_record, require_own
from agent.act.work import Outcome, Work
from agent.codes import AgentError
from agent.codes.agent import INTERNAL, NOT_ROOT
from agent.facts.request import Request
from agent.facts.snapshot import Because, Snapshot
from agent.facts.status import Status
from agent.facts.steps import Begun
from agent.host import clock, failures
from agent.look import everything
from agent.look.remembered import load_status
from agent.passes import lock
from agent.passes.publish import Publisher, record_identity, record_key
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
    outcome = _carry_out(work)
    return publisher.finished(replace(outcome, notices=(*damaged, *outcome.notices)))


def require_root(request: Request, what: str) -> None:
    """Make sure that we are root where the machine itself is concerned.

    Raises:
        AgentError: agent.not-root.
    """
    if request.root.is_host and os.geteuid() != 0:
        raise AgentError(NOT_ROOT(what=what))


def _carry_out(work: Work) -> Outcome:
    """Look and carry the plan out; an end that nobody foresaw has a code as well."""
    snapshot = everything.blank(work.request, work.record.history)
    try:
        require_own(work.request.root)
        snapshot = everything.ask(work.request, snapshot, work.before)
        outcome = carry_out(work, snapshot)
    except AgentError as error:
        return Outcome(snapshot, error.finding)
    except OSError as error:
        return Outcome(snapshot, INTERNAL(reason=failures.with_place(error)))
    return _recorded(work.record, outcome)


def _recorded(record: Record, outcome: Outcome) -> Outcome:
    """Record what is known now; where that can't be done, it is what is told."""
    try:
        settle_intent(record, outcome.snapshot)
        record_key(record, outcome.snapshot, outcome.finding)
        moved = record_identity(record, outcome.snapshot, outcome.finding)
    except AgentError as error:
        outcome, moved = replace(outcome, finding=error.finding), ()
    snapshot = replace(outcome.snapshot, history=record.history)
    return replace(outcome, snapshot=snapshot, notices=(*moved, *outcome.notices))
