"""The agent's own outcomes: names, phases and facts are a contract with the code that raises them."""

import pytest

from agent.codes import Code, ExitCode
from agent.codes import agent as codes

_ROWS = {row.name: row for row in vars(codes).values() if isinstance(row, Code)}


def test_rows_are_named_after_their_constants() -> None:
    constants = {name: row for name, row in vars(codes).items() if isinstance(row, Code)}

    assert {f"agent.{name.lower().replace('_', '-')}" for name in constants} == set(_ROWS)


@pytest.mark.parametrize(
    ("name", "exit_code", "facts"),
    [
        ("agent.pass-crashed", ExitCode.FAILED, {"how", "because"}),
        ("agent.already-running", ExitCode.UNFINISHED, {"holder"}),
        ("agent.locked", ExitCode.UNFINISHED, {"holder", "waited_s"}),
        ("agent.history-damaged", ExitCode.DONE, {"path"}),
        ("agent.no-progress", ExitCode.HELD, {"step"}),
        ("agent.internal", ExitCode.FAILED, {"reason"}),
        ("agent.not-root", ExitCode.HELD, {"what"}),
        ("agent.state-unwritable", ExitCode.HELD, {"path", "reason"}),
        ("agent.interrupted", ExitCode.UNFINISHED, set()),
        ("agent.udev-unavailable", ExitCode.DONE, {"reason"}),
        ("agent.no-status", ExitCode.UNFINISHED, {"hint"}),
    ],
)
def test_exit_code_and_facts(name: str, exit_code: ExitCode, facts: set[str]) -> None:
    row = _ROWS[name]

    assert row.exit_code is exit_code
    assert row.fact_names == facts
