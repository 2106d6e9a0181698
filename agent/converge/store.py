"""Where the record and the status lie: read by every pass, written by the one that holds the lock."""

import os
from dataclasses import dataclass, replace
from typing import Any

from agent.codes import AgentError, Finding
from agent.codes.agent import HISTORY_DAMAGED, STATE_UNWRITABLE
from agent.converge import status_file
from agent.converge.history import History
from agent.converge.status_file import Status
from agent.host import files
from agent.host.root import Root

HISTORY_PLACE = "/var/lib/edge-provisioner/history.json"
_DAMAGED_SUFFIX = ".damaged"


def load_history(root: Root) -> History | None:
    """Give the record, an empty one where there is none yet, None where it is damaged."""
    try:
        data = files.read(root.path(HISTORY_PLACE))
        return History() if data is None else History.loads(data.decode())
    except (OSError, ValueError):
        return None


def load_status(root: Root) -> Status | None:
    """Give the status of the last pass of this boot; None where there is none, or none that can be read."""
    try:
        data = files.read(root.path(status_file.PLACE))
        return None if data is None else Status.loads(data)
    except (OSError, ValueError):
        return None


def save_status(root: Root, status: Status) -> None:
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
        raise AgentError(STATE_UNWRITABLE(path=place, reason=error.strerror)) from error


@dataclass
class Record:
    """The history in the hands of the pass that holds the lock: every change is on disk before it counts."""

    root: Root
    history: History

    def update(self, **changes: Any) -> None:
        """Change fields of the record, durably.

        Raises:
            AgentError: agent.state-unwritable; the record is as it was.
        """
        changed = replace(self.history, **changes)
        if changed != self.history:
            _save(self.root, HISTORY_PLACE, changed.dumps(), mode=0o600, folder_mode=0o700)
            self.history = changed


def open_record(root: Root) -> tuple[Record, tuple[Finding, ...]]:
    """Open the record for a pass; a damaged one is moved aside, and the notice says where to."""
    for folder in (os.path.dirname(HISTORY_PLACE), os.path.dirname(status_file.PLACE)):
        files.sweep_temporaries(root.path(folder))
    history = load_history(root)
    if history is not None:
        return Record(root, history), ()
    aside = HISTORY_PLACE + _DAMAGED_SUFFIX
    try:
        files.rename(root.path(HISTORY_PLACE), root.path(aside))
    except OSError as error:
        raise AgentError(STATE_UNWRITABLE(path=HISTORY_PLACE, reason=error.strerror)) from error
    return Record(root, History()), (HISTORY_DAMAGED(path=aside),)
