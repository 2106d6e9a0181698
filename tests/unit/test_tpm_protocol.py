"""The conversation with the child: what goes in comes out; a child that dies in the middle is understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.tpm import protocol
from agent.tpm.protocol import (
    ChildRequest,
    Failure,
    FailureKind,
    Found,
    FoundKey,
    KeyState,
    Operation,
    Step,
)
from agent.tpm.public_area import name_of
from agent.tpm.templates import EK_TEMPLATE, SRK_TEMPLATE

KILLED = Failure(FailureKind.ENDED, detail="exit status -9")
FOUND = Found(FoundKey(KeyState.PRESENT, b"public", b"qualified"), FoundKey(KeyState.ABSENT))


def lines(*texts: str) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()


def test_a_request_arrives_as_it_was_sent() -> None:
    request = ChildRequest(Operation.ENSURE, "device:/dev/tpmrm0", 30.0, 180.0, "öwner", "endo\n", "000b")

    assert protocol.decode_request(protocol.encode_request(request)) == request


def test_what_was_read_already_goes_along() -> None:
    request = ChildRequest(Operation.ENSURE, "device:/dev/tpmrm0", 30.0, 180.0, found=FOUND)

    assert protocol.decode_request(protocol.encode_request(request)) == request


ABSENT, UNFIT = FoundKey(KeyState.ABSENT), FoundKey(KeyState.UNFIT)
EK, SRK = FoundKey(KeyState.PRESENT, EK_TEMPLATE), FoundKey(KeyState.PRESENT, SRK_TEMPLATE)
NAME, OTHER_NAME = name_of(EK_TEMPLATE).hex(), name_of(SRK_TEMPLATE).hex()


@pytest.mark.parametrize(
    ("ek", "srk", "expected", "operations"),
    [
        (ABSENT, ABSENT, "", "derive ensure"),
        (ABSENT, SRK, "", "derive ensure"),
        (ABSENT, UNFIT, "", ""),
        (EK, ABSENT, "", "ensure"),
        (EK, ABSENT, NAME, "ensure"),
        (EK, ABSENT, OTHER_NAME, ""),
        (EK, SRK, "", ""),
        (UNFIT, ABSENT, "", ""),
    ],
)
def test_what_is_missing_depends_on_what_is_asked(
    ek: FoundKey, srk: FoundKey, expected: str, operations: str
) -> None:
    asked = [
        operation
        for operation in Operation
        if protocol.missing(ChildRequest(operation, "x", 1.0, 1.0, expected_ek_name=expected), Found(ek, srk))
    ]

    assert " ".join(asked) == operations


def test_a_request_shows_no_password() -> None:
    assert "hunter2" not in repr(ChildRequest(Operation.ENSURE, "x", 1.0, 1.0, "hunter2", "hunter2"))


def test_an_answer_arrives_as_it_was_sent() -> None:
    said = lines(protocol.encode_step(Step.READ_EK), protocol.encode_found(FOUND))

    assert protocol.decode_answer(said, KILLED) == FOUND


def test_a_failure_is_placed_at_the_last_step() -> None:
    said = lines(
        protocol.encode_step(Step.READ_EK),
        protocol.encode_step(Step.CREATE_EK),
        protocol.encode_failure(FailureKind.RC, rc=0x9A2, detail="x"),
    )

    assert protocol.decode_answer(said, KILLED) == Failure(FailureKind.RC, Step.CREATE_EK, 0x9A2, "x")


@pytest.mark.parametrize(
    ("said", "step"),
    [
        pytest.param(b"", Step.START, id="silent"),
        pytest.param(lines(protocol.encode_step(Step.CREATE_SRK)), Step.CREATE_SRK, id="in the middle"),
        pytest.param(
            lines(protocol.encode_step(Step.READ_SRK)) + b'{"ek": {"st', Step.READ_SRK, id="line cut"
        ),
        pytest.param(lines("a library's own words", "7", "{}"), Step.START, id="other output"),
    ],
)
def test_a_child_without_an_answer_ended_at_its_last_step(said: bytes, step: Step) -> None:
    assert protocol.decode_answer(said, KILLED) == Failure(FailureKind.ENDED, step, 0, "exit status -9")


@given(st.sampled_from(KeyState), st.binary(max_size=400), st.binary(max_size=70))
def test_every_key_survives_the_way(state: KeyState, public: bytes, qualified_name: bytes) -> None:
    found = Found(FoundKey(state, public, qualified_name), FoundKey(KeyState.ABSENT))

    assert protocol.decode_answer(lines(protocol.encode_found(found)), KILLED) == found
