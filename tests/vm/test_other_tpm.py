"""The same disk beside another TPM: a board was replaced."""

from pathlib import Path

import pytest

from tests.vm import witness
from tests.vm.conftest import Bench
from tests.vm.stages import PROVISIONED, says


@pytest.mark.takes(110)
def test_another_tpm_is_held_and_the_first_one_is_welcome_again(bench: Bench, tmp_path: Path) -> None:
    machine = bench.copy("provisioned")
    names, device = witness.names(machine), witness.device(machine)
    witness.enrol_only(machine)
    before = witness.stamps(machine, f"{witness.CONFIG} {witness.GENERATED}")

    machine.power_off()
    first = machine.replace_tpm(tmp_path / "another")
    machine.boot()
    machine.wait(says("tpm.replaced"))

    assert witness.stamps(machine, f"{witness.CONFIG} {witness.GENERATED}") == before
    assert witness.show(machine, "edge-provisioner", "ActiveState") == "active"
    assert "is not the one that this device's identity is of" in machine.run(
        "edge-provisioner status", status=4
    )

    machine.power_off()
    machine.replace_tpm(first)
    machine.boot()
    machine.wait(PROVISIONED)

    assert witness.names(machine) == names
    assert witness.device(machine) == device
    assert witness.stamps(machine, f"{witness.CONFIG} {witness.GENERATED}") == before
    assert witness.sign(machine)
