"""What the status says while a step is being done, and after the pass that did it was killed."""

import json
import os
from typing import Any

import pytest

from tests.crash.device import Device

pytestmark = pytest.mark.timeout(120)

_EFFECT = "run `iotedge config apply` (never applied); this restarts the runtime and all modules"


def _status(device: Device, *options: str) -> tuple[int, str]:
    process = device.start("status", *options)
    said = "".join(process.communicate())
    return process.returncode, said


def _document(device: Device) -> dict[str, Any]:
    return dict(json.loads(_status(device, "--json")[1]))


def test_a_running_apply_is_told_by_every_status(device: Device) -> None:
    agent = device.hang_apply("mid-write")
    document = _document(device)
    ended, text = _status(device)

    assert (document["phase"], document["code"]) == ("provisioning", "agent.working")
    step = document["step"]
    assert (step["name"], step["effect"], step["pid"]) == ("apply-config", _EFFECT, agent.pid)
    assert step["number"] == step["of"] > 1
    assert document["since"] == step["since"] > os.stat(f"/proc/{agent.pid}").st_ctime - 1
    assert ended == 3
    assert f"Step {step['number']} of {step['of']}: {_EFFECT}" in text
    assert f"under way, by `edge-provisioner once` (process {agent.pid})" in text
    assert "seconds ago)" in text or "second ago)" in text
    assert "cut off" not in text
    device.let_apply_go()
    agent.communicate()

    assert _document(device)["step"] is None


def test_a_pass_that_was_killed_in_a_step_leaves_word_of_it(device: Device) -> None:
    agent = device.hang_apply("mid-write")
    agent.kill()
    agent.communicate()
    ended, text = _status(device)

    assert ended == 3
    assert _EFFECT in text
    assert "That step was cut off" in text


def test_nobody_who_waits_is_fooled_by_a_step_or_by_what_was_before_it(device: Device) -> None:
    device.converge()
    device.settings('[dps]\nid_scope = "0ne00000002"\n[tpm]\nsettle_s = 0.01\n[runtime]\nprove_s = 0.01\n')
    agent = device.hang_apply("mid-write")

    assert _status(device, "--wait", "provisioned", "--timeout", "0.5")[0] == 3
    assert _status(device, "--wait", "provisioning", "--timeout", "9")[0] == 3
    agent.kill()
    agent.communicate()
    assert "cut off" in _status(device, "--wait", "provisioning", "--timeout", "0.5")[1]
