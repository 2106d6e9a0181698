"""The way to a TPM without the library: it says the same as the library's child, step for step."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from agent.codes import Code
from agent.host import process
from agent.tpm import faults, reading, wire
from agent.tpm.protocol import (
    ChildRequest,
    Failure,
    FailureKind,
    Found,
    Operation,
    decode_answer,
    encode_request,
)
from tests.contract.tpm_asking import READ, ensure
from tests.standins.software_tpm import SoftwareTpm
from tests.standins.tpm_wire import Effect, Fault

_DEADLINE_S = 60.0


@pytest.fixture(autouse=True)
def _no_alarm_is_left() -> Iterator[None]:
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)


def _meaning(lines: list[str]) -> tuple[list[str], Found | Code]:
    """Give the steps, and the keys or the code: several response codes mean a broken line."""
    answer = decode_answer("\n".join(lines).encode(), Failure(FailureKind.ENDED))
    if isinstance(answer, Found):
        return lines[:-1], answer
    return lines[:-1], faults.explain(answer, faults.Circumstances("the TPM")).code


def _ours(tcti: str) -> list[str]:
    said: list[str] = []
    wire.look(tcti, _DEADLINE_S, said.append)
    return said


def _the_library_s(tcti: str) -> list[str]:
    request = ChildRequest(Operation.SHOW, tcti, _DEADLINE_S, _DEADLINE_S)
    argv = process.module_argv("agent.tpm.esapi")
    ended = subprocess.run(argv, input=encode_request(request), capture_output=True, check=True)
    return ended.stdout.decode().splitlines()[1:]  # the first step is loading the library


@pytest.mark.parametrize("way", ["swtpm", "node"])
@pytest.mark.parametrize("keys", ["none", "both"])
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(None, id="well"),
        pytest.param(partial(Fault, Effect.ANSWER, READ, rc=0x101), id="refused"),
        pytest.param(partial(Fault, Effect.ANSWER, READ, after=1, rc=0x922), id="later"),
        pytest.param(partial(Fault, Effect.CUT, READ), id="cut"),
    ],
)
def test_both_ways_say_the_same(
    software_tpm: SoftwareTpm, tmp_path: Path, way: str, keys: str, fault: partial[Fault] | None
) -> None:
    if keys == "both":
        ensure(software_tpm)
    bridge = software_tpm.bridge(str(tmp_path / "tpmrm0"))

    def asked(ask: Callable[[str], list[str]]) -> tuple[list[str], Found | Code]:
        bridge.unplug()
        bridge.plug()
        software_tpm.faults[:] = [fault()] if fault else []
        tcti = software_tpm.tcti if way == "swtpm" else f"device:{bridge.node}"
        return _meaning(ask(tcti))

    assert asked(_ours) == asked(_the_library_s)


def test_a_changed_key_is_told_as_such(software_tpm: SoftwareTpm) -> None:
    ensure(software_tpm)
    software_tpm.faults.append(Fault(Effect.ALTER, READ, position=100))

    assert '"inconsistent"' in _ours(software_tpm.tcti)[-1]


def test_garbage_is_no_answer(software_tpm: SoftwareTpm) -> None:
    software_tpm.faults.append(Fault(Effect.GARBAGE, READ))

    assert '"garbled"' in _ours(software_tpm.tcti)[-1]


@pytest.mark.parametrize(
    ("tcti", "ours"),
    [
        ("device:/dev/tpmrm0", True),
        ("swtpm:host=127.0.0.1,port=2321", True),
        ("swtpm:host=127.0.0.1,port=65536", False),
        ("swtpm:host=tpm.example,port=2321", False),
        ("swtpm:port=2321", False),
        ("device", False),
        ("mssim:host=127.0.0.1,port=2321", False),
    ],
)
def test_other_ways_are_the_library_s(tcti: str, *, ours: bool) -> None:
    assert wire.is_ours(tcti) == ours


def test_a_way_of_the_library_s_is_not_gone() -> None:
    assert '"garbled"' in _ours("mssim:port=1")[-1]


def test_each_step_has_its_deadline(software_tpm: SoftwareTpm, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []
    monkeypatch.setattr(reading, "allow", given.append)
    _ours(software_tpm.tcti)
    ensure(software_tpm)
    _ours(software_tpm.tcti)

    assert given == [_DEADLINE_S] * (4 + 3), "opening, two keys, and the hierarchies where a key is absent"


def test_a_node_is_closed(software_tpm: SoftwareTpm, tmp_path: Path) -> None:
    software_tpm.bridge(str(tmp_path / "tpmrm0")).plug()
    before = set(os.listdir("/proc/self/fd"))
    _ours(f"device:{tmp_path}/tpmrm0")

    assert set(os.listdir("/proc/self/fd")) == before
