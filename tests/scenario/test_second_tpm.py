"""A TPM that somebody plugs into a provisioned device: an emulator on USB can say whatever it likes."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from agent.host.root import Root
from agent.look.remembered import load_history
from agent.look.tpm import stored_ek_name
from tests.scenario.stage import CONFIG, Stage, set_owner_password
from tests.standins.tpm_wire import Bridge

Answer = Callable[[bytes], bytes]
_EVICT_CONTROL = bytes.fromhex("00000120")
_NONSENSE: dict[str, Answer] = {
    "zeros": lambda _: bytes(10),
    "ones": lambda _: b"\xff" * 4000,
    "an answer of four gigabytes": lambda _: b"\x80\x01\xff\xff\xff\xff\0\0\0\0",
    "a short answer": lambda _: b"\x80\x01\0\0\0\x0a\0\0\0\0",
    "a failure": lambda _: b"\x80\x01\0\0\0\x0a\0\0\x01\x01",
}


@contextmanager
def plugged(stage: Stage, base: str, number: int, answer: Answer) -> Iterator[None]:
    chip = Bridge(os.path.join(base, "their-chip"), answer)
    chip.plug()
    stage.machine.plug(f"tpmrm{number}", os.path.realpath(chip.node))
    try:
        yield
    finally:
        stage.machine.unplug(f"tpmrm{number}")
        chip.unplug()
        chip.close()


def test_one_that_is_plugged_in_besides_is_not_even_asked(provisioned: Stage, base: str) -> None:
    """Nor waited for: one that is silent would take half a minute of each look."""
    before, text = provisioned.edged(), provisioned.read(CONFIG)
    asked: list[bytes] = []

    def note(command: bytes) -> bytes:
        asked.append(command)
        return bytes(10)

    with plugged(provisioned, base, 1, note):
        assert provisioned.once()["code"] == "runtime.provisioned"

    assert (provisioned.edged(), provisioned.read(CONFIG), asked) == (before, text, [])


@pytest.mark.parametrize("said", _NONSENSE)
def test_the_devices_own_is_found_behind_one_that_talks_nonsense(
    provisioned: Stage, base: str, said: str
) -> None:
    provisioned.unplug()
    provisioned.plug(1)

    with plugged(provisioned, base, 0, _NONSENSE[said]):
        looked = provisioned.once()

    assert looked["tpm"]["node"] == "/dev/tpmrm1"
    assert looked["tpm"]["ek_name"] == stored_ek_name(
        load_history(Root(provisioned.machine.root)) or pytest.fail("no record"), adopt=False
    )


def test_one_in_place_of_the_devices_own_gets_nothing(stage: Stage, base: str) -> None:
    """It has no key, and would be given one; but it is not this device's TPM."""
    set_owner_password(stage.tpm, "hunter2")
    stage.machine.fault(tpm_auth={"owner": "hunter2"})
    stage.write("/etc/credstore/tpm-owner-auth", "hunter2", 0o600)
    stage.provision()
    stage.unplug()
    before, text = stage.edged(), stage.read(CONFIG)
    asked: list[bytes] = []

    def vacant(command: bytes) -> bytes:
        asked.append(command)
        return bytes.fromhex("8001 0000000a 0000018b")

    with plugged(stage, base, 0, vacant):
        looked = stage.once()

    assert looked["phase"] == "held"
    assert (stage.edged(), stage.read(CONFIG)) == (before, text)
    assert asked
    assert not [command for command in asked if command[6:10] == _EVICT_CONTROL or b"hunter2" in command]
