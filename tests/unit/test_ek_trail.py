"""Keys met one after the other: a change, a change back, and a TPM that makes a new one at each start."""

import pytest

from agent.facts.ek_trail import Trail, is_second_change, met

Met = tuple[tuple[str, str], ...]


def trail_of(*seen: tuple[str, str]) -> Trail:
    trail: Trail = ()
    for name, boot_id in seen:
        trail = met(trail, name, boot_id)
    return trail


@pytest.mark.parametrize(
    ("seen", "name", "second"),
    [
        pytest.param((), "a", False, id="the first"),
        pytest.param((("a", "1"),), "a", False, id="the same"),
        pytest.param((("a", "1"),), "b", False, id="one change"),
        pytest.param((("a", "1"), ("b", "2")), "c", True, id="another at each start"),
        pytest.param((("a", "1"), ("b", "2"), ("b", "2")), "c", True, id="seen twice in one boot"),
        pytest.param((("a", "1"), ("b", "2"), ("b", "3")), "c", False, id="kept over a restart"),
        pytest.param((("a", "1"), ("b", "2"), ("a", "3")), "c", False, id="changed back"),
        pytest.param((("a", "1"), ("b", "2"), ("c", "3")), "c", True, id="still told in the same boot"),
        pytest.param((("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")), "e", True, id="and so on"),
    ],
)
def test_the_second_change_in_a_row_is_known(seen: Met, name: str, *, second: bool) -> None:
    assert is_second_change(trail_of(*seen), name) is second


def test_a_key_that_stays_changes_nothing() -> None:
    trail = trail_of(("a", "1"))

    assert met(trail, "a", "2") == met(trail, "a", "1") == trail


def test_a_trail_is_short() -> None:
    assert len(trail_of(*((str(number), str(number)) for number in range(9)))) == 3
