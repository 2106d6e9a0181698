"""How often systemd started a daemon again since somebody started it. Pure.

systemd 257 counts anew where a service's socket is restarted with it, as the runtime's are: after three
failures in a row NRestarts is 0 (seen on Debian 13; systemd 252 counts on). The journal tells both alike.
"""

from collections.abc import Iterable
from dataclasses import replace

from agent.edge import journal_text
from agent.host.journal import Entry
from agent.host.systemd import Unit


def count(unit: Unit, entries: Iterable[Entry], *, at_least: int = 0) -> Unit:
    """Give a unit with its true count: systemd's own, the journal's, or what was known of this process."""
    told = (entry.message for entry in journal_text.lines_of(entries, unit.name))
    return replace(unit, restarts=max(unit.restarts, _told(told, unit.name), at_least))


def _told(messages: Iterable[str], unit: str) -> int:
    """Count the restarts since the last start that was none, as far back as the lines go."""
    restarts, announced = 0, False
    for message in messages:
        if message.startswith(f"{unit}: Scheduled restart job"):
            restarts, announced = restarts + 1, True
        elif message.startswith("Started "):
            restarts, announced = restarts if announced else 0, False
    return restarts
