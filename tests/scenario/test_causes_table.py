"""Every fault of the table of causes, made: our status names it, stays with it, and sees it mended."""

import pytest

from agent.codes import Phase, apply, cloud, runtime
from agent.values import replace
from tests import sample
from tests.scenario.causes_table import NEW, PROVISIONED, ROWS, Begin, Played, Row, played
from tests.scenario.stage import Stage
from tests.vm.faults_in_machine import GROUPS, ON_NEW_DEVICES, WAYS

# What may be said for a moment before the cause shows. Each of them passes by itself.
_TRANSIENT = {code.name for code in (runtime.STARTING, runtime.PROVING, runtime.RESTARTED, apply.SETTLING)}
# What a repaired fault may be called until systemd has started the daemons again.
_REPAIRING = _TRANSIENT | {runtime.TPM_DENIED.name}
_MODULES = "modules."  # edgeAgent comes last: aziot-edged tries it once a minute
_OF_RESTARTS = [row for row in ROWS if row.code in (runtime.RESTARTED, runtime.CRASH_LOOP)]


@pytest.mark.parametrize("row", sample.cases("causes", {row.fault: (row,) for row in ROWS}))
def test_a_fault_is_told_by_its_cause(row: Row, base: str) -> None:
    _is_told(row, base)


@pytest.mark.parametrize(
    "row", sample.cases("causes of restarts", {row.fault: (row,) for row in _OF_RESTARTS})
)
def test_restarts_are_told_where_systemd_forgets_them(row: Row, base: str) -> None:
    def make(stage: Stage) -> None:
        stage.machine.fault(restarts_forgotten=True)
        row.make(stage)

    _is_told(replace(row, make=make), base)


def _is_told(row: Row, base: str) -> None:
    with played(row, base) as made:
        for look in made.looks:
            assert (look["code"], look["phase"]) == (row.code.name, row.code.phase)
            assert look["remedy"]
        assert row.code.exit_code == made.stage.run("status").status
        assert {look["code"] for look in made.on_the_way} <= _before(row)
        _tells_besides(row, made)
        if row.mend:
            row.mend(made.stage)
            _recovers(made)


def _before(row: Row) -> set[str]:
    """Say what may be told before the cause shows; edgeAgent comes once the device is provisioned."""
    if row.code.name.startswith("modules."):
        return _TRANSIENT | {runtime.PROVISIONED.name}
    return _REPAIRING if row.is_repaired else _TRANSIENT


def _tells_besides(row: Row, made: Played) -> None:
    told = {notice["code"] for notice in made.looks[-1]["notices"]}
    assert row.notice is None or row.notice.name in told


def _recovers(made: Played) -> None:
    """A look after the other, none worse than the fault itself, and the device is provisioned again."""
    *on_the_way, last = made.stage.look_until(runtime.PROVISIONED.name)
    milder = {cloud.SILENT.name} if made.row.code is cloud.THROTTLED else set()
    allowed = _REPAIRING | {made.row.code.name} | milder
    assert {code for look in on_the_way if not (code := look["code"]).startswith(_MODULES)} <= allowed
    assert last["phase"] == Phase.PROVISIONED


def test_every_fault_is_made_on_a_booted_machine_too() -> None:
    assert sorted(WAYS) == sorted(row.fault for row in ROWS)
    assert set(ON_NEW_DEVICES) == _beginning(NEW)
    assert {fault for group in GROUPS.values() for fault in group} == _beginning(PROVISIONED)


def _beginning(begin: Begin) -> set[str]:
    return {row.fault for row in ROWS if row.begin is begin}
