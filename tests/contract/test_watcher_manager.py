"""The watcher as a service: what its manager is told, and how it reloads and stops."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.contract.watcher_stage import DEADLINE_S, Mailbox, Stage, stage


@pytest.fixture(name="scene")
def _scene() -> Iterator[Stage]:
    with stage() as made:
        yield made


def test_ready_comes_before_the_first_pass_has_ended(scene: Stage) -> None:
    scene.shut_gate()
    watcher = scene.watch()
    scene.manager.expect("READY=1")
    scene.passes.expect("begin start")
    scene.open_gate()
    scene.manager.expect("STATUS=provisioned")
    scene.stop(watcher)

    assert scene.manager.all() == [
        "READY=1",
        "STATUS=starting: the first look at this device is under way",
        "STATUS=provisioned: all is well",
        "STOPPING=1",
    ]
    assert scene.journal.all() == []


def test_the_status_says_what_why_and_what_to_do_in_ascii(scene: Stage) -> None:
    scene.result(phase="held", summary="no key\nfor \u201caziottpm\u201d", remedy="add the rule")
    scene.watch()

    assert (
        scene.manager.expect("STATUS=held") == "STATUS=held: no key for ?aziottpm? (what to do: add the rule)"
    )


def test_an_unchanged_status_is_said_once(scene: Stage) -> None:
    scene.result(look_again_s=1)
    watcher = scene.watch()
    scene.passes.expect("begin start")
    scene.passes.expect("begin timer")
    scene.passes.expect("begin timer")
    scene.stop(watcher)

    assert scene.manager.all().count("STATUS=provisioned: all is well") == 1


def test_a_reload_is_over_when_a_pass_that_began_after_it_has_ended(scene: Stage) -> None:
    scene.shut_gate()
    watcher = scene.watch()
    scene.manager.expect("READY=1")
    scene.passes.expect("begin start")
    watcher.send_signal(signal.SIGHUP)
    reloading = scene.manager.expect("RELOADING=1")
    scene.open_gate()
    scene.passes.expect("begin signal")
    scene.manager.expect("READY=1")
    scene.stop(watcher)
    told = scene.manager.all()

    assert reloading.splitlines()[1].startswith("MONOTONIC_USEC=")
    assert told.index("STATUS=provisioned: all is well") < told.index("READY=1", 2)
    assert told[-1] == "STOPPING=1"


def test_a_reload_ends_even_if_its_pass_crashes(scene: Stage) -> None:
    watcher = scene.watch()
    scene.manager.expect("STATUS=provisioned")
    scene.switch("crash", "1")
    watcher.send_signal(signal.SIGHUP)
    scene.manager.expect("RELOADING=1")
    scene.manager.expect("STATUS=degraded")
    scene.manager.expect("READY=1")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_running_pass_is_told_and_let_finish(scene: Stage, number: signal.Signals) -> None:
    scene.shut_gate()
    watcher = scene.watch()
    scene.passes.expect("begin start")
    watcher.send_signal(signal.SIGHUP)  # asks for one more pass, which must not start
    scene.manager.expect("RELOADING=1")
    watcher.send_signal(number)
    scene.manager.expect("STOPPING=1")
    scene.passes.expect("told to stop")
    assert watcher.poll() is None
    scene.open_gate()

    assert watcher.wait(DEADLINE_S) == 0
    assert scene.reasons() == ["start"]
    assert scene.passes.seen[-1] == "end"


def test_a_pass_that_ends_by_our_own_signal_is_no_crash(scene: Stage) -> None:
    scene.switch("crash", "1")
    scene.shut_gate()
    watcher = scene.watch()
    scene.passes.expect("begin start")
    watcher.send_signal(signal.SIGTERM)
    scene.passes.expect("told to stop")
    scene.open_gate()

    assert watcher.wait(DEADLINE_S) == 0
    assert scene.journal.all() == []


def test_the_watchdog_is_fed_while_a_pass_takes_long(scene: Stage) -> None:
    scene.shut_gate()
    watcher = scene.watch(environment={"WATCHDOG_USEC": "100000"})
    scene.passes.expect("begin start")
    for _ in range(5):
        scene.manager.expect("WATCHDOG=1")
    scene.open_gate()
    scene.stop(watcher)


def test_another_process_s_watchdog_is_not_fed(scene: Stage) -> None:
    scene.result(look_again_s=1)
    watcher = scene.watch(environment={"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"})
    scene.passes.expect("begin timer")
    scene.stop(watcher)

    assert "WATCHDOG=1" not in scene.manager.all()


def test_without_a_manager_the_watch_is_the_same(scene: Stage) -> None:
    watcher = scene.watch(environment={"NOTIFY_SOCKET": ""})
    scene.passes.expect("end")
    scene.stop(watcher)

    assert scene.manager.all() == []


def test_a_manager_that_came_back_at_its_place_is_reached(scene: Stage) -> None:
    watcher = scene.watch()
    scene.manager.expect("STATUS=provisioned")
    scene.manager.close()
    os.unlink(f"{scene.root}/notify")
    scene.manager = Mailbox(f"{scene.root}/notify")
    scene.stop(watcher)

    scene.manager.expect("STOPPING=1")


def test_a_manager_that_is_gone_is_no_end_of_the_watch(scene: Stage) -> None:
    watcher = scene.watch()
    scene.manager.expect("STATUS=provisioned")
    os.unlink(f"{scene.root}/notify")
    scene.manager.close()
    scene.stop(watcher)
