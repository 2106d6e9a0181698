"""Which machine this is, and when: the moment of a look."""

from agent.facts.request import Request
from agent.facts.snapshot import Moment, Snapshot
from agent.facts.status import Status
from agent.host import clock
from agent.host.root import Root
from agent.settings import Settings
from agent.tpm import machine
from agent.values import replace


def places(_settings: Settings) -> tuple[str, ...]:
    """Name the files that this look goes by: none; the time is always another."""
    return ()


def look(request: Request, _settings: Settings, snapshot: Snapshot, _before: Status | None) -> Snapshot:
    """Take the time anew, and the machine's names with it."""
    return replace(snapshot, moment=moment(request.root))


def moment(root: Root) -> Moment:
    """Say which machine this is, and when."""
    return Moment(clock.boot_id(root), machine.facts(root), clock.wall_s(), clock.monotonic_s())
