"""When the watcher starts a pass and why, and what it takes from status.json."""

import json
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.watch import (
    BACK_OFF_LONGEST_S,
    BACK_OFF_S,
    EXIT_SPACING_S,
    FILES_SPACING_S,
    LOOK_AGAIN_S,
    UDEV_LONGEST_S,
    UDEV_QUIET_S,
    Outcome,
    Reason,
    Schedule,
    read_outcome,
    wanted_by,
)


def test_nothing_is_due_before_something_is_wanted() -> None:
    assert Schedule().due_s() == inf


@pytest.mark.parametrize("reason", [Reason.START, Reason.EXIT, Reason.SIGNAL, Reason.TIMER])
def test_what_is_wanted_is_due_at_once(reason: Reason) -> None:
    schedule = Schedule()
    schedule.want(reason, 100.0)
    schedule.want(reason, 101.0)

    assert schedule.due_s() == 100.0
    assert schedule.begin(102.0) is reason
    assert schedule.running is reason


def test_an_event_of_udev_waits_for_silence() -> None:
    schedule = Schedule()
    schedule.want(Reason.UDEV, 100.0)
    schedule.want(Reason.UDEV, 100.1)

    assert schedule.due_s() == pytest.approx(100.1 + UDEV_QUIET_S)


def test_a_storm_without_an_end_is_looked_at_all_the_same() -> None:
    schedule = Schedule()
    for tick in range(1000):
        schedule.want(Reason.UDEV, 100.0 + tick * UDEV_QUIET_S / 2)

    assert schedule.due_s() == 100.0 + UDEV_LONGEST_S


def test_a_storm_ends_with_the_pass_that_looks_at_it() -> None:
    schedule = Schedule()
    schedule.want(Reason.UDEV, 100.0)
    schedule.begin(101.0)
    schedule.succeeded(102.0, 300.0)
    schedule.want(Reason.UDEV, 200.0)

    assert schedule.due_s() == 200.0 + UDEV_QUIET_S


def test_a_weighty_reason_takes_the_storm_with_it() -> None:
    schedule = Schedule()
    schedule.want(Reason.UDEV, 100.0)
    schedule.want(Reason.SIGNAL, 100.1)

    assert schedule.due_s() == 100.1
    assert schedule.begin(100.1) is Reason.UDEV
    schedule.succeeded(101.0, 300.0)
    assert schedule.due_s() == 401.0


def test_the_timer_waits_for_a_storm_to_end() -> None:
    schedule = Schedule()
    schedule.want(Reason.TIMER, 99.0)
    schedule.want(Reason.UDEV, 100.0)

    assert schedule.due_s() == 100.0 + UDEV_QUIET_S


def test_nothing_is_due_while_a_pass_runs_and_all_that_came_is_one_pass_after_it() -> None:
    schedule = Schedule()
    schedule.want(Reason.START, 100.0)
    schedule.begin(100.0)
    for reason in (Reason.TIMER, Reason.EXIT, Reason.UDEV, Reason.SIGNAL):
        schedule.want(reason, 101.0)
    assert schedule.due_s() == inf
    schedule.succeeded(110.0, 300.0)

    assert schedule.due_s() == 101.0
    assert schedule.begin(110.0) is Reason.UDEV
    schedule.succeeded(111.0, 300.0)
    assert schedule.due_s() == 411.0
    assert schedule.begin(411.0) is Reason.TIMER


def test_exits_in_a_loop_are_spaced() -> None:
    schedule = Schedule()
    schedule.want(Reason.EXIT, 100.0)
    schedule.begin(100.0)
    schedule.succeeded(101.0, 300.0)
    schedule.want(Reason.EXIT, 102.0)

    assert schedule.due_s() == 100.0 + EXIT_SPACING_S


def test_a_failed_pass_is_repeated_for_its_reason_after_a_growing_pause() -> None:
    schedule = Schedule()
    schedule.want(Reason.UDEV, 0.0)
    pauses_s = []
    for _ in range(20):
        assert schedule.begin(1000.0) is Reason.UDEV
        schedule.failed(1000.0, 1.0)
        pauses_s.append(schedule.due_s() - 1000.0)

    assert pauses_s[:3] == [BACK_OFF_S, 2 * BACK_OFF_S, 4 * BACK_OFF_S]
    assert max(pauses_s) == pauses_s[-1] == BACK_OFF_LONGEST_S


def test_a_back_off_holds_triggers_but_not_a_person() -> None:
    schedule = Schedule()
    schedule.want(Reason.START, 0.0)
    schedule.begin(0.0)
    schedule.failed(0.0, 0.5)
    schedule.want(Reason.EXIT, 0.1)
    assert schedule.due_s() == BACK_OFF_S / 2
    schedule.want(Reason.SIGNAL, 0.2)

    assert schedule.due_s() <= 0.2


def test_who_asked_during_a_pass_that_failed_does_not_wait_either() -> None:
    schedule = Schedule()
    schedule.want(Reason.SIGNAL, 0.0)
    schedule.begin(0.0)
    schedule.want(Reason.SIGNAL, 0.5)
    schedule.failed(1.0, 0.5)
    assert schedule.due_s() == 0.5
    schedule.begin(1.0)
    schedule.failed(1.0, 0.5)

    assert schedule.due_s() == 1.0 + BACK_OFF_S


def test_a_success_ends_the_back_off() -> None:
    schedule = Schedule()
    schedule.want(Reason.START, 0.0)
    for _ in range(3):
        schedule.begin(0.0)
        schedule.failed(0.0, 1.0)
    schedule.begin(0.0)
    schedule.succeeded(0.0, 300.0)
    schedule.begin(300.0)
    schedule.failed(300.0, 1.0)

    assert schedule.due_s() == 300.0 + BACK_OFF_S


def test_after_stop_nothing_is_due_and_the_running_pass_is_the_last() -> None:
    schedule = Schedule()
    schedule.want(Reason.START, 0.0)
    schedule.begin(0.0)
    schedule.want(Reason.UDEV, 0.0)
    schedule.stop()
    assert not schedule.finished
    schedule.succeeded(1.0, 300.0)

    assert schedule.finished
    assert schedule.due_s() == inf


@given(
    st.lists(
        st.tuples(st.sampled_from([*Reason, "pass", "crash"]), st.floats(0.0, 5.0), st.floats(0.0, 0.999))
    )
)
def test_whatever_is_wanted_is_due_within_the_longest_pause(
    steps: list[tuple[Reason | str, float, float]],
) -> None:
    schedule, now_s, unanswered = Schedule(), 0.0, False
    for what, pause_s, jitter in steps:
        now_s += pause_s
        if isinstance(what, Reason):
            schedule.want(what, now_s)
            unanswered = True
        else:
            schedule.begin(now_s)
            if what == "pass":
                schedule.succeeded(now_s, 300.0)
            else:
                schedule.failed(now_s, jitter)
            unanswered = what == "crash"
        if unanswered:
            assert schedule.due_s() <= now_s + BACK_OFF_LONGEST_S


@pytest.mark.parametrize(
    "data",
    [None, b"", b"\xff", b"{", b"[]", b"3", b'"text"', b"[" * 100_000, b"{}"],
    ids=["none", "empty", "no text", "broken", "list", "number", "string", "deep", "nothing in it"],
)
def test_a_status_that_makes_no_sense_means_the_defaults(data: bytes | None) -> None:
    assert read_outcome(data) == Outcome(LOOK_AGAIN_S, (), "")


@pytest.mark.parametrize(
    ("said", "meant_s"),
    [
        ("30", 30.0),
        ("2.5", 2.5),
        ("0", 1.0),
        ("-7", 1.0),
        ("1e9", 3600.0),
        ("Infinity", 3600.0),
        ("-Infinity", 1.0),
        ("9" * 400, 3600.0),
        ("NaN", LOOK_AGAIN_S),
        ("true", LOOK_AGAIN_S),
        ("null", LOOK_AGAIN_S),
        ('"30"', LOOK_AGAIN_S),
    ],
)
def test_the_next_look_is_bounded(said: str, meant_s: float) -> None:
    assert read_outcome(f'{{"look_again_s": {said}}}'.encode()).look_again_s == meant_s


def test_the_runtimes_processes_are_read_and_what_is_none_is_not() -> None:
    pids: list[object] = [300, 20, 20, 0, 1, -5, True, "77", None, 4.0, 2**22 + 1, 2**80]
    units: dict[str, object] = {f"unit-{number}": {"pid": pid} for number, pid in enumerate(pids)}
    units |= {"no-pid": {}, "no-unit": 5}

    assert read_outcome(json.dumps({"units": units}).encode()).pids == (20, 300)
    assert read_outcome(b'{"units": [1]}').pids == ()
    assert read_outcome(b'{"modules": {"edgeAgent": {"state": "running", "pid": 7}}}').pids == (7,)


@pytest.mark.parametrize(
    ("document", "line"),
    [
        ({"phase": "held", "summary": "no TPM", "remedy": "plug one"}, "held: no TPM (what to do: plug one)"),
        (
            {"phase": "provisioned", "summary": "all is well", "remedy": "Nothing to do."},
            "provisioned: all is well",
        ),
        ({"phase": "provisioned", "summary": None}, "provisioned"),
        ({"remedy": "plug one"}, " (what to do: plug one)"),
    ],
)
def test_one_line_says_what_why_and_what_to_do(document: dict[str, object], line: str) -> None:
    assert read_outcome(json.dumps(document).encode()).line == line


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["look_again_s", "units", "pid", "phase", "x"]), inner)
        ),
    )
)
def test_any_json_is_read_without_an_error(document: object) -> None:
    outcome = read_outcome(json.dumps(document).encode())

    assert 1.0 <= outcome.look_again_s <= 3600.0


def test_a_step_that_stands_in_the_status_is_no_end_of_a_pass() -> None:
    assert read_outcome(b'{"step": {"number": 1}}').finished is False
    assert read_outcome(b'{"step": null}').finished is True


def test_what_was_judged_is_read_and_what_is_no_path_is_not() -> None:
    judged: dict[str, object] = {"/etc/a": "1-2", "/etc/b": "", "relative": "1", "/etc/c": 3, "/nul\0": "1"}

    assert read_outcome(json.dumps({"judged": judged}).encode()).judged == {"/etc/a": "1-2", "/etc/b": ""}
    assert read_outcome(b'{"judged": ["/etc/a"]}').judged == {}


@pytest.mark.parametrize(
    ("path", "before", "now", "wanted"),
    [
        ("/etc/aziot/config.toml", "1", "2", (Reason.FILES, 0.0)),
        ("/etc/aziot/config.toml", "1", "", (Reason.FILES, 0.0)),
        ("/run/systemd/units/invocation:aziot-certd.service", "1", "", (Reason.EXIT, 0.0)),
        ("/run/systemd/units/invocation:aziot-certd.service", "1", "2", (Reason.EXIT, 0.0)),
        ("/run/systemd/units/invocation:aziot-certd.service", "", "2", (Reason.FILES, EXIT_SPACING_S)),
    ],
)
def test_what_changed_decides_how_soon_and_why(
    path: str, before: str, now: str, wanted: tuple[Reason, float]
) -> None:
    assert wanted_by(path, before, now) == wanted


def test_files_that_change_without_end_are_looked_at_at_intervals() -> None:
    schedule = Schedule()
    schedule.want(Reason.FILES, 0.0)
    assert schedule.due_s() == 0.0
    assert schedule.begin(0.0) is Reason.FILES
    schedule.want(Reason.FILES, 0.5)
    schedule.succeeded(1.0, 300.0)

    assert schedule.due_s() == FILES_SPACING_S


def test_what_may_wait_does_not_hold_up_what_may_not() -> None:
    schedule = Schedule()
    schedule.want(Reason.FILES, 0.0, in_s=EXIT_SPACING_S)
    assert schedule.due_s() == EXIT_SPACING_S
    schedule.want(Reason.FILES, 1.0)
    schedule.want(Reason.FILES, 2.0, in_s=EXIT_SPACING_S)

    assert schedule.due_s() == 1.0
