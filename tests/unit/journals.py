"""The daemons' journal for the unit tests: processes one after the other, and the transcripts' lines."""

from collections.abc import Iterable, Sequence

from agent.host.journal import Entry
from tests.contract import transcripts

_STAMP = "2026-11-22T03:32:00Z"
ENDED = (
    "aziot.service: Main process exited, code=exited, status=1/FAILURE",
    "aziot.service: Failed with result 'exit-code'.",
)


def said(*texts: str, level: str = "ERR!") -> tuple[str, ...]:
    """Give lines as a daemon logs them."""
    return tuple(f"{_STAMP} [{level}] - {text}" for text in texts)


def journal(unit: str, *processes: Iterable[str], began_s: float = 900.0) -> tuple[Entry, ...]:
    """Give the entries of a unit's processes, the oldest first."""
    return tuple(
        Entry(unit, message, f"{unit}-{number}", monotonic_s=began_s + number)
        for number, process in enumerate(processes)
        for message in process
    )


def recorded(name: str) -> list[str]:
    """Give a transcript's lines."""
    return transcripts.read(name).result.out.splitlines()


def processes_of(lines: Sequence[str], unit: str) -> list[list[str]]:
    """Split a unit's lines where systemd started it."""
    found: list[list[str]] = [[]]
    for line in lines:
        if line.startswith(f"Started {unit} "):
            found.append([])
        found[-1].append(line)
    return [process for process in found if process]
