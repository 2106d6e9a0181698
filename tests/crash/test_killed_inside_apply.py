"""Killed inside `iotedge config apply`: the agent alone, or both; told to stop; two agents at once.

An apply stops all modules, so there is never a second one beside the first, and a repetition only where the
generated files don't say what config.toml says.
"""

import pytest

from tests.crash.conftest import Ends
from tests.crash.device import CHANGED, Device

pytestmark = pytest.mark.timeout(120)

_APPLY, _RESTART = "config apply", "system restart"
_BEFORE_ITS_FILES = ("before-write", "mid-write")
_BEFORE_ITS_END = ("before-restart", "mid-restart")
each_point = pytest.mark.parametrize("point", _BEFORE_ITS_FILES + _BEFORE_ITS_END)


def _kill(agent_of: Device, point: str) -> None:
    with agent_of.hang_apply(point) as agent:
        agent.kill()


@each_point
def test_an_apply_outlives_the_agent_and_is_waited_for(point: str, device: Device, ends: Ends) -> None:
    _kill(device, point)

    assert device.once() == 3
    assert device.code() == "apply.running"
    device.let_apply_go()
    device.converge()

    assert device.commands() == [_APPLY]
    assert device.state() == ends.first


@pytest.mark.parametrize("point", _BEFORE_ITS_FILES)
def test_an_apply_killed_before_its_files_stand_is_repeated(point: str, device: Device, ends: Ends) -> None:
    _kill(device, point)
    device.kill_apply()

    device.converge()

    assert device.commands() == [_APPLY, _APPLY]
    assert device.state() == ends.first


@pytest.mark.parametrize("point", _BEFORE_ITS_END)
def test_an_apply_killed_before_its_end_is_followed_by_one_restart(
    point: str, device: Device, ends: Ends
) -> None:
    _kill(device, point)
    device.kill_apply()

    device.converge()
    device.converge()

    assert device.commands() == [_APPLY, _RESTART]
    assert device.state() == ends.first


@each_point
def test_a_change_of_settings_survives_it_too(point: str, device: Device, ends: Ends) -> None:
    device.converge()
    device.forget_commands()
    device.settings(CHANGED)
    _kill(device, point)
    device.kill_apply()

    device.converge()

    assert device.commands() == [_APPLY, _APPLY if point in _BEFORE_ITS_FILES else _RESTART]
    assert device.state() == ends.change


def test_a_restart_that_is_killed_too_is_made_up_for(device: Device, ends: Ends) -> None:
    _kill(device, "mid-restart")
    device.kill_apply()

    device.die("before run iotedge system restart")
    device.converge()

    assert device.commands() == [_APPLY, _RESTART]
    assert device.state() == ends.first


def test_the_restart_is_owed_through_other_steps(device: Device, ends: Ends) -> None:
    """The payload alone needs no apply; that it is written first must not make anyone forget."""
    device.converge()
    device.forget_commands()
    device.settings(CHANGED)
    _kill(device, "mid-restart")
    device.kill_apply()
    device.settings(CHANGED.replace("line;2", "line;3"))

    device.die("before begin restart-runtime")
    device.settings(CHANGED)
    device.converge()

    assert device.commands() == [_APPLY, _RESTART]
    assert device.state() == ends.change


def test_a_reboot_brings_the_services_back_by_itself(device: Device, ends: Ends) -> None:
    _kill(device, "mid-restart")
    device.kill_apply()

    device.reboot()
    device.converge()

    assert device.commands() == [_APPLY]
    assert device.state()["etc/aziot/config.toml"] == ends.first["etc/aziot/config.toml"]


@each_point
def test_told_to_stop_it_lets_the_apply_finish(point: str, device: Device, ends: Ends) -> None:
    with device.hang_apply(point) as agent:
        agent.terminate()
        device.let_apply_go()
        agent.communicate()

    assert agent.returncode in (0, 1, 3), "it ended by itself, with the pass's own result"
    device.converge()
    assert device.commands() == [_APPLY]
    assert device.state() == ends.first


def test_two_agents_make_one_pair_of_keys_and_one_apply(device: Device, ends: Ends) -> None:
    both = [device.start("once"), device.start("once")]

    for agent in both:
        agent.communicate()
    device.converge()

    assert device.tpm.commands().count("EvictControl") == 2
    assert device.commands() == [_APPLY]
    assert device.state() == ends.first
