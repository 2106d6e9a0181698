"""Read the keys of a TPM, whoever carries the commands, and say step by step how far that came.

Each step has a deadline whose signal ends the process even while it waits inside the kernel or a C library,
where no Python handler would run: this is for a process of its own.
"""

import signal
from collections.abc import Callable
from contextlib import suppress

from agent.tpm.fitness import KeyRole, judge
from agent.tpm.hierarchies import parse_properties, properties_command
from agent.tpm.protocol import FailureKind, Found, FoundKey, KeyState, Step, encode_failure, encode_step
from agent.tpm.public_area import name_of, parse_read_answer, read_public_command
from agent.values import dataclass

Transact = Callable[[bytes], bytes]

_HANDLE_EMPTY = 0x18B  # TPM_RC_HANDLE for the first handle: ReadPublic of a handle that holds nothing
_STEPS = {KeyRole.EK: Step.READ_EK, KeyRole.SRK: Step.READ_SRK}


class RefusedError(Exception):
    """The TPM answered with a response code, or the way to it did."""

    def __init__(self, rc: int) -> None:
        """Keep the code."""
        super().__init__(rc)
        self.rc = rc


class InconsistentError(Exception):
    """The TPM gave a Name that is not that of the key it showed."""


@dataclass(frozen=True, slots=True)
class Line:
    """The line to the agent, by which it knows the step even if the deadline ends us. `read_s` a read."""

    say: Callable[[str], None]
    read_s: float

    def enter(self, step: Step, deadline_s: float | None = None) -> None:
        """Say which step begins, and have the process ended if it takes longer."""
        self.say(encode_step(step))
        allow(self.read_s if deadline_s is None else deadline_s)


def allow(deadline_s: float) -> None:
    """Have the process ended after this time."""
    signal.setitimer(signal.ITIMER_REAL, deadline_s)  # SIGALRM's default action


def read_both(transact: Transact, line: Line) -> Found:
    """Read both handles; where a key is absent, whether its hierarchy is on: three commands then, else two.

    Raises:
        RefusedError: the TPM refuses.
        InconsistentError: what it says does not fit together.
        ValueError: what it says is no answer.
    """
    ek, srk = (read(transact, line, role) for role in (KeyRole.EK, KeyRole.SRK))
    states = (ek.state, srk.state)
    if KeyState.ABSENT not in states or KeyState.UNFIT in states:
        return Found(ek, srk)
    line.enter(Step.READ_HIERARCHIES)
    return Found(ek, srk, parse_properties(transact(properties_command())))


def read(transact: Transact, line: Line, role: KeyRole) -> FoundKey:
    """Read one handle; raises as `read_both` does."""
    line.enter(_STEPS[role])
    answer = parse_read_answer(transact(read_public_command(role.value.handle)))
    if answer.rc == _HANDLE_EMPTY:
        return FoundKey(KeyState.ABSENT)
    if answer.rc:
        raise RefusedError(answer.rc)
    with suppress(ValueError):  # a name algorithm we can't compute makes the key unfit
        agree(answer.name, name_of(answer.public))
    fit = judge(role, answer.public, answer.qualified_name).fit
    return FoundKey(KeyState.PRESENT if fit else KeyState.UNFIT, answer.public, answer.qualified_name)


def agree(given: bytes, computed: bytes) -> None:
    """Make sure that a Name is the right one.

    Raises:
        InconsistentError: it is not.
    """
    if given != computed:
        raise InconsistentError


def failure_line(error: Exception) -> str:
    """Give the line that ends a conversation in which one of these errors came."""
    match error:
        case RefusedError():
            return encode_failure(FailureKind.RC, rc=error.rc)
        case InconsistentError():
            return encode_failure(FailureKind.INCONSISTENT)
    return encode_failure(FailureKind.GARBLED, detail=str(error))
