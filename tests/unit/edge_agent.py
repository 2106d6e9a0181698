"""What aziot-edged's watchdog wrote on runtime 1.6, round by round, and the container it looked after."""

from typing import Any

from agent.edge.container import ABSENT, Container
from agent.edge.evidence import EDGED, Evidence
from agent.host.journal import Entry
from agent.values import replace
from tests.unit.journals import said
from tests.unit.witnesses import NOW_S, evidence

IMAGE = "mcr.microsoft.com/azureiotedge-agent:1.6"
WALL_S = 1_800_000_000.0
PULL = f'Failed to pull Edge runtime module: registry operation error: pull image "{IMAGE}"'
CREATE = 'Failed to create Edge runtime module: runtime operation error: create module "edgeAgent"'
START = 'Failed to start Edge runtime: runtime operation error: start module "edgeAgent"'
LOOKS = said("Watchdog checking Edge runtime status", level="INFO")
BEGINS = said("Starting watchdog with 60 second period...", level="INFO")
RUNS = said("Edge runtime is running", level="INFO")
PULLS = said(
    "Creating and starting Edge runtime module edgeAgent...",
    f"Pulling image via tag {IMAGE}...",
    level="INFO",
)
MADE = said(f"Successfully pulled image {IMAGE}", "Created Edge runtime module edgeAgent", level="INFO")
STARTED = said("Started Edge runtime module edgeAgent", level="INFO")


def ended(word: str = "failed") -> tuple[str, ...]:
    """Give the words about a container that has ended."""
    return said(
        f"Edge runtime status is {word}, starting module now...", "Starting module edgeAgent...", level="INFO"
    )


def refused(failure: str, words: str) -> tuple[str, ...]:
    """Give the lines of a round that failed because of what the engine said."""
    cause = ("Caused by:", f"    {words}")
    return (*said("container runtime error", level="WARN"), *cause, *failed(failure))


def failed(failure: str) -> tuple[str, ...]:
    return said(f"Error in watchdog: {failure}", level="WARN")


def rounds(*lines: tuple[str, ...], last_s: float = NOW_S - 10, begins: bool = True) -> tuple[Entry, ...]:
    """Give edged's journal: a minute between two rounds, the last of them at a time."""
    entries = [Entry(EDGED, text, "edged-1", monotonic_s=0.0) for text in (BEGINS if begins else ())]
    first_s = last_s - 60 * (len(lines) - 1)
    for number, one in enumerate(lines):
        at_s = first_s + 60 * number
        entries += [Entry(EDGED, text, "edged-1", monotonic_s=at_s) for text in (*LOOKS, *one)]
    return tuple(entries)


def exited(**changes: Any) -> Container:
    made = Container(
        "exited", exit_status=1, started_s=WALL_S - 40, finished_s=WALL_S - 30, image=f"{IMAGE}.2"
    )
    return replace(made, **changes)


def running(**changes: Any) -> Container:
    return replace(Container("running", pid=4711, started_s=WALL_S - 5000, image=IMAGE), **changes)


def device(container: Container | None = None, *lines: tuple[str, ...], **changes: Any) -> Evidence:
    """Give a device that is known, with edgeAgent's container and the watchdog's rounds."""
    made = container or Container(ABSENT)
    return replace(evidence(edge_agent=made, wall_s=WALL_S, journal=rounds(*lines)), **changes)
