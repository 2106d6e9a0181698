"""From response codes to what a person is told; every code here was seen, or stands in the specification."""

import pytest

from agent.codes import Code, Finding, Phase
from agent.codes import tpm as codes
from agent.tpm import faults
from agent.tpm.protocol import Failure, FailureKind, Step

HERE = faults.Circumstances("/dev/tpmrm0", read_s=30.0, create_s=180.0)


def told(rc: int, step: Step = Step.READ_EK, circumstances: faults.Circumstances = HERE) -> Code:
    return faults.explain(Failure(FailureKind.RC, step, rc), circumstances).code


@pytest.mark.parametrize(
    ("rc", "code"),
    [
        (0x0100, codes.NOT_STARTED),
        (0x0101, codes.FAILURE_MODE),
        (0x014B, codes.NV_FULL),
        (0x0185, codes.HIERARCHY_DISABLED),
        (0x0902, codes.OBJECT_MEMORY),
        (0x0903, codes.SESSION_MEMORY),
        (0x0908, codes.NOT_READY),
        (0x090A, codes.NOT_READY),
        (0x0920, codes.NV_BUSY),
        (0x0921, codes.LOCKED_OUT),
        (0x0922, codes.NOT_READY),
        (0x0923, codes.NV_BUSY),
        (0x098E, codes.AUTH_FAILED),
        (0xC0902, codes.OBJECT_MEMORY),  # a resource manager's word for the same
        (0x0AB7, codes.UNKNOWN_ANSWER),
        (0x0143, codes.COMMAND_UNKNOWN),
        (0x012D, codes.FIRMWARE_UPDATE),
        (0xB0143, codes.COMMAND_UNKNOWN),  # Linux's word for a command that the chip does not have
        (0xB0185, codes.HIERARCHY_DISABLED),
        (0xB0009, codes.NOT_READY),  # a resource manager's own code
        (0xB0AB7, codes.UNKNOWN_ANSWER),
        (0x70007, codes.IO),
        (0x90006, codes.GARBAGE),
        (0xA0006, codes.GARBAGE),
        (0xA0008, codes.IO),
        (0xA0009, codes.NOT_READY),
        (0xA000A, codes.IO),
        (0x80010, codes.GARBAGE),
        (0x70001, codes.UNKNOWN_ANSWER),
        (0x80012, codes.GARBAGE),
        (0x9000B, codes.GARBAGE),
        (0xFFFFFFFF, codes.GARBAGE),
    ],
    ids=lambda value: value.name if isinstance(value, Code) else f"{value:#x}",
)
def test_a_response_code_has_its_own_words(rc: int, code: Code) -> None:
    assert told(rc) == code


@pytest.mark.parametrize("rc", [0xA0015, 0xA000B, 0xA0005], ids=hex)
def test_a_way_that_does_not_exist_is_a_setting(rc: int) -> None:
    finding = faults.explain(Failure(FailureKind.RC, Step.OPEN, rc), HERE)

    assert finding.code == codes.BAD_TCTI
    assert f"{rc:#x}" in finding.summary


def test_a_node_needs_a_module_of_the_library_and_no_setting() -> None:
    here = faults.Circumstances("/dev/tpmrm0", by_node=True)
    finding = faults.explain(Failure(FailureKind.RC, Step.OPEN, 0xA0015), here)

    assert finding.code.name == "tpm.module-missing"
    assert "libtss2-tcti-device0t64" in finding.remedy
    assert told(0xA000A, Step.OPEN, here) == codes.IO


def test_a_way_that_breaks_at_once_is_no_setting() -> None:
    assert told(0xA000A, Step.OPEN) == codes.IO


@pytest.mark.parametrize(
    ("step", "given", "code"),
    [
        (Step.CREATE_EK, False, codes.ENDORSEMENT_AUTH),
        (Step.CREATE_EK, True, codes.WRONG_ENDORSEMENT_AUTH),
        (Step.PERSIST_EK, False, codes.OWNER_AUTH),
        (Step.PERSIST_EK, True, codes.WRONG_OWNER_AUTH),
        (Step.CREATE_SRK, False, codes.OWNER_AUTH),
        (Step.CREATE_SRK, True, codes.WRONG_OWNER_AUTH),
        (Step.PERSIST_SRK, False, codes.OWNER_AUTH),
    ],
)
def test_whose_password_it_is_follows_from_the_step(step: Step, given: bool, code: Code) -> None:
    here = faults.Circumstances("/dev/tpmrm0", owner_auth_given=given, endorsement_auth_given=given)

    assert told(0x9A2, step, here) == code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FailureKind.LIBRARY, codes.LIBRARY_MISSING),
        (FailureKind.GARBLED, codes.GARBAGE),
        (FailureKind.INCONSISTENT, codes.INCONSISTENT),
        (FailureKind.ENDED, codes.HELPER_DIED),
        (FailureKind.HUNG, codes.HUNG),
    ],
)
def test_a_failure_without_response_code_has_its_own_words(kind: FailureKind, code: Code) -> None:
    finding = faults.explain(Failure(kind, Step.LIBRARY, detail="what it said"), HERE)

    assert finding.code == code
    assert finding.summary
    assert finding.remedy


def test_an_unknown_answer_is_shown_as_it_came() -> None:
    finding = faults.explain(Failure(FailureKind.RC, Step.CREATE_SRK, 0x2D5), HERE)

    assert finding.summary == "/dev/tpmrm0 refused with 0x2d5 (making the storage root key)"
    assert "tpm2_rc_decode 0x2d5" in finding.remedy


@pytest.mark.parametrize(("step", "deadline"), [(Step.READ_EK, "30 s"), (Step.CREATE_SRK, "180 s")])
def test_a_hang_tells_its_deadline_and_place(step: Step, deadline: str) -> None:
    summary = faults.explain(Failure(FailureKind.HUNG, step), HERE).summary

    assert deadline in summary
    assert step in summary


def test_what_is_tried_again_passes_by_itself() -> None:
    tried = [
        row
        for row in vars(codes).values()
        if isinstance(row, Code) and faults.is_worth_another_try(row_of(row))
    ]

    assert {code.phase for code in tried} == {Phase.WAITING}
    assert codes.HUNG not in tried
    assert {codes.AUTH_FAILED, codes.LOCKED_OUT, codes.OWNER_AUTH, codes.NV_FULL}.isdisjoint(tried)


def row_of(code: Code) -> Finding:
    return code(**dict.fromkeys(code.fact_names, "x"))
