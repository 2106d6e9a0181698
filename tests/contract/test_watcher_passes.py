"""The watcher and its passes: what starts one, how many start, and what happens to one that fails."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.contract.watcher_stage import DEADLINE_S, PROJECT, Stage, stage

_AT_ONCE = "daemon.clock.jitter = lambda: 0.0"


@pytest.fixture(name="scene")
def _scene() -> Iterator[Stage]:
    with stage() as made:
        yield made


@pytest.fixture(name="runtime_daemon")
def _runtime_daemon() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE)
    yield child
    child.kill()
    child.communicate()


def test_first_pass_is_started_because_of_the_start(scene: Stage) -> None:
    watcher = scene.watch()
    scene.passes.expect("begin start")
    scene.manager.expect("STATUS=provisioned: all is well")
    scene.stop(watcher)

    assert scene.reasons() == ["start"]
    assert oct(os.stat(f"{scene.root}/run/edge-provisioner").st_mode & 0o777) == "0o755"


def test_the_manager_s_socket_and_the_callers_environment_do_not_reach_a_pass(scene: Stage) -> None:
    scene.watch(environment={"WATCHDOG_USEC": "30000000", "IOTEDGE_HOST": "x", "LD_PRELOAD": ""})
    names = set(scene.passes.expect("begin start").split()[2:])

    assert names <= {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "COVERAGE_PROCESS_START"}


def test_the_timer_is_what_the_last_pass_asked_for(scene: Stage) -> None:
    scene.result(look_again_s=1)
    scene.watch()
    scene.passes.expect("begin start")
    scene.passes.expect("begin timer")
    scene.passes.expect("begin timer")


def test_triggers_during_a_pass_make_one_more_pass(scene: Stage) -> None:
    scene.shut_gate()
    watcher = scene.watch()
    scene.passes.expect("begin start")
    for _ in range(3):
        watcher.send_signal(signal.SIGHUP)
        scene.manager.expect("RELOADING=1")
    scene.open_gate()
    scene.manager.expect("READY=1")
    scene.stop(watcher)

    assert scene.reasons() == ["start", "signal"]


def test_a_runtime_daemon_that_dies_is_looked_at_at_once(
    scene: Stage, runtime_daemon: subprocess.Popen[bytes]
) -> None:
    scene.result(units={"aziot-tpmd": {"state": "active", "pid": runtime_daemon.pid}})
    watcher = scene.watch()
    scene.manager.expect("STATUS=provisioned")
    runtime_daemon.kill()
    scene.passes.expect("begin exit")
    scene.passes.expect("end")
    watcher.send_signal(signal.SIGHUP)
    scene.passes.expect("begin signal")
    scene.manager.expect("READY=1")
    scene.stop(watcher)

    assert scene.reasons() == ["start", "exit", "signal"]  # the dead pid, still named, is no reason twice


def test_a_runtime_daemon_is_watched_over_later_passes(
    scene: Stage, runtime_daemon: subprocess.Popen[bytes]
) -> None:
    scene.result(units={"aziot-tpmd": {"state": "active", "pid": runtime_daemon.pid}})
    watcher = scene.watch()
    scene.manager.expect("STATUS=provisioned")
    watcher.send_signal(signal.SIGHUP)
    scene.manager.expect("RELOADING=1")
    scene.manager.expect("READY=1")
    runtime_daemon.kill()
    scene.passes.expect("begin exit")


def test_a_runtime_daemon_that_a_pass_restarts_is_no_reason_for_another(
    scene: Stage, runtime_daemon: subprocess.Popen[bytes]
) -> None:
    scene.result(units={"aziot-tpmd": {"state": "active", "pid": runtime_daemon.pid}})
    watcher = scene.watch()
    scene.manager.expect("STATUS=provisioned")
    scene.shut_gate()
    watcher.send_signal(signal.SIGHUP)
    scene.passes.expect("begin signal")
    runtime_daemon.kill()
    scene.result(units={"aziot-tpmd": {"state": "active", "pid": os.getpid()}}, look_again_s=1)
    scene.open_gate()
    scene.passes.expect("begin timer")
    scene.stop(watcher)

    assert "exit" not in scene.reasons()


def test_a_runtime_daemon_that_is_gone_when_the_pass_ends_is_looked_at_once(scene: Stage) -> None:
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    scene.result(look_again_s=1, units={"aziot-tpmd": {"state": "active", "pid": gone.pid}})
    watcher = scene.watch()
    scene.passes.expect("begin exit")
    scene.passes.expect("begin timer")
    scene.passes.expect("begin timer")
    scene.stop(watcher)

    assert scene.reasons().count("exit") == 1


@pytest.mark.parametrize(
    ("switch", "how"), [("1", "ended with status 1"), ("0", "ended with status 0"), ("signal", "signal 9")]
)
def test_a_pass_without_a_result_is_told_once_and_repeated(scene: Stage, switch: str, how: str) -> None:
    scene.switch("crash", switch)
    watcher = scene.watch(patch=_AT_ONCE)
    for _ in range(4):
        scene.passes.expect("begin start")
    said = scene.manager.expect("STATUS=degraded")
    scene.switch("crash", None)
    scene.manager.expect("STATUS=provisioned: all is well")
    scene.stop(watcher)
    events = scene.journal.all()

    assert how in said
    assert len([event for event in events if "agent.pass-crashed" in event and how in event]) == 1
    assert "MESSAGE_ID=" in events[-1]
    assert len(events) == 1


def test_a_pass_that_can_t_be_started_is_no_end_of_the_watch(scene: Stage) -> None:
    missing = "daemon.process.module_argv"  # any argv will do: its program is not there
    start = (
        f"import sys; sys.path.insert(1, {PROJECT!r})\nfrom agent import daemon\n"
        f"from agent.host.root import Root\n"
        f"sys.exit(daemon.Watcher(Root({scene.root!r}), pass_argv=('/nowhere/{missing}',)).run())"
    )
    watcher = scene.run(sys.executable, "-I", "-c", start)

    assert "could not be started" in scene.manager.expect("STATUS=degraded")
    scene.stop(watcher)


def test_a_pass_that_had_to_leave_the_lock_to_another_is_no_crash(scene: Stage) -> None:
    scene.switch("crash", "3")
    os.makedirs(f"{scene.root}/run/edge-provisioner")
    holding = (
        f"import sys; sys.path.insert(1, {PROJECT!r})\nfrom agent.host import locks\n"
        f"with locks.locked({scene.root + '/run/edge-provisioner/pass.lock'!r}, note=b'once, pid 1'):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-I", "-c", holding], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    watcher = scene.watch(patch=_AT_ONCE)
    for _ in range(3):
        scene.passes.expect("begin start")
    scene.stop(watcher)
    holder.communicate()

    assert not [message for message in scene.manager.all() if "degraded" in message]
    assert scene.journal.all() == []


@pytest.mark.parametrize("deaf", [False, True], ids=["asked", "made to"])
def test_a_pass_that_hangs_is_ended_and_told(scene: Stage, deaf: bool) -> None:
    scene.shut_gate()
    if deaf:
        scene.switch("deaf")
    limits = "running_pass.PASS_DEADLINE_S = 1.0; running_pass.KILL_GRACE_S = 0.2"
    watcher = scene.watch(patch=f"{_AT_ONCE}; {limits}")
    scene.passes.expect("begin start")
    assert "hung" in scene.manager.expect("STATUS=degraded")
    os.unlink(f"{scene.root}/pass/gate")
    scene.manager.expect("STATUS=provisioned: all is well")
    scene.stop(watcher)

    assert ("told to stop" in scene.passes.all()) is not deaf


def test_a_damaged_status_is_no_end_of_the_watch(scene: Stage) -> None:
    os.makedirs(f"{scene.root}/run/edge-provisioner/status.json")  # a directory: can't be read or replaced
    watcher = scene.watch(patch=_AT_ONCE)
    scene.manager.expect("STATUS=degraded")
    scene.stop(watcher)


def test_a_second_watcher_is_refused_and_names_the_first(scene: Stage) -> None:
    first = scene.watch()
    scene.manager.expect("STATUS=provisioned")
    second = scene.run(sys.executable, "-I", "-c", _command("--root", scene.root, "run"))
    _, said = second.communicate(timeout=DEADLINE_S)
    scene.stop(first)

    assert second.returncode == 3
    assert b"agent.already-running" in said
    assert f"pid {first.pid}".encode() in said


def test_a_run_time_directory_that_can_t_be_made_is_named(scene: Stage) -> None:
    with open(f"{scene.root}/run/edge-provisioner", "w", encoding="ascii"):
        pass
    watcher = scene.run(sys.executable, "-I", "-c", _command("--root", scene.root, "run"))
    _, said = watcher.communicate(timeout=DEADLINE_S)

    assert watcher.returncode == 4
    assert f"can't write {scene.root}/run/edge-provisioner".encode() in said


def _command(*arguments: str) -> str:
    return (
        f"import sys; sys.path.insert(1, {PROJECT!r})\nfrom agent.cli import main\n"
        f"sys.exit(main({list(arguments)!r}))"
    )
