"""What a service may say to its manager in one line, and which watchdog is its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.host.notify import one_line, watchdog_s


@given(st.text())
def test_any_text_becomes_one_line_of_ascii_that_fits_a_message(text: str) -> None:
    line = one_line(text)

    assert line.isascii()
    assert line.isprintable()
    assert len(line) <= 1024


def test_a_long_text_is_seen_to_be_cut() -> None:
    assert one_line("x" * 5000).endswith("x...")


@pytest.mark.parametrize(
    ("environment", "interval_s"),
    [
        ({}, 0.0),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({"WATCHDOG_USEC": ""}, 0.0),
    ],
)
def test_the_watchdog_is_ours_only_if_it_names_us(environment: dict[str, str], interval_s: float) -> None:
    assert watchdog_s(environment, 7) == interval_s
