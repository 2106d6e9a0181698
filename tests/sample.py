"""Which of many alike cases a run plays: one of each few neighbours, chosen anew by each commit.

The commit's hash draws one of each group. A counter of commits would play every case in the fewest runs,
but only where commits land one by one: where two land at a time, the same half would be left out for ever.
What the hash decides no habit of ours can follow: of two neighbours one is left out ten times in a row once
in 1024, of three once in 57, of five once in 9, and then those that differ least from it were played.
"""

import hashlib
import os
import subprocess
from collections.abc import Mapping

import pytest
from _pytest.mark import ParameterSet

ALL = "all"
SEED = "EDGE_PROVISIONER_SAMPLE"  # "all", or what to toss with instead of the hash: to play a sample again
_NO_COMMIT = "no commit"


def cases(kind: str, named: Mapping[str, tuple[object, ...]], of: int = 2) -> list[ParameterSet]:
    """Give what a case is called and its values as cases, of which a run plays one of so many neighbours."""
    return [
        pytest.param(*values, id=name, marks=pytest.mark.sampled(kind, number, of))
        for number, (name, values) in enumerate(named.items())
    ]


def seed() -> str:
    """Give what the coins are tossed with."""
    return os.environ.get(SEED) or _commit()


def shown() -> str:
    """Name the sample for a person; where no commit draws one, it is always the same."""
    drawn = seed()
    return f"{drawn} (git tells no commit here, so it is always this one)" if drawn == _NO_COMMIT else drawn


def is_played(seed: str, kind: str, number: int, of: int = 2) -> bool:
    """Whether a case is the one of its group that is played; a kind's cases are numbered from 0."""
    group, place = divmod(number, of)
    return seed == ALL or hashlib.sha256(f"{seed} {kind} {group}".encode()).digest()[0] % of == place


def _commit() -> str:
    ask = ["git", "-C", os.path.dirname(__file__), "rev-parse", "HEAD"]
    try:
        told = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:  # a tree that was copied to where there is no git
        told = ""
    return told or _NO_COMMIT
