"""Boots: nothing is written again, a TPM that is missing or late delays nothing."""

import pytest

from tests.vm import witness
from tests.vm.conftest import Bench
from tests.vm.stages import PROVISIONED

_WRITTEN = f"{witness.CONFIG} {witness.GENERATED} {witness.RULE}"


@pytest.mark.takes(55)
def test_a_reboot_writes_nothing_again(bench: Bench) -> None:
    machine = bench.copy("provisioned")
    before = witness.stamps(machine, _WRITTEN)
    names = witness.names(machine)

    machine.reboot()
    machine.wait(PROVISIONED)

    assert witness.stamps(machine, _WRITTEN) == before
    assert witness.names(machine) == names
    assert witness.sign(machine)
    assert witness.restarts(machine, "-b") == 1
    assert not [event for event in witness.ours(machine, "-b") if event.get("EDGE_PROVISIONER_STEPS")]


@pytest.mark.takes(15)
def test_a_missing_tpm_delays_no_boot_and_is_explained(bench: Bench) -> None:
    machine = bench.copy("without-tpm")

    assert machine.run("systemctl list-jobs --no-legend") in {"", "No jobs running.\n"}
    assert "Timed out waiting" not in machine.run("journalctl -b --no-pager _PID=1")
    assert witness.active(machine, "edge-provisioner", "multi-user.target") == ["active", "active"]
    assert "no TPM" in witness.show(machine, "edge-provisioner", "StatusText")
    assert "firmware" in machine.run("journalctl -b -x --no-pager -u edge-provisioner")


@pytest.mark.takes(20)
def test_a_tpm_that_comes_after_the_start_is_used(bench: Bench) -> None:
    """The unit's device policy was made when there was none."""
    machine = bench.copy("late-tpm")

    assert witness.active(machine) == ["active"] * 5
    assert len(witness.persistent(machine)) == 3
    assert witness.sign(machine)
    assert witness.starts(machine, "edge-provisioner", "-b") == 1, "another process found it"
