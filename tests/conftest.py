"""Leaves out cases marked `sampled` that this commit's sample has not, and says which they are."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests import sample

_NOTE_IN = "EDGE_PROVISIONER_LEFT_OUT"  # a file that the names of what was left out are added to
_TOLD = "left_out"
_LEFT_OUT = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_LEFT_OUT] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the sample has not; whoever names a case gets it."""
    if any("[" in word for word in config.args):
        return
    seed = sample.seed()
    left_out = [item for item in items if not _is_played(item, seed)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if _is_played(item, seed)]
    config.stash[_LEFT_OUT] = [item.nodeid for item in left_out]


def _is_played(item: pytest.Item, seed: str) -> bool:
    mark = item.get_closest_marker("sampled")
    return mark is None or sample.is_played(seed, *mark.args)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the one that writes the summary, if this is one of its workers."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_TOLD] = session.config.stash[_LEFT_OUT]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear it from a worker; all of them leave out the same."""
    told = getattr(node, "workeroutput", {}).get(_TOLD, [])
    node.config.stash[_LEFT_OUT] = sorted({*node.config.stash[_LEFT_OUT], *told})


# Quoted, because the pytest of Debian 12 has no such name.
def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter", config: pytest.Config) -> None:
    names = config.stash[_LEFT_OUT]
    if not names or hasattr(config, "workerinput"):
        return
    lines = [f"{len(names)} cases are not in the sample of {sample.shown()}", *names]
    terminalreporter.section("left out")
    for line in lines:
        terminalreporter.line(line)
    if place := os.environ.get(_NOTE_IN):
        with Path(place).open("a") as noted:
            noted.writelines(f"{line}\n" for line in lines)
