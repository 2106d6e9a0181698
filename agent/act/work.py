"""What deeds work with, and what comes of them."""

import os
from collections.abc import Callable

from agent.act.record import Record
from agent.codes import AgentError, Finding
from agent.codes.agent import INTERNAL
from agent.facts.request import Request
from agent.facts.snapshot import Snapshot
from agent.facts.status import Status
from agent.facts.steps import Begun, Step
from agent.settings import Settings
from agent.values import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """What the steps work with.

    `begin` hears of each step before it is done, `note` what should be in the journal besides the pass's one
    event, and `stopping` says whether somebody wants us to end.
    """

    request: Request
    record: Record
    before: Status | None
    transaction: str
    begin: Callable[[Snapshot, Begun], None]
    note: Callable[..., None]
    stopping: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a pass ended: its last look, what is true now, and which steps were done."""

    snapshot: Snapshot
    finding: Finding
    notices: tuple[Finding, ...] = ()
    done: tuple[Step, ...] = ()


def settings_of(snapshot: Snapshot) -> Settings:
    """Give the settings that a step was planned with.

    Raises:
        AgentError: agent.internal: there are none.
    """
    if snapshot.settings is None:
        raise AgentError(INTERNAL(reason="a step without settings"))
    return snapshot.settings


def program_of(snapshot: Snapshot) -> str:
    """Give the runtime's command that a step was planned with.

    Raises:
        AgentError: agent.internal: there is none.
    """
    if snapshot.runtime.program is None:
        raise AgentError(INTERNAL(reason="a step without the runtime"))
    return snapshot.runtime.program


def root_uid() -> int | None:
    """Give the owner for files of root's: root, unless a user plays root in a scratch directory."""
    return 0 if os.geteuid() == 0 else None
