"""Which cases a run plays: one of each few neighbours, and none is left out for long."""

import pytest

from tests.sample import ALL, SEED, is_played, seed, shown

_CASES = 30
_LANDINGS = 10


def _played(seed: str, kind: str = "first", of: int = 2) -> set[int]:
    return {number for number in range(_CASES) if is_played(seed, kind, number, of)}


@pytest.mark.parametrize("of", [2, 3, 5])
def test_of_a_few_neighbours_one_is_played(of: int) -> None:
    for first in range(0, _CASES, of):
        assert sum(is_played("a commit", "first", number, of) for number in range(first, first + of)) == 1


def test_another_commit_plays_others_and_another_kind_too() -> None:
    assert _played("a commit") == _played("a commit")
    assert _played("a commit") != _played("the next one")
    assert _played("a commit") != _played("a commit", "change")


def test_all_are_played_when_all_are_asked_for() -> None:
    assert _played(ALL) == set(range(_CASES))


@pytest.mark.parametrize("of", [2, 3, 4, 5])
def test_nothing_is_left_out_for_long(of: int) -> None:
    landed = [_played(f"commit {number}", of=of) for number in range(1000)]
    windows = [landed[first : first + _LANDINGS] for first in range(len(landed) - _LANDINGS)]
    missed = sum(_CASES - len(set().union(*window)) for window in windows)

    assert missed / (len(windows) * _CASES) < 2 * (1 - 1 / of) ** _LANDINGS


def test_where_there_is_no_git_a_sample_is_played_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.delenv(SEED, raising=False)
    monkeypatch.setattr("tests.sample.subprocess.run", nobody)

    assert seed() == "no commit"
    assert shown() == "no commit (git tells no commit here, so it is always this one)"
    monkeypatch.setenv(SEED, "abc")
    assert shown() == "abc"
