"""A TPM that refuses, breaks, lies or hangs: each way has its own code, and what may pass is tried again."""

import pytest

from agent.codes import Code, Phase
from agent.codes import tpm as codes
from agent.tpm import keys
from agent.tpm.asking import ask
from agent.tpm.device import Device
from agent.tpm.keys import Patience, Request
from agent.tpm.protocol import ChildRequest, Failure, FailureKind, KeyState, Operation
from tests.contract.tpm_asking import (
    COLD,
    EK,
    FLUSH,
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
    settle,
    transient_handles,
)
from tests.standins.software_tpm import SoftwareTpm
from tests.standins.tpm_wire import Effect, Fault

# A TPM in a bad state


@pytest.mark.parametrize(
    ("flags", "code"),
    [("not-need-init", codes.NOT_STARTED), ("", codes.FAILURE_MODE)],
    ids=["no startup", "no init"],
)
def test_a_tpm_that_does_not_work_is_held(flags: str, code: Code) -> None:
    with SoftwareTpm(flags=flags) as tpm:
        finding = refusal(keys.show, request(tpm))

    assert finding.code == code
    assert finding.code.phase is Phase.HELD


def test_slots_that_others_filled_are_waited_for(software_tpm: SoftwareTpm) -> None:
    """The children here are killed with their key loaded, three times, and nobody flushes for them."""
    for _ in range(3):
        fault = Fault(Effect.CUT_AFTER, MAKE)
        software_tpm.faults.append(fault)
        refusal(keys.ensure, request(software_tpm))
    finding = refusal(keys.ensure, request(software_tpm))

    assert finding.code == codes.OBJECT_MEMORY
    assert finding.code.phase is Phase.WAITING
    software_tpm.power_cycle()
    assert ensure(software_tpm).complete


# A TPM that answers with a response code

STRUCK = [READ, MAKE, PERSIST]
ANSWERS = [
    pytest.param(MAKE, 0x185, codes.HIERARCHY_DISABLED, id="hierarchy off"),
    pytest.param(MAKE, 0x98E, codes.AUTH_FAILED, id="counted failure"),
    pytest.param(MAKE, 0x921, codes.LOCKED_OUT, id="lockout"),
    pytest.param(PERSIST, 0x14B, codes.NV_FULL, id="NV full"),
    pytest.param(PERSIST, 0x923, codes.NV_BUSY, id="NV rate"),
    pytest.param(READ, 0x903, codes.SESSION_MEMORY, id="sessions full"),
    pytest.param(READ, 0x922, codes.NOT_READY, id="retry"),
    pytest.param(READ, 0x90A, codes.NOT_READY, id="testing"),
    pytest.param(MAKE, 0x101, codes.FAILURE_MODE, id="failure mode"),
    pytest.param(READ, 0x2D5, codes.UNKNOWN_ANSWER, id="unknown"),
]


@pytest.mark.parametrize(("command", "rc", "code"), ANSWERS)
def test_a_refusal_has_its_own_code_and_leaves_nothing_loaded(
    software_tpm: SoftwareTpm, command: str, rc: int, code: Code
) -> None:
    software_tpm.faults.append(Fault(Effect.ANSWER, command, rc=rc))
    finding = refusal(keys.ensure, request(software_tpm))

    assert finding.code == code
    assert transient_handles(software_tpm) == persistent_handles(software_tpm) == []


def test_refusals_in_the_middle_are_tried_again_by_the_library(software_tpm: SoftwareTpm) -> None:
    software_tpm.faults.append(Fault(Effect.ANSWER, MAKE, rc=0x922, times=3))

    assert ensure(software_tpm).complete


# What may pass by itself is tried again, with growing pauses; the rest is not.


class Pauses(list[float]):
    """A patience that keeps its pauses instead of taking them."""

    @property
    def patience(self) -> Patience:
        return Patience(rest=self.append, jitter=lambda: 0.5)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(Effect.ANSWER, READ, rc=0x922, times=2), id="retry"),
        pytest.param(Fault(Effect.ANSWER, READ, rc=0x902, times=2), id="slots full"),
        pytest.param(Fault(Effect.CUT, READ, times=2), id="connection cut"),
        pytest.param(Fault(Effect.HALF, READ, times=2), id="half an answer"),
        pytest.param(Fault(Effect.GARBAGE, READ, times=2), id="garbage"),
    ],
)
def test_what_passes_is_tried_again(software_tpm: SoftwareTpm, fault: Fault) -> None:
    software_tpm.faults.append(Fault(fault.effect, fault.command, times=2, rc=fault.rc))
    pauses = Pauses()

    assert keys.ensure(HOST, request(software_tpm, patience=pauses.patience)).complete
    assert pauses == [0.125, 0.25]


def test_what_does_not_pass_is_given_up(software_tpm: SoftwareTpm) -> None:
    software_tpm.faults.append(Fault(Effect.ANSWER, READ, rc=0x922, times=100))
    pauses = Pauses()

    assert refusal(keys.show, request(software_tpm, patience=pauses.patience)).code == codes.NOT_READY
    assert pauses == [0.125, 0.25, 0.5, 1.0]
    assert software_tpm.commands() == [READ] * 5


@pytest.mark.parametrize("rc", [0x98E, 0x921, 0x9A2, 0x14B, 0x101, 0x2D5], ids=hex)
def test_what_needs_a_person_is_not_tried_again(software_tpm: SoftwareTpm, rc: int) -> None:
    """Above all no failed authorisation: enough of them lock the TPM."""
    software_tpm.faults.append(Fault(Effect.ANSWER, MAKE, rc=rc, times=100))
    pauses = Pauses()
    refusal(keys.ensure, request(software_tpm, patience=pauses.patience))

    assert pauses == []
    assert software_tpm.commands() == [*LOOKED, MAKE]


# Broken lines


@pytest.mark.parametrize("command", [READ, MAKE, PERSIST])
@pytest.mark.parametrize("effect", [Effect.CUT, Effect.CUT_AFTER, Effect.HALF])
def test_a_broken_line_is_told_with_its_place(
    software_tpm: SoftwareTpm, effect: Effect, command: str
) -> None:
    software_tpm.faults.append(Fault(effect, command))
    finding = refusal(keys.ensure, request(software_tpm))

    assert finding.code in (codes.IO, codes.GARBAGE)
    assert "endorsement key" in finding.summary
    settle(software_tpm)
    assert ensure(software_tpm).complete


def test_a_tpm_that_went_and_came_back_answers_again(software_tpm: SoftwareTpm) -> None:
    made = ensure(software_tpm)
    software_tpm.power_off()
    assert refusal(keys.show, request(software_tpm)).code == codes.IO
    software_tpm.start()

    assert keys.show(HOST, request(software_tpm)).ek.name == made.ek.name


@pytest.mark.parametrize("command", [READ, MAKE, PERSIST])
def test_garbage_is_told_as_such(software_tpm: SoftwareTpm, command: str) -> None:
    software_tpm.faults.append(Fault(Effect.GARBAGE, command))

    assert refusal(keys.ensure, request(software_tpm)).code == codes.GARBAGE


@pytest.mark.parametrize(
    ("position", "state"),
    [
        pytest.param(-1, KeyState.UNFIT, id="qualified Name"),
        pytest.param(100, None, id="key"),
        pytest.param(-37, None, id="Name"),
    ],
)
def test_a_key_that_does_not_fit_its_name_is_not_used(
    software_tpm: SoftwareTpm, position: int, state: KeyState | None
) -> None:
    ensure(software_tpm)
    software_tpm.faults.append(Fault(Effect.ALTER, READ, position=position))
    finding = refusal(keys.ensure, request(software_tpm))

    assert finding.code == (codes.FOREIGN_EK if state else codes.INCONSISTENT)


# Hanging


@pytest.mark.parametrize("after", [0, 1])
def test_a_tpm_that_hangs_is_given_up_at_the_deadline_of_its_step(
    software_tpm: SoftwareTpm, after: int
) -> None:
    software_tpm.faults.append(Fault(Effect.HANG, READ, after=after))
    finding = refusal(keys.show, request(software_tpm, patience=Patience(read_s=0.5)))

    assert finding.code == codes.HUNG
    assert finding.summary.endswith(
        f"within 0.5 s (reading the {('endorsement', 'storage root')[after]} key)"
    )
    assert len(software_tpm.commands()) == 1 + after, "a hang is not repeated"


def test_a_hang_while_a_key_is_made_names_that_deadline(software_tpm: SoftwareTpm) -> None:
    software_tpm.faults.append(Fault(Effect.HANG, MAKE))
    finding = refusal(keys.ensure, request(software_tpm, patience=Patience(create_s=1.5)))

    assert finding.summary.endswith("within 1.5 s (making the endorsement key)")


def test_a_slow_tpm_gets_one_key(software_tpm: SoftwareTpm) -> None:
    """Making a key may take longer than any other command may."""
    software_tpm.faults.append(Fault(Effect.DELAY, MAKE, times=2, delay_s=2.0))
    made = keys.ensure(HOST, request(software_tpm, patience=Patience(read_s=1.5, create_s=30.0)))

    assert made.complete
    assert software_tpm.commands() == COLD
    assert persistent_handles(software_tpm) == [SRK, EK]


def test_a_slow_unloading_is_no_failure(software_tpm: SoftwareTpm) -> None:
    software_tpm.faults.append(Fault(Effect.ANSWER, FLUSH, rc=0x101, times=2))

    assert ensure(software_tpm).complete


# Ways that lead nowhere


@pytest.mark.parametrize(
    ("tcti", "code"),
    [
        ("nonsense:host=x", codes.BAD_TCTI),
        ("swtpm:port=99999999", codes.BAD_TCTI),
        ("swtpm:colour=red", codes.BAD_TCTI),
        ("swtpm:host=127.0.0.1,port=1", codes.IO),
        ("device:/dev/null", codes.IO),
        ("device:/nowhere/tpmrm0", codes.IO),
    ],
)
def test_a_tcti_string_that_leads_nowhere(tcti: str, code: Code) -> None:
    finding = refusal(keys.show, Request(Device(tcti, tcti), patience=Patience(pauses_s=())))

    assert finding.code == code
    assert tcti in finding.summary


@pytest.mark.parametrize(
    ("command", "expected"),
    [(READ, ""), (MAKE, ""), (PERSIST, ""), (FLUSH, ""), (MAKE, "000b00"), (FLUSH, "000b00")],
)
def test_a_broken_line_is_told_by_its_first_error(
    software_tpm: SoftwareTpm, command: str, expected: str
) -> None:
    """What the library says of a line after it broke (0x70007, a wrong sequence) hides why it broke."""
    software_tpm.faults.append(Fault(Effect.CUT, command))
    told = ask(ChildRequest(Operation.ENSURE, software_tpm.tcti, 60.0, 60.0, expected_ek_name=expected))

    assert isinstance(told, Failure)
    assert (told.kind, told.rc) == (FailureKind.RC, 0xA000A)
