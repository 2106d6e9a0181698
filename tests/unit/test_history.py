"""The record survives its own file, refuses a damaged one, and says when to try again."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.facts.history import Attempt, History, Identity, Intent, may_retry, pause_s
from tests.unit.tpm_publics import EK

FULL = History(
    ek_public=EK.hex(),
    ek_trail=(("000b01", "boot-0"), ("000b02", "boot-1")),
    srk_name="000b",
    machine_id="f0e1",
    written=(("hostname", "e2e"), ("provisioning.payload", {"uri": "file:///x"})),
    applied_digest="ab" * 32,
    reapplied=Attempt("cd" * 32, "apply.undone", (), 2, "boot-1", 12.5),
    failed_apply=Attempt("cd" * 32, "apply.failed", (("reason", "x"), ("status", "1")), 3, "boot-1", 12.5),
    identity=Identity("hub.test", "dev", "0ne1", "line-4", "https://dps.test"),
    intent=Intent("apply-config", "t-1", "boot-1"),
)


@pytest.mark.parametrize("history", [History(), FULL])
def test_a_record_is_read_as_it_was_written(history: History) -> None:
    assert History.loads(history.dumps()) == history
    assert History.loads(history.dumps()).dumps() == history.dumps()


def test_a_record_of_a_version_that_knew_less_or_more_is_read() -> None:
    document = {"schema": 1, "srk_name": "000b", "of_the_future": [1, 2]}

    assert History.loads(json.dumps(document)) == History(srk_name="000b")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"schema": 2}',
        '{"schema": 1, "intent": {"step": "x"}}',
        '{"schema": 1, "identity": "dev"}',
        '{"schema": 1, "failed_apply": {"facts": 5}}',
        '{"schema": 1, "failed_apply": {"code": "x"}}',
        '{"schema": 1, "written": 5}',
        '{"schema": 1, "machine_id": 5}',
        '{"schema": 1, "ek_public": "no hex"}',
        "[" * 100_000,
        '{"schema": 1, "written": [["hostname"]]}',
        '{"schema": 1, "ek_trail": [["000b"]]}',
        '{"schema": 1, "ek_trail": 7}',
    ],
)
def test_a_damaged_record_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        History.loads(text)


@pytest.mark.parametrize("length", range(0, len(FULL.dumps()) - 2, 7))
def test_a_torn_record_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=r".*"):
        History.loads(FULL.dumps()[:length])


@given(st.integers(1, 100), st.floats(0, 1))
def test_pauses_double_with_jitter_in_the_upper_half_and_have_a_cap(failures: int, chance: float) -> None:
    whole = pause_s(failures, 1.0)

    assert whole == min(3600.0, 30.0 * 2.0 ** (failures - 1))
    assert whole / 2 <= pause_s(failures, chance) <= whole


@pytest.mark.parametrize(
    ("boot_id", "now_s", "may"),
    [("boot-1", 12.4, False), ("boot-1", 12.5, True), ("boot-2", 0.0, True)],
)
def test_a_failed_apply_is_repeated_after_its_pause_or_in_another_boot(
    boot_id: str, now_s: float, may: bool
) -> None:
    attempt: Any = FULL.failed_apply

    assert may_retry(attempt, boot_id=boot_id, now_s=now_s) is may
