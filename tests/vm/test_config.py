"""config.toml between us and the people who edit it."""

import pytest

from tests.vm import witness
from tests.vm.conftest import Bench
from tests.vm.stages import ID_SCOPE, PROVISIONED, SETTINGS, provisioned_again, says, settings

_RELOAD = "systemctl reload edge-provisioner"
_CONNECTION_STRING = """\
# written by hand, years ago
hostname = "edge"

[provisioning]
source = "manual"
connection_string = "HostName=hub.example;DeviceId=old-device;SharedAccessKey=c2VjcmV0"
"""


@pytest.mark.takes(15)
def test_an_edit_outside_our_keys_is_kept_and_not_applied(bench: Bench) -> None:
    machine = bench.copy("provisioned")
    machine.run(f"printf '\\n[agent.env]\\nMINE = \"kept\" # by hand\\n' >>{witness.CONFIG}")
    before = witness.stamps(machine, f"{witness.CONFIG} {witness.GENERATED}")

    machine.run(_RELOAD)
    machine.wait(f"{PROVISIONED} && grep -q config.unapplied-edit /run/edge-provisioner/status.json")

    assert witness.stamps(machine, f"{witness.CONFIG} {witness.GENERATED}") == before
    assert witness.restarts(machine) == 1


@pytest.mark.takes(40)
def test_an_edit_of_our_keys_is_held_or_put_back_as_the_settings_say(bench: Bench) -> None:
    machine = bench.copy("provisioned")
    ours = machine.read(witness.CONFIG)
    machine.run(f"sed -i 's/{ID_SCOPE}/0ne00999999/' {witness.CONFIG}")
    edited = witness.stamps(machine, witness.CONFIG)

    machine.run(_RELOAD)
    machine.wait(says("config.manual-edit"))
    assert witness.stamps(machine, witness.CONFIG) == edited
    assert witness.restarts(machine) == 1
    assert witness.device(machine)["deviceId"], "the device works on while it is held"
    assert witness.active(machine, "edge-provisioner") == ["active"]

    machine.write(SETTINGS, settings(more='[runtime]\non_manual_edit = "restore"\n'))
    machine.run(_RELOAD)
    machine.wait(PROVISIONED)
    assert machine.read(witness.CONFIG) == ours


@pytest.mark.takes(95)
def test_a_device_with_a_connection_string_is_held_and_taken_over_only_when_told(bench: Bench) -> None:
    machine = bench.copy("with-runtime")
    machine.write(witness.CONFIG, _CONNECTION_STRING, 0o600)
    machine.run("iotedge config apply")
    machine.wait("systemctl is-active aziot-identityd")
    before = witness.stamps(machine, f"{witness.CONFIG} {witness.GENERATED}")

    machine.write(SETTINGS, settings())
    machine.wait(says("config.other-provisioning"))
    assert witness.stamps(machine, f"{witness.CONFIG} {witness.GENERATED}") == before
    assert witness.device(machine)["deviceId"] == "old-device"
    assert witness.restarts(machine) == 1
    assert witness.persistent(machine) == [], "the TPM was written to before somebody decided"

    machine.run("edge-provisioner once --adopt", status=None, timeout_s=400)
    machine.wait(PROVISIONED)
    assert witness.device(machine)["auth"]["type"] == "tpm"
    assert machine.read(witness.CONFIG).startswith("# written by hand, years ago\n")
    assert witness.sign(machine)


@pytest.mark.takes(55)
def test_changed_settings_are_applied_once_after_a_reload(bench: Bench) -> None:
    """The second apply is the first that asks the container engine, from inside the sandbox."""
    machine = bench.copy("provisioned")
    names, device = witness.names(machine), witness.device(machine)

    machine.write(SETTINGS, settings(more='[runtime]\nauto_reprovisioning_mode = "OnErrorOnly"\n'))
    machine.run(_RELOAD)
    machine.wait(provisioned_again(2))

    assert 'auto_reprovisioning_mode = "OnErrorOnly"' in machine.read(witness.CONFIG)
    assert witness.restarts(machine) == 2
    assert witness.names(machine) == names
    assert witness.device(machine) == device


@pytest.mark.takes(65)
def test_without_its_engine_nothing_is_applied_until_it_is_back(bench: Bench) -> None:
    machine = bench.copy("provisioned")
    machine.run("systemctl stop docker.socket docker.service")
    machine.write(SETTINGS, settings(more='[runtime]\nauto_reprovisioning_mode = "OnErrorOnly"\n'))
    machine.run(_RELOAD)
    machine.wait(says("apply.engine-down"))
    assert witness.restarts(machine) == 1

    machine.run(f"systemctl start docker.socket docker.service && {_RELOAD}")
    machine.wait(provisioned_again(2))
    assert witness.restarts(machine) == 2
    assert "OnErrorOnly" in machine.read("/etc/aziot/edged/config.d/00-super.toml")
