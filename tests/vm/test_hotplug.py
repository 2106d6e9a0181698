"""The TPM goes and comes while everything runs."""

import pytest

from tests.vm import hotplug, vtpm, witness
from tests.vm.conftest import Bench
from tests.vm.stages import PROVISIONED, says

# IMA holds on to the TPM that it finds at boot, so its number stays taken. Without IMA it is free again.
_WITHOUT_IMA = "initcall_blacklist=init_ima"


@pytest.mark.takes(150)
def test_with_the_stock_kernel_it_comes_back_as_tpm1_and_the_runtime_follows(bench: Bench) -> None:
    machine = bench.copy("provisioned")
    names, device = witness.names(machine), witness.device(machine)

    hotplug.unbind(machine)
    machine.wait(says("runtime.tpm-gone"))
    hotplug.bind(machine)
    machine.wait(f"grep -q tpmrm1 {witness.CONFIG} && {PROVISIONED} && {witness.SIGNS}")

    assert witness.owners(machine) == {"/dev/tpm1": "aziottpm 660", "/dev/tpmrm1": "aziottpm 660"}
    assert 'tcti = "device:/dev/tpmrm1"' in machine.read(witness.CONFIG)
    assert witness.names(machine) == names
    assert witness.device(machine) == device

    machine.reboot()
    machine.wait(f"! grep -q tpmrm1 {witness.CONFIG} && {PROVISIONED} && {witness.SIGNS}")

    assert witness.names(machine) == names
    assert witness.device(machine) == device


@pytest.mark.takes(105)
def test_without_ima_it_comes_back_as_tpm0_once_nobody_holds_on_to_it(bench: Bench) -> None:
    """Whoever has the old node open, as aziot-tpmd has, keeps the number taken too."""
    machine = bench.copy("provisioned")
    names = witness.names(machine)
    machine.reboot(_WITHOUT_IMA)
    machine.wait(f"{PROVISIONED} && {witness.SIGNS}")
    before = witness.stamps(machine, witness.CONFIG)
    modules = witness.show(machine, "aziot-edged", "MainPID")

    hotplug.unbind(machine)
    machine.wait(says("runtime.tpm-gone"))
    machine.run("systemctl kill -s KILL aziot-tpmd")
    machine.wait("systemctl show -P SubState aziot-tpmd | grep auto-restart")
    hotplug.bind(machine)
    machine.wait(f"{PROVISIONED} && {witness.SIGNS}")

    assert witness.owners(machine) == {"/dev/tpm0": "aziottpm 660", "/dev/tpmrm0": "aziottpm 660"}
    assert witness.stamps(machine, witness.CONFIG) == before
    assert witness.names(machine) == names
    assert witness.show(machine, "aziot-edged", "MainPID") == modules, "modules were stopped for nothing"


@pytest.mark.takes(170)
def test_of_two_tpms_the_one_that_the_device_was_provisioned_with_is_used(bench: Bench) -> None:
    machine = bench.copy("late-tpm")
    names = witness.names(machine)

    b = vtpm.tcti(vtpm.plug(machine, "b"))
    machine.run("systemctl reload edge-provisioner")
    machine.wait(f"{PROVISIONED} && {witness.SIGNS}")
    assert witness.persistent(machine, b) == []

    vtpm.unplug(machine, "a")
    machine.wait(says("tpm.cleared"))
    assert witness.persistent(machine, b) == [], "a TPM that is not this device's was written to"

    vtpm.unplug(machine, "b")
    b = vtpm.tcti(vtpm.plug(machine, "b"))
    number = vtpm.plug(machine, "a")
    machine.wait(f"{PROVISIONED} && {witness.SIGNS} && grep -q tpmrm{number} {witness.CONFIG}")

    assert witness.names(machine, vtpm.tcti(number)) == names
    assert witness.persistent(machine, b) == []
