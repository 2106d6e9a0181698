"""Restarts are counted in the journal where systemd forgets them."""

import pytest

from agent.edge import restarts
from agent.edge.evidence import IDENTITYD, KEYD
from agent.host.journal import Entry
from agent.host.systemd import Unit
from tests.unit.journals import recorded

STARTED = f"Started {KEYD} - Azure IoT Keys Service."
STOPPED = f"Stopped {KEYD} - Azure IoT Keys Service."
FAILED = (f"{KEYD}: Main process exited, code=killed, status=9/KILL", f"{KEYD}: Failed with result 'signal'.")
# systemd 257 says 1 each time, systemd 252 counts on.
AGAIN = (*FAILED, f"{KEYD}: Scheduled restart job, restart counter is at 1.", STOPPED, STARTED)
BY_HAND = (f"Stopping {KEYD}...", f"{KEYD}: Deactivated successfully.", STOPPED, STARTED)


def counted(*lines: str, shown: int = 0, at_least: int = 0) -> int:
    entries = [Entry(KEYD, line) for line in lines]
    return restarts.count(Unit(KEYD, restarts=shown), entries, at_least=at_least).restarts


@pytest.mark.parametrize(
    ("lines", "times"),
    [
        ((), 0),
        ((STARTED,), 0),
        ((STARTED, *FAILED), 0),
        ((STARTED, *AGAIN), 1),
        ((STARTED, *AGAIN, *AGAIN, *FAILED), 2),
        (AGAIN, 1),  # the lines begin in the middle of a loop
        ((STARTED, *AGAIN, *BY_HAND), 0),
        ((STARTED, *AGAIN, *FAILED, STOPPED, STARTED), 0),  # by hand, while systemd waited to start it again
        ((STARTED, *AGAIN, *FAILED, STARTED), 0),  # by a client, or by hand after a limit was hit
        ((*BY_HAND, *AGAIN), 1),
        ((STARTED, *FAILED, f"{KEYD}: Scheduled restart job, restart counter is at 1."), 1),
    ],
)
def test_the_journal_tells_how_often_since_somebody_started_it(lines: tuple[str, ...], times: int) -> None:
    assert counted(*lines) == times


@pytest.mark.parametrize(("shown", "known", "times"), [(0, 0, 1), (7, 0, 7), (0, 3, 3)])
def test_whoever_counted_most_is_right(shown: int, known: int, times: int) -> None:
    assert counted(STARTED, *AGAIN, shown=shown, at_least=known) == times


def test_what_came_after_the_look_does_not_count_yet() -> None:
    lines = [(STARTED, "1"), *((line, "1") for line in AGAIN[:-1]), (STARTED, "2"), (AGAIN[2], "2")]
    entries = [Entry(KEYD, line, invocation) for line, invocation in lines]
    counts = [restarts.count(Unit(KEYD, invocation=one), entries).restarts for one in ("1", "2", "3")]

    assert counts == [0, 1, 2]


def test_another_daemon_s_restarts_are_its_own() -> None:
    entries = [Entry(KEYD, line) for line in (STARTED, *AGAIN)]

    assert restarts.count(Unit(IDENTITYD), entries).restarts == 0


def test_what_a_daemon_says_is_not_systemd_s_word() -> None:
    said = "2026-11-22T03:32:00Z [INFO] - Started"

    assert counted(STARTED, *AGAIN, said) == 1


def test_of_a_recorded_loop_what_the_lines_show_is_counted() -> None:
    entries = [Entry(IDENTITYD, line) for line in recorded("journal-401.txt")]

    assert restarts.count(Unit(IDENTITYD), entries).restarts == 1
