"""Durations as people say them."""

import pytest

from agent.facts.duration import in_words


@pytest.mark.parametrize(
    ("duration_s", "words"),
    [
        (-3.0, "0 seconds"),
        (0.9, "0 seconds"),
        (1.0, "1 second"),
        (59.9, "59 seconds"),
        (60.0, "1 minute"),
        (250.0, "4 minutes"),
        (3600.0, "1 hour"),
        (86399.0, "23 hours"),
        (172800.0, "2 days"),
    ],
)
def test_the_largest_unit_says_it(duration_s: float, words: str) -> None:
    assert in_words(duration_s) == words
