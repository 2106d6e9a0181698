"""Package, runtime and settings arrive in any order, and nobody types a command."""

import pytest

from tests.vm import witness
from tests.vm.conftest import Bench
from tests.vm.our_package import states
from tests.vm.stages import ID_SCOPE, PROVISIONED, SETTINGS, says, settings

VENDOR = "/usr/lib/edge-provisioner/agent.toml.d/50-fleet.toml"


@pytest.mark.takes(15)
def test_installed_alone_it_waits_for_settings_and_changes_nothing(bench: Bench) -> None:
    machine = bench.copy("installed")

    assert states(machine) == ["inactive", "active"]
    assert machine.run("systemctl is-enabled edge-provisioner.service edge-provisioner.path").split() == [
        "enabled",
        "enabled",
    ]
    assert machine.run("dpkg --verify edge-provisioner; systemctl --failed --no-legend") == ""
    assert witness.persistent(machine) == []
    assert witness.owners(machine) == {"/dev/tpm0": "tss 660", "/dev/tpmrm0": "tss 660"}
    assert machine.run(f"ls {witness.RULE} /etc/aziot", status=2)


@pytest.mark.takes(50)
def test_settings_that_come_last_make_it_a_provisioned_device(bench: Bench) -> None:
    machine = bench.copy("provisioned")

    assert witness.active(machine) == ["active"] * 5
    assert witness.persistent(machine) == [
        witness.STORAGE_ROOT_KEY,
        witness.AUTH_KEY,
        witness.ENDORSEMENT_KEY,
    ]
    generated = machine.read("/etc/aziot/identityd/config.d/00-super.toml")
    assert f'registration_id = "{witness.registration_id(machine)}"' in generated
    assert f'scope_id = "{ID_SCOPE}"' in generated
    assert witness.device(machine)["deviceId"]
    assert witness.sign(machine)
    assert witness.owners(machine) == {"/dev/tpm0": "aziottpm 660", "/dev/tpmrm0": "aziottpm 660"}
    assert witness.restarts(machine) == 1
    assert machine.run("systemctl --failed --no-legend") == ""
    assert machine.run("dpkg --verify edge-provisioner aziot-edge aziot-identity-service") == ""


@pytest.mark.takes(60)
def test_settings_of_the_image_s_vendor_are_enough(bench: Bench) -> None:
    machine = bench.copy("with-runtime")

    machine.write(VENDOR, settings())
    machine.wait(PROVISIONED)

    assert witness.active(machine) == ["active"] * 5
    assert witness.device(machine)["deviceId"]
    assert machine.run(f"ls {SETTINGS}", status=2)


@pytest.mark.takes(180)
def test_the_runtime_may_come_long_after_the_settings(bench: Bench) -> None:
    """The running unit's sandbox was made before /etc/aziot existed."""
    machine = bench.copy("installed")
    machine.write(SETTINGS, settings())
    machine.wait(says("runtime.not-installed"))
    process = witness.show(machine, "edge-provisioner", "MainPID")
    assert witness.persistent(machine) == [witness.STORAGE_ROOT_KEY, witness.ENDORSEMENT_KEY]

    machine.run("apt-get install -y moby-engine && apt-get install -y aziot-edge")
    machine.wait(PROVISIONED)

    assert witness.active(machine) == ["active"] * 5
    assert witness.device(machine)["deviceId"]
    assert witness.show(machine, "edge-provisioner", "MainPID") == process
    assert witness.restarts(machine) == 1
