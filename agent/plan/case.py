"""What the concerns of a plan are asked about, and what they answer with. Pure.

A concern is a function that yields steps and notices in their order, and raises StopError where nothing more
may be done.
"""

from collections.abc import Callable, Iterator

from agent.codes import Finding
from agent.edge.config_paths import Document, Intended
from agent.edge.config_text import KeyPath
from agent.facts.snapshot import Snapshot
from agent.facts.steps import Step
from agent.settings import Settings
from agent.values import dataclass


@dataclass(frozen=True, slots=True)
class Wish:
    """config.toml as it is to be: our keys, those of them that differ now, its text and its meaning.

    `of_others` are keys that could be ours, and that somebody else gave config.toml.
    """

    intended: Intended
    of_others: frozenset[KeyPath]
    changed: tuple[KeyPath, ...]
    text: str
    document: Document


@dataclass(frozen=True, slots=True)
class Case:
    """A device that may be worked on: what was seen, and what is wanted."""

    snapshot: Snapshot
    settings: Settings
    wish: Wish


Found = Step | Finding
Concern = Callable[[Case], Iterator[Found]]
