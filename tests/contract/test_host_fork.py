"""A function in a process of its own: what it says, how it ends, and what it can't hold on to."""

import fcntl
import os
import signal
from pathlib import Path

import pytest

from agent.host import fork

_DEADLINE_S = 30.0


def test_what_it_says_is_its_output() -> None:
    def work(say: fork.Say) -> None:
        say("one")
        say(f"of {os.getppid()}")

    ended = fork.run(work, _DEADLINE_S)

    assert ended.succeeded
    assert ended.out == f"one\nof {os.getpid()}\n"


def test_what_it_said_before_it_failed_is_kept() -> None:
    def work(say: fork.Say) -> None:
        say("so far")
        raise ValueError("no further")

    ended = fork.run(work, _DEADLINE_S)

    assert (ended.status, ended.out, ended.timed_out) == (1, "so far\n", False)


def test_one_that_does_not_end_is_killed_at_the_deadline() -> None:
    def work(say: fork.Say) -> None:
        say("begun")
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGALRM})
        signal.pause()

    ended = fork.run(work, 0.5)

    assert ended.timed_out
    assert ended.status == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM])
def test_signals_end_it_whatever_they_do_with_us(number: signal.Signals) -> None:
    before = signal.signal(number, lambda *_: None)
    try:
        ended = fork.run(lambda _: os.kill(os.getpid(), number), _DEADLINE_S)
    finally:
        signal.signal(number, before)

    assert ended.status == -number


def test_it_holds_no_lock_and_no_group_of_ours(tmp_path: Path) -> None:
    def work(say: fork.Say) -> None:
        held = {
            int(number): os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")[:-1]
        }
        say(f"{sorted(held)} {str(tmp_path) in str(held)} {os.getpgrp() == os.getpid()}")

    with open(tmp_path / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ended = fork.run(work, _DEADLINE_S)

    assert ended.out == "[0, 1, 2, 3] False True\n"


def test_nothing_of_it_stays_behind() -> None:
    before = set(os.listdir("/proc/self/fd"))
    fork.run(lambda say: say("x"), _DEADLINE_S)

    assert set(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
