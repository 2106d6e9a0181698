"""What the agent itself left behind: its record, and the status of the last pass."""

from agent.facts import status as status_file
from agent.facts.history import PLACE, History
from agent.facts.status import Status
from agent.host import files
from agent.host.root import Root


def load_history(root: Root) -> History | None:
    """Give the record, an empty one where there is none yet, None where it is damaged."""
    try:
        data = files.read(root.path(PLACE))
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
