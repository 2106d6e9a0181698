"""The lock of a pass: one at a time on a device, whoever started it."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from agent.codes import AgentError
from agent.codes.agent import LOCKED, STATE_UNWRITABLE
from agent.facts.duration import in_words
from agent.host import clock, failures, files, locks
from agent.host.root import Root

PLACE = "/run/edge-provisioner/pass.lock"
_PATIENCE_S = 30.0
_PAUSE_S = 0.1


@contextmanager
def hold(root: Root, verb: str, *, patience_s: float = _PATIENCE_S) -> Iterator[None]:
    """Hold the pass's lock for the block, waiting for another holder up to `patience_s`.

    Raises:
        AgentError: agent.locked, naming the holder; agent.state-unwritable.
    """
    path = root.path(PLACE)
    try:
        files.make_directory(os.path.dirname(path))
    except OSError as error:
        raise _unwritable(error) from error
    note = json.dumps({"pid": os.getpid(), "verb": verb, "since_s": clock.monotonic_s()}).encode()
    with ExitStack() as stack:
        _wait_for(stack, root, path, note, patience_s)
        yield


def _wait_for(stack: ExitStack, root: Root, path: str, note: bytes, patience_s: float) -> None:
    deadline = clock.monotonic_s() + patience_s
    while True:
        try:
            if stack.enter_context(locks.locked(path, note=note)):
                return
        except OSError as error:
            raise _unwritable(error) from error
        stack.close()
        if clock.monotonic_s() >= deadline:
            raise AgentError(LOCKED(holder=holder(root) or "another process", waited_s=f"{patience_s:.0f}"))
        clock.rest(_PAUSE_S)


def is_held(root: Root) -> bool:
    """Say whether a pass is under way."""
    return locks.lock_note(root.path(PLACE)) is not None


def holder(root: Root) -> str:
    """Name who holds the lock, for a person; empty if nobody does."""
    note = locks.lock_note(root.path(PLACE))
    if note is None:
        return ""
    try:
        fields = json.loads(note)
        held = in_words(clock.monotonic_s() - fields["since_s"])
        return f"`edge-provisioner {fields['verb']}` (process {fields['pid']}), for {held}"
    except (ValueError, KeyError, TypeError, OverflowError):
        return "another process"


def _unwritable(error: OSError) -> AgentError:
    return AgentError(STATE_UNWRITABLE(path=error.filename, reason=failures.reason(error)))
