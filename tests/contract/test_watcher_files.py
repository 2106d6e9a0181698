"""The watcher and the files that the last pass judged by: what makes it look, what does not, what it says."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.host import sights
from tests.contract.watcher_stage import Stage, stage

_STEP = {
    "name": "apply-config",
    "effect": "run it",
    "number": 3,
    "of": 4,
    "since": 1.0,
    "pid": 1,
    "start_time": 1,
}


@pytest.fixture(name="scene")
def _scene() -> Iterator[Stage]:
    with stage() as made:
        yield made


@pytest.fixture(name="judged")
def _judged(scene: Stage) -> Path:
    path = Path(scene.root) / "etc" / "aziot" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("as it was judged")
    return path


def _status(scene: Stage, **fields: object) -> None:
    """Leave a status as a pass of somebody else's does."""
    folder = Path(scene.root) / "run" / "edge-provisioner"
    (folder / "other").write_text(json.dumps({"phase": "held", "summary": "", "remedy": "", **fields}))
    (folder / "other").rename(folder / "status.json")


def test_a_file_that_changes_is_looked_at_at_once(scene: Stage, judged: Path) -> None:
    scene.result(judged=sights.at([str(judged)]))
    scene.watch()
    scene.manager.expect("STATUS=provisioned")
    judged.write_text("something else")
    scene.passes.expect("begin files")


def test_a_file_that_comes_with_its_folder_is_looked_at(scene: Stage) -> None:
    path = Path(scene.root) / "var" / "lib" / "aziot" / "identityd" / "device_info"
    scene.result(judged=sights.at([str(path)]))
    scene.watch()
    scene.manager.expect("STATUS=provisioned")
    path.parent.mkdir(parents=True)
    path.touch()
    scene.passes.expect("begin files")


def test_what_a_pass_wrote_and_judged_itself_makes_no_other(scene: Stage, judged: Path) -> None:
    scene.shut_gate()
    watcher = scene.watch()
    scene.passes.expect("begin start")
    judged.write_text("written by the pass")
    scene.result(judged=sights.at([str(judged)]))
    scene.open_gate()
    scene.manager.expect("STATUS=provisioned")
    scene.stop(watcher)

    assert scene.reasons() == ["start"]


def test_what_changes_while_a_pass_runs_makes_one_more(scene: Stage, judged: Path) -> None:
    scene.result(judged=sights.at([str(judged)]))
    scene.shut_gate()
    scene.watch()
    scene.passes.expect("begin start")
    judged.unlink()
    scene.open_gate()
    scene.passes.expect("begin files")


def test_a_daemon_of_the_runtime_that_ends_is_no_file(scene: Stage) -> None:
    link = Path(scene.root) / "run" / "systemd" / "units" / "invocation:aziot-certd.service"
    link.parent.mkdir(parents=True)
    link.symlink_to("one start")
    scene.result(judged=sights.at([str(link)]))
    scene.watch()
    scene.manager.expect("STATUS=provisioned")
    link.unlink()
    scene.passes.expect("begin exit")


def test_a_step_is_told_as_soon_as_it_stands_in_the_status(scene: Stage) -> None:
    scene.shut_gate()
    watcher = scene.watch()
    scene.passes.expect("begin start")
    _status(scene, phase="provisioning", summary="Step 3 of 4: run it", step=_STEP)
    scene.manager.expect("STATUS=provisioning: Step 3 of 4: run it")
    scene.open_gate()
    scene.manager.expect("STATUS=provisioned")
    scene.stop(watcher)

    assert scene.reasons() == ["start"]


def test_a_pass_that_ends_in_a_step_has_no_result(scene: Stage) -> None:
    scene.result(phase="provisioning", summary="Step 3 of 4: run it", step=_STEP)
    scene.watch()
    scene.manager.expect("STATUS=degraded: The last look at this device has no result")


def test_what_an_operator_s_pass_found_is_told_and_followed(scene: Stage) -> None:
    watcher = scene.watch()
    scene.manager.expect("STATUS=provisioned")
    _status(scene, summary="found by hand", look_again_s=1)
    scene.manager.expect("STATUS=held: found by hand")
    scene.passes.expect("begin timer")
    scene.stop(watcher)


def test_a_kernel_that_can_t_is_told_once_and_files_are_compared_all_the_same(
    scene: Stage, judged: Path
) -> None:
    scene.result(judged=sights.at([str(judged)]))
    deaf = (
        "import agent.host.sights as s\ndef no(*_): raise OSError(22, 'Invalid argument')\ns.Folders.arm = no"
    )
    scene.watch(patch=f"{deaf}\ndaemon.GLANCE_S = 0.05")
    scene.manager.expect("STATUS=provisioned")
    os.unlink(judged)
    scene.passes.expect("begin files")
    scene.journal.expect("agent.files-unwatched")

    assert len([said for said in scene.journal.all() if "files-unwatched" in said]) == 1


def test_a_look_that_takes_long_is_told(scene: Stage) -> None:
    scene.watch(patch="running_pass.LONG_LOOK_S = 0.1")
    scene.manager.expect("STATUS=provisioned: all is well")
    scene.shut_gate()
    _status(scene, summary="found by hand", look_again_s=1)
    scene.passes.expect("begin timer")
    scene.manager.expect("STATUS=held: found by hand; a look has been under way for more than")
    scene.open_gate()
    scene.manager.expect("STATUS=provisioned: all is well")


def test_a_file_that_changes_while_it_ends_does_not_kill_it(scene: Stage, judged: Path) -> None:
    scene.result(judged=sights.at([str(judged)]))
    at_the_end = f"""
import os
class Late:
    def __del__(self, touch=os.utime):
        touch({str(judged)!r})
late = Late()  # goes with the interpreter, when signals have no handlers any more
"""
    before = judged.stat().st_mtime_ns
    watcher = scene.watch(patch=at_the_end)
    scene.manager.expect("STATUS=provisioned")
    scene.stop(watcher)
    assert judged.stat().st_mtime_ns != before
