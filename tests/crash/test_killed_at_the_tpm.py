"""Killed between two TPM commands: the agent alone, whose child goes on, or both."""

import os
import signal

import pytest

from tests.crash.conftest import Ends
from tests.crash.device import DEADLINE_S, Device
from tests.standins.tpm_wire import Effect, Fault

pytestmark = pytest.mark.timeout(120)

_COMMANDS = (("CreatePrimary", 0), ("EvictControl", 0), ("CreatePrimary", 1), ("EvictControl", 1))
each_command = pytest.mark.parametrize(("command", "after"), _COMMANDS)


def _child_of(pid: int) -> int:
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as source:
        return int(source.read())


def _hold(device: Device, command: str, after: int) -> Fault:
    fault = Fault(Effect.HOLD, command, after)
    device.tpm.faults.append(fault)
    return fault


@each_command
def test_the_agent_dies_and_its_child_goes_on_alone(
    command: str, after: int, device: Device, ends: Ends
) -> None:
    fault = _hold(device, command, after)
    with device.start("once") as agent:
        assert fault.reached.wait(DEADLINE_S)
        agent.kill()

    fault.released.set()
    device.converge()

    assert device.state() == ends.first
    assert device.commands() == ["config apply"]


@each_command
def test_both_die(command: str, after: int, device: Device, ends: Ends) -> None:
    fault = _hold(device, command, after)
    with device.start("once") as agent:
        assert fault.reached.wait(DEADLINE_S)
        child = _child_of(agent.pid)
        agent.kill()
    os.kill(child, signal.SIGKILL)

    fault.released.set()
    _drop_answer(device.machine.path("/dev/tpmrm0"))
    device.converge()

    assert device.state() == ends.first
    assert device.commands() == ["config apply"]


def _drop_answer(node: str) -> None:
    """Take the answer that nobody waits for any more, as the kernel's driver does when a node is closed."""
    with open(node, "rb", buffering=0) as source:
        header = source.read(10)
        left = int.from_bytes(header[2:6], "big") - len(header)
        while left:
            left -= len(source.read(left))
