"""The child that speaks to the TPM: whatever becomes of it, the agent knows it, and the keys are right."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from agent.codes import tpm as codes
from agent.host import process
from agent.tpm import keys
from agent.tpm.keys import Patience
from agent.tpm.protocol import (
    ChildRequest,
    Failure,
    FailureKind,
    Found,
    KeyState,
    Operation,
    decode_answer,
    encode_request,
)
from agent.tpm.public_area import name_of
from tests.contract.tpm_asking import (
    COLD,
    EK,
    HOST,
    LOOKED,
    MAKE,
    PERSIST,
    READ,
    SRK,
    ensure,
    persistent_handles,
    refusal,
    request,
    tools,
    transient_handles,
)
from tests.standins.software_tpm import SoftwareTpm
from tests.standins.tpm_wire import Effect, Fault

DEADLINE_S = 30.0
NO_ANSWER = Failure(FailureKind.ENDED)


def replaced_child(monkeypatch: pytest.MonkeyPatch, first: str) -> None:
    """Have the child do something else before its own work."""
    own = process.module_argv("agent.tpm.esapi")
    argv = (sys.executable, "-I", "-c", f"{first}\n{own[3]}")
    monkeypatch.setattr(process, "module_argv", lambda *_: argv)


def test_a_missing_library_is_told(monkeypatch: pytest.MonkeyPatch, software_tpm: SoftwareTpm) -> None:
    replaced_child(monkeypatch, "import sys; sys.modules['tpm2_pytss'] = None")
    finding = refusal(keys.ensure, request(software_tpm))

    assert finding.code == codes.LIBRARY_MISSING
    assert "python3-tpm2-pytss" in finding.remedy


def test_a_child_that_is_killed_is_told(monkeypatch: pytest.MonkeyPatch, software_tpm: SoftwareTpm) -> None:
    replaced_child(monkeypatch, "import os; os.kill(os.getpid(), 9)")

    assert "exit status -9" in refusal(keys.ensure, request(software_tpm)).summary


def test_a_child_that_breaks_is_told_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch, software_tpm: SoftwareTpm
) -> None:
    replaced_child(monkeypatch, "raise MemoryError('none left')")
    finding = refusal(keys.ensure, request(software_tpm))

    assert finding.code == codes.HELPER_DIED
    assert "MemoryError: none left" in finding.summary


def test_a_child_that_ignores_its_alarm_is_killed(
    monkeypatch: pytest.MonkeyPatch, software_tpm: SoftwareTpm
) -> None:
    replaced_child(monkeypatch, "import signal, time; signal.signal(signal.SIGALRM, signal.SIG_IGN)")
    software_tpm.faults.append(Fault(Effect.HANG, MAKE))

    patience = Patience(read_s=0.5, create_s=0.1)
    assert refusal(keys.ensure, request(software_tpm, patience=patience)).code == codes.HUNG
    assert software_tpm.commands() == [*LOOKED, MAKE]


# Killed between any two commands, and two at once


@contextmanager
def running_child(tpm: SoftwareTpm) -> Iterator[subprocess.Popen[bytes]]:
    """Start a child that ensures the keys, as the agent starts it."""
    child = subprocess.Popen(
        process.module_argv("agent.tpm.esapi"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdin is not None
    child.stdin.write(encode_request(ChildRequest(Operation.ENSURE, tpm.tcti, DEADLINE_S, DEADLINE_S)))
    child.stdin.close()
    child.stdin = None
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def found_by(child: subprocess.Popen[bytes]) -> Found:
    output, _ = child.communicate(timeout=DEADLINE_S)
    found = decode_answer(output, NO_ANSWER)
    assert isinstance(found, Found), found
    return found


@pytest.mark.parametrize("effect", [Effect.HANG, Effect.HANG_AFTER], ids=["before", "after"])
@pytest.mark.parametrize("position", range(len(COLD)), ids=[f"{at}-{name}" for at, name in enumerate(COLD)])
def test_a_child_killed_at_any_command_is_made_good_by_the_next(
    software_tpm: SoftwareTpm, position: int, effect: Effect
) -> None:
    expected = keys.derive(HOST, request(software_tpm)).ek.name
    fault = Fault(effect, after=position)
    software_tpm.faults.append(fault)
    with running_child(software_tpm) as child:
        assert fault.reached.wait(DEADLINE_S)
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=DEADLINE_S)
    made = ensure(software_tpm)

    assert made.complete
    assert made.ek.name == expected
    assert persistent_handles(software_tpm) == [SRK, EK]
    assert ensure(software_tpm).srk.public == made.srk.public


@pytest.mark.parametrize("position", [PERSIST, MAKE, READ])
def test_whoever_is_overtaken_takes_the_other_ones_key(software_tpm: SoftwareTpm, position: str) -> None:
    held_up = Fault(Effect.HOLD, position)
    software_tpm.faults.append(held_up)
    with running_child(software_tpm) as slow:
        assert held_up.reached.wait(DEADLINE_S)
        fast = ensure(software_tpm)
        held_up.released.set()
        found = found_by(slow)

    assert (found.ek.public, found.srk.public) == (fast.ek.public, fast.srk.public)
    assert (found.ek.state, found.srk.state) == (KeyState.PRESENT, KeyState.PRESENT)
    assert persistent_handles(software_tpm) == [SRK, EK]
    assert transient_handles(software_tpm) == []


def test_many_at_once_end_with_one_pair_of_keys(software_tpm: SoftwareTpm) -> None:
    """Three, as many as have room for a key in this TPM at the same time."""
    with ExitStack() as stack:
        children = [stack.enter_context(running_child(software_tpm)) for _ in range(3)]
        found = [found_by(child) for child in children]

    assert len({(each.ek.public, each.srk.public) for each in found}) == 1
    assert persistent_handles(software_tpm) == [SRK, EK]
    assert name_of(found[0].ek.public).hex() == ensure(software_tpm).ek.name


def test_a_foreign_object_that_appears_in_between_is_not_touched(software_tpm: SoftwareTpm) -> None:
    held_up = Fault(Effect.HOLD, PERSIST)
    software_tpm.faults.append(held_up)
    with running_child(software_tpm) as slow:
        assert held_up.reached.wait(DEADLINE_S)
        tools(software_tpm, "tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-c", "made.ctx")
        tools(software_tpm, "tpm2_evictcontrol", "-Q", "-C", "o", "-c", "made.ctx", EK)
        held_up.released.set()
        found = found_by(slow)

    assert (found.ek.state, found.srk.state) == (KeyState.UNFIT, KeyState.ABSENT)
    assert persistent_handles(software_tpm) == [EK]


@pytest.mark.parametrize("mask", [0o000, 0o077, 0o777])
def test_the_umask_makes_no_difference(software_tpm: SoftwareTpm, mask: int) -> None:
    before = os.umask(mask)
    try:
        made = ensure(software_tpm)
    finally:
        os.umask(before)

    assert made.complete
