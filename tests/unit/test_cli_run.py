"""`run`: which command the watcher is told to start for each pass."""

import argparse

import pytest

from agent.cli import run
from agent.host.root import Root


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (None, ("--root", "/srv/image", "once", "--because")),
        ("/x/agent.toml", ("--root", "/srv/image", "--settings", "/x/agent.toml", "once", "--because")),
    ],
)
def test_a_pass_is_once_with_the_same_options(
    monkeypatch: pytest.MonkeyPatch, settings: str | None, words: tuple[str, ...]
) -> None:
    told: list[object] = []

    class Watcher:
        def __init__(self, root: Root, *, pass_argv: tuple[str, ...]) -> None:
            told.extend([root, pass_argv[-len(words) :]])

        def run(self) -> int:
            return 7

    monkeypatch.setattr(run, "Watcher", Watcher)
    run.configure(argparse.ArgumentParser())

    assert run.run(argparse.Namespace(root=Root("/srv/image"), settings=settings)) == 7
    assert told == [Root("/srv/image"), words]
