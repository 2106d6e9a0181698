"""The agent's own files, written by the pass that holds the lock: each change is on disk before it counts."""

import os
from typing import Any

from agent.codes import AgentError, Finding
from agent.codes.agent import HISTORY_DAMAGED, STATE_UNWRITABLE
from agent.facts import status as status_file
from agent.facts.history import PLACE, History
from agent.host import failures, files, guarded
from agent.host.root import Root
from agent.look.remembered import load_history
from agent.values import replace

_DAMAGED_SUFFIX = ".damaged"


class Record:
    """The history, and the file that it lies in."""

    def __init__(self, root: Root, history: History) -> None:
        """Take the history as it was read."""
        self._root = root
        self.history = history

    def update(self, **changes: Any) -> None:
        """Change fields of the record, durably.

        Raises:
            AgentError: agent.state-unwritable; the record is as it was.
        """
        changed = replace(self.history, **changes)
        if changed != self.history:
            _save(self._root, PLACE, changed.dumps(), mode=0o600, folder_mode=0o700)
            self.history = changed


def require_own(root: Root) -> None:
    """Make sure that nobody else than root could change our own files.

    Raises:
        AgentError: agent.unguarded.
    """
    for place in (PLACE, os.path.dirname(status_file.PLACE)):
        guarded.require(root, root.path(place))


def open_record(root: Root) -> tuple[Record, tuple[Finding, ...]]:
    """Open the record for a pass; a damaged one is moved aside, and the notice says where to."""
    for folder in (os.path.dirname(PLACE), os.path.dirname(status_file.PLACE)):
        files.sweep_temporaries(root.path(folder))
    history = load_history(root)
    if history is not None:
        return Record(root, history), ()
    aside = PLACE + _DAMAGED_SUFFIX
    try:
        files.rename(root.path(PLACE), root.path(aside))
    except OSError as error:
        raise AgentError(STATE_UNWRITABLE(path=PLACE, reason=failures.reason(error))) from error
    return Record(root, History()), (HISTORY_DAMAGED(path=aside),)


def save_status(root: Root, status: status_file.Status) -> None:
    """Replace the status by a new file.

    Raises:
        AgentError: agent.state-unwritable.
    """
    _save(root, status_file.PLACE, status.dumps(), mode=0o644, folder_mode=0o755)


def _save(root: Root, place: str, text: str, *, mode: int, folder_mode: int) -> None:
    """Replace a file; its folder, where it is missing, is made as our tmpfiles.d has it."""
    path = root.path(place)
    try:
        files.make_directory(os.path.dirname(path), folder_mode)
        files.write(path, text.encode(), files.Attributes(mode))
    except OSError as error:
        raise AgentError(STATE_UNWRITABLE(path=place, reason=failures.reason(error))) from error
