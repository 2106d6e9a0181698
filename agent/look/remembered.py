"""What the agent itself left behind: its record, and the status of the last pass."""

from agent.facts import status as status_file
from agent.facts.history import PLACE, History
from agent.facts.status import Status
from agent.host import files
from agent.host.root import Root
from agent.tpm import machine
from agent.values import replace


def load_history(root: Root) -> History | None:
    """Give the record, an empty one where there is none yet, None where it is damaged."""
    try:
        data = files.read(root.path(PLACE))
        return History() if data is None else _of_this_machine(root, History.loads(data.decode()))
    except (OSError, ValueError):
        return None


def _of_this_machine(root: Root, history: History) -> History:
    """Forget a key that was met where an image was made: nothing was written with it, its TPM is not here.

    A device that was provisioned and is another machine now is a clone, which the key itself tells.
    """
    own = machine.facts(root).machine_id
    if history.written or history.identity or history.machine_id in ("", own):
        return history
    return replace(history, ek_public="", ek_trail=(), machine_id="")


def load_status(root: Root) -> Status | None:
    """Give the status of the last pass of this boot; None where there is none, or none that can be read."""
    try:
        data = files.read(root.path(status_file.PLACE))
        return None if data is None else Status.loads(data)
    except (OSError, ValueError):
        return None
