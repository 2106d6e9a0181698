"""Every fault of the table of causes, made on a booted machine: after how many seconds is it told?

Nobody asks for a look. The seconds are printed at the end of the run.
"""

import pytest

from agent.codes import Code
from tests import sample
from tests.scenario.causes_table import Row
from tests.vm import told
from tests.vm.conftest import Bench
from tests.vm.faults_in_machine import GROUPS, NEW_SETTINGS, ON_NEW_DEVICES, WAYS, row_of
from tests.vm.machine import Machine
from tests.vm.stages import PROVISIONED, SETTINGS
from tests.vm.told import Moment, Told
from tests.vm.witness import SIGNS

_STATUS = "/run/edge-provisioner/status.json"


@pytest.mark.takes(150)
@pytest.mark.parametrize(
    "group", sample.cases("faults of provisioned devices", {name: (name,) for name in GROUPS})
)
def test_a_fault_of_a_provisioned_device_is_told_in_time(bench: Bench, group: str) -> None:
    machine = bench.copy("soon-provisioned")
    rows = [row_of(fault) for fault in GROUPS[group]]

    late = []
    for row in rows:
        seen = _made(machine, row)
        bench.measured.append(str(seen))
        late += [str(seen)] if seen.is_late else []
        if row is not rows[-1]:
            _mend(machine, row)
    assert not late


def _made(machine: Machine, row: Row) -> Told:
    since = Moment.now(machine)
    WAYS[row.fault].make(machine)
    return told.wait_until_told(machine, row, since)


def _mend(machine: Machine, row: Row) -> None:
    if mend := WAYS[row.fault].mend:
        mend(machine)
    machine.wait(f"{PROVISIONED} && {_not_told_beside(row.notice)} && {SIGNS}")


def _not_told_beside(notice: Code | None) -> str:
    return f"! grep -q {notice.name} {_STATUS}" if notice else "true"


@pytest.mark.takes(60)
@pytest.mark.parametrize(
    "fault", sample.cases("faults of new devices", {name: (name,) for name in ON_NEW_DEVICES})
)
def test_a_fault_of_a_new_device_is_told_in_time(bench: Bench, fault: str) -> None:
    machine = bench.copy("with-runtime")
    WAYS[fault].make(machine)
    since = Moment.now(machine)

    machine.write(SETTINGS, NEW_SETTINGS)
    seen = told.wait_until_told(machine, row_of(fault), since)

    bench.measured.append(str(seen))
    assert not seen.is_late, str(seen)
