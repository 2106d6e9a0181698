"""dpkg on a running, provisioned device: older and newer, removed, purged, and after each a boot."""

import pytest

from agent import __version__
from tests.vm import witness
from tests.vm.conftest import Bench
from tests.vm.machine import Machine
from tests.vm.our_package import INSTALL, states, status
from tests.vm.parts import OLDER_VERSION
from tests.vm.stages import NEWER, OLDER, PROVISIONED, SETTINGS, settings

_TOUCHED = f"{witness.CONFIG} {witness.GENERATED} {witness.RULE}"


def _still_has_its_tpm(machine: Machine, before: tuple[str, ...]) -> None:
    """After a boot the runtime signs with the same TPM, and nobody wrote its files."""
    machine.reboot()
    machine.wait(f"systemctl is-active {' '.join(witness.UNITS)}")
    assert (witness.stamps(machine, _TOUCHED), *witness.names(machine)) == before
    assert witness.sign(machine)


@pytest.mark.takes(160)
def test_downgraded_and_upgraded_it_goes_on_without_touching_the_runtime(bench: Bench) -> None:
    machine = bench.copy("provisioned")
    before = (witness.stamps(machine, _TOUCHED), *witness.names(machine))
    edged = witness.show(machine, "aziot-edged", "MainPID")
    for package, version in ((OLDER, OLDER_VERSION), (NEWER, __version__)):
        machine.run(f"dpkg -i {package}")

        assert status(machine) == f"ii {version}"
        assert machine.run("edge-provisioner --version") == f"edge-provisioner {version}\n"
        assert states(machine) == ["active", "active"]
        machine.wait(PROVISIONED)
        assert witness.show(machine, "aziot-edged", "MainPID") == edged
        assert witness.stamps(machine, _TOUCHED) == before[0]
        if version == OLDER_VERSION:
            _still_has_its_tpm(machine, before)
            edged = witness.show(machine, "aziot-edged", "MainPID")
    _still_has_its_tpm(machine, before)


@pytest.mark.takes(160)
def test_upgraded_in_the_middle_of_an_apply_it_lets_it_end(bench: Bench) -> None:
    machine = bench.copy("provisioned")
    machine.run(f"dpkg -i {OLDER}")
    machine.wait(PROVISIONED)
    witness.fault(machine, apply_hang="before-restart")
    machine.write(SETTINGS, settings(more='[runtime]\nauto_reprovisioning_mode = "OnErrorOnly"\n'))
    machine.run("systemctl reload --no-block edge-provisioner")
    machine.wait("ls /var/lib/standin/apply-at-before-restart")
    apply = machine.read("/var/lib/standin/apply-at-before-restart").strip()

    machine.run(f"systemd-run --quiet --unit=upgrade {INSTALL}")
    machine.wait("systemctl show -P SubState edge-provisioner.service | grep ^stop")
    assert witness.active(machine, "upgrade") == ["active"], "dpkg did not wait"
    machine.run(f"kill -0 {apply}")
    witness.fault(machine, apply_hang=None)
    machine.wait("! systemctl is-active upgrade")
    machine.wait(PROVISIONED)

    assert status(machine) == f"ii {__version__}"
    assert "OnErrorOnly" in machine.read("/etc/aziot/edged/config.d/00-super.toml")
    assert witness.restarts(machine) == 2
    _still_has_its_tpm(machine, (witness.stamps(machine, _TOUCHED), *witness.names(machine)))


@pytest.mark.takes(45)
def test_removed_it_leaves_the_runtime_its_tpm(bench: Bench) -> None:
    machine = bench.copy("provisioned")
    before = (witness.stamps(machine, _TOUCHED), *witness.names(machine))

    machine.run("apt-get remove -y edge-provisioner")

    assert states(machine) == ["inactive", "inactive"]
    assert witness.active(machine) == ["active"] * 5
    assert machine.run("ls /var/lib/edge-provisioner/history.json /etc/edge-provisioner/agent.toml")
    _still_has_its_tpm(machine, before)


@pytest.mark.takes(100)
def test_purged_it_leaves_the_runtime_its_tpm_and_installed_again_it_knows_the_device(bench: Bench) -> None:
    machine = bench.copy("provisioned")
    before = (witness.stamps(machine, _TOUCHED), *witness.names(machine))

    said = machine.run("apt-get purge -y edge-provisioner")

    assert f"edge-provisioner: {witness.RULE} stays: user aziottpm needs it to open the TPM" in said
    assert machine.run("ls /var/lib/edge-provisioner", status=2)
    _still_has_its_tpm(machine, before)
    edged = witness.show(machine, "aziot-edged", "MainPID")

    machine.run(f"apt-get install -y --no-install-recommends {NEWER}")
    machine.wait(PROVISIONED)

    assert (witness.stamps(machine, _TOUCHED), *witness.names(machine)) == before
    assert witness.show(machine, "aziot-edged", "MainPID") == edged
