"""The states that a stand-in machine can be brought into, by the same steps as the real one was."""

import os
import urllib.parse

from tests.contract.transcripts import active, shell, wait
from tests.standins.machine import Machine, build_machine
from tests.standins.unixhttp import ask

FROZEN = 200.0  # a time scale at which the runtime's next step is minutes away
REGISTRATION_ID = "4f9cbd9479dc208bcdde55eeab61aefee4a0daa3e41e4eceb0448f745107b846"
GOOD = f"""# written by hand
auto_reprovisioning_mode = "Dynamic"

[provisioning]
source = "dps"
global_endpoint = "https://dps.test:8443"
id_scope = "0ne00000001"

[provisioning.attestation]
method = "tpm"
registration_id = "{REGISTRATION_ID}"

[agent]
name = "edgeAgent"
type = "docker"
imagePullPolicy = "never"

[agent.config]
image = "mcr.microsoft.com/azureiotedge-agent:1.6"

[agent.env]
"""

EST = """auto_reprovisioning_mode = "Dynamic"

[provisioning]
source = "dps"
global_endpoint = "https://dps.test:8444"
id_scope = "0ne00000009"

[provisioning.attestation]
method = "x509"
registration_id = "est-dev-1"

[provisioning.attestation.identity_cert]
method = "est"
common_name = "est-dev-1"

[provisioning.attestation.identity_cert.auto_renew]
rotate_key = true
threshold = "80%"
retry = "4%"

[cert_issuance.est]
trusted_certs = ["file:///var/aziot/certs/est-ca.pem"]

[cert_issuance.est.auth]
{auth}

[cert_issuance.est.urls]
default = "https://est.test:8085/.well-known/est"

[agent]
name = "edgeAgent"
type = "docker"
imagePullPolicy = "never"

[agent.config]
image = "mcr.microsoft.com/azureiotedge-agent:1.6"

[agent.env]
"""


def new(root: str) -> Machine:
    """Make a machine with the runtime and a good config.toml; nothing was applied."""
    made = build_machine(root)
    made.fault(identity_version="dev build", time_scale=0.01)
    os.makedirs(made.path("/root"))
    for name in ("/root/good.toml", "/etc/aziot/config.toml"):
        with open(made.path(name), "w", encoding="utf-8") as target:
            target.write(GOOD)
    return made


def tpm(machine: Machine, *, allowed: bool) -> None:
    node = machine.path("/dev/chip")
    with open(node, "wb"):
        pass
    rule = 'KERNEL=="tpm[0-9]*|tpmrm[0-9]*", OWNER="aziottpm", MODE="0660"\n'
    with open(machine.path("/etc/udev/rules.d/tpmaccess.rules"), "w", encoding="ascii") as target:
        target.write(rule if allowed else "")
    assert shell(machine, "udevadm control --reload").status == 0
    for name in ("tpmrm0", "tpm0"):
        machine.plug(name, node)
        if not allowed:
            os.chmod(node, 0)


def apply(machine: Machine) -> None:
    assert shell(machine, "iotedge config apply").status == 0


def installed(machine: Machine) -> None:
    """The packages are there, and config.toml; nothing was applied."""


def applied(machine: Machine) -> None:
    tpm(machine, allowed=True)
    apply(machine)


def provisioned(machine: Machine) -> None:
    applied(machine)
    wait(lambda: "Starting watchdog" in shell(machine, "journalctl -u aziot-edged -o cat").out)


def with_edge_agent(machine: Machine) -> None:
    """The image of edgeAgent lies on the device, as it does before anything is provisioned there."""
    image = urllib.parse.quote("mcr.microsoft.com/azureiotedge-agent:1.6", safe="")
    assert ask(machine.path("/run/docker.sock"), ("POST", f"/images/create?fromImage={image}")).status == 200
    provisioned(machine)
    wait(lambda: "running" in shell(machine, "iotedge list").out)


def unconfigured(machine: Machine) -> None:
    os.unlink(machine.path("/etc/aziot/config.toml"))
    machine.fault(time_scale=FROZEN)


def denied(machine: Machine) -> None:
    tpm(machine, allowed=False)
    machine.fault(time_scale=FROZEN)
    apply(machine)
    wait(lambda: active(machine, "aziot-tpmd") == "activating")


def refused(machine: Machine) -> None:
    """The cloud refuses a reprovisioning: the backup is gone, everything runs."""
    provisioned(machine)
    machine.fault(cloud="401")
    assert shell(machine, "iotedge system reprovision").status == 1


def refused_and_restarted(machine: Machine) -> None:
    refused(machine)
    machine.fault(time_scale=FROZEN / 100)
    assert shell(machine, "iotedge system restart").status == 0
    wait(lambda: active(machine, "aziot-identityd") == "activating")


def third_refusal(machine: Machine) -> None:
    """The service failed, was restarted once; the second restart's failure is the last for long."""
    machine.fault(cloud="401")
    applied(machine)
    wait(lambda: restarts(machine) == 1 and active(machine, "aziot-identityd") == "activating")
    machine.fault(time_scale=FROZEN / 100)
    wait(lambda: restarts(machine) == 2 and active(machine, "aziot-identityd") == "activating")


def restarts(machine: Machine) -> int:
    return int(machine.systemctl("show", "-P", "NRestarts", "aziot-identityd")["out"])


def tpmd_masked(machine: Machine) -> None:
    """Seen while identityd is up, as it was: it takes half a second to end."""
    provisioned(machine)
    machine.fault(time_scale=FROZEN)
    assert shell(machine, "systemctl mask aziot-tpmd.service").status == 0
    apply(machine)
    wait(lambda: active(machine, "aziot-identityd") == "active")


def pinned(machine: Machine) -> None:
    provisioned(machine)
    machine.fault(containers=["edgeAgent"])


def stopped(machine: Machine) -> None:
    provisioned(machine)
    assert shell(machine, "iotedge system stop").status == 0


def unplugged(machine: Machine) -> None:
    provisioned(machine)
    unplug(machine)


def unplug(machine: Machine) -> None:
    for name in ("tpmrm0", "tpm0", "chip"):
        machine.unplug(name)


def asked_not_as_root(machine: Machine) -> None:
    machine.fault(not_root=True)


def est(machine: Machine, auth: str) -> None:
    """An EST device's config.toml, with its way to authenticate."""
    with open(machine.path("/etc/aziot/config.toml"), "w", encoding="utf-8") as target:
        target.write(EST.format(auth=auth))


def est_by_password(machine: Machine) -> None:
    est(machine, 'username = "estuser"\npassword = "estpwd"')
    apply(machine)


def est_by_certificate(machine: Machine) -> None:
    secrets = "file:///var/aziot/secrets"
    pair = f'bootstrap_identity_cert = "{secrets}/boot.pem"\nbootstrap_identity_pk = "{secrets}/boot.key"'
    est(machine, pair)
    apply(machine)


def est_provisioned(machine: Machine) -> None:
    machine.fault(hub_name="hub.test:8444")
    est_by_password(machine)
    wait(lambda: "Starting watchdog" in shell(machine, "journalctl -u aziot-edged -o cat").out)


def est_refused(machine: Machine) -> None:
    """The second attempt's failure is the last for long."""
    machine.fault(est="401")
    est_by_password(machine)
    wait(lambda: restarts(machine) == 0 and active(machine, "aziot-identityd") == "activating")
    machine.fault(time_scale=FROZEN / 100)
    wait(lambda: restarts(machine) == 1 and active(machine, "aziot-identityd") == "activating")
