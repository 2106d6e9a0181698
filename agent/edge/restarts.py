"""How often systemd started a daemon again since somebody started it. Pure.

systemd 257 counts anew where a service's socket is restarted with it, as the runtime's are: after three
failures in a row NRestarts is 0 (seen on Debian 13; systemd 252 counts on). The journal tells both alike.
"""

from collections.abc import Iterable

from agent.edge import journal_text
from agent.host.journal import Entry
from agent.host.systemd import Unit
from agent.values import replace


def count(unit: Unit, entries: Iterable[Entry], *, at_least: int = 0) -> Unit:
    """Give a unit with its true count: systemd's own, the journal's, or what was known of this process."""
    told = _told(journal_text.lines_of(entries, unit.name), unit)
    return replace(unit, restarts=max(unit.restarts, told, at_least))


def _told(entries: Iterable[Entry], unit: Unit) -> int:
    """Count the restarts since the last start that was none, as far back as the lines go.

    The journal is read after the unit was looked at: what it tells of later runs does not count yet.
    """
    restarts, announced = 0, False
    for entry in entries:
        if entry.message.startswith(f"{unit.name}: Scheduled restart job"):
            restarts, announced = restarts + 1, True
        elif entry.message.startswith("Started "):
            restarts, announced = restarts if announced else 0, False
            if unit.invocation and entry.invocation == unit.invocation:
                break
    return restarts
