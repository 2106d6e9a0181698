"""`run`: which command the watcher is told to start for each pass."""

import argparse

import pytest

from agent.cli import run
from agent.host.root import Root


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (None, ("/srv/image", "")),
        ("/x/agent.toml", ("/srv/image", "/x/agent.toml")),
    ],
)
def test_a_pass_is_told_the_same_options(
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
