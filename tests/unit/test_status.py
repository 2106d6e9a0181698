"""The status that a pass leaves is read back as it was, and a damaged one is refused."""

import json
from typing import Any

import pytest

from agent.facts.status import (
    ModuleStatus,
    Notice,
    SeenNode,
    Status,
    StepStatus,
    TpmStatus,
    UnitStatus,
    Writer,
)
from agent.values import replace

STATUS = Status(
    phase="provisioned",
    code="runtime.provisioned",
    summary="Provisioned as dev on hub.test",
    remedy="Nothing.",
    since=1_800_000_000.25,
    seen_at=1_800_000_300.0,
    monotonic_s=1234.5,
    look_again_s=300.0,
    transaction="t-1",
    writer=Writer("boot-1", 4711, 99, "timer"),
    registration_id="line-4",
    hub="hub.test",
    device_id="dev",
    tpm=TpmStatus("/dev/tpmrm0", "000b", (SeenNode("/dev/tpmrm0", 12, 3.5),)),
    units={"aziot-edged": UnitStatus("active", 1234, 0)},
    modules={"edgeAgent": ModuleStatus("running", 5678)},
    runtime_says={"aziot-edged": "Running"},
    notices=(Notice("tpm.software", "a software TPM", "nothing."),),
)
IN_A_STEP = replace(STATUS, step=StepStatus("apply-config", "run it", 3, 4, 1_800_000_301.5, 4712, 100))
BARE = replace(STATUS, tpm=TpmStatus(), units={}, modules={}, runtime_says={}, notices=())


@pytest.mark.parametrize("status", [STATUS, BARE, IN_A_STEP])
def test_a_status_is_read_as_it_was_written(status: Status) -> None:
    assert Status.loads(status.dumps()) == status
    assert Status.loads(status.dumps().encode()) == status


def test_its_names_are_a_contract() -> None:
    document = json.loads(STATUS.dumps())

    assert document["schema"] == 1
    assert {
        "phase", "since", "code", "summary", "remedy", "registration_id", "hub", "device_id", "tpm", "units",
        "writer", "look_again_s", "notices", "transaction",
    } <= document.keys()  # fmt: skip
    assert document["units"]["aziot-edged"] == {"state": "active", "pid": 1234, "restarts": 0}
    assert document["writer"] == {"boot_id": "boot-1", "pid": 4711, "start_time": 99, "because": "timer"}
    assert document["notices"][0].keys() == {"code", "summary", "remedy"}


def test_what_a_later_version_adds_is_passed_over() -> None:
    document = {**json.loads(STATUS.dumps()), "of_the_future": 1}

    assert Status.loads(json.dumps(document)) == STATUS


@pytest.mark.parametrize(
    "damage",
    [
        {"schema": 2},
        {"writer": {"pid": 1}},
        {"writer": None},
        {"tpm": {"node": "x"}},
        {"units": {"aziot-edged": "active"}},
        {"units": []},
        {"step": {"name": "apply-config"}},
        {"step": 3},
        {"notices": None},
    ],
)
def test_a_damaged_status_is_refused(damage: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"damaged|schema"):
        Status.loads(json.dumps({**json.loads(STATUS.dumps()), **damage}))


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"schema": 1}', b"\xff"])
def test_what_is_no_status_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Status.loads(text)


@pytest.mark.parametrize("length", range(0, len(STATUS.dumps()) - 2, 23))
def test_a_torn_status_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Status.loads(STATUS.dumps()[:length])
