"""What others than ourselves say of a machine: tpm2-tools, systemd, dpkg, journal, the runtime's daemons."""

import json
import re
from typing import Any

from tests.vm.shell import Shell

UNITS = ("aziot-edged", "aziot-identityd", "aziot-keyd", "aziot-certd", "aziot-tpmd")
ENDORSEMENT_KEY, STORAGE_ROOT_KEY, AUTH_KEY = "0x81010001", "0x81000001", "0x81000100"
CONFIG = "/etc/aziot/config.toml"
GENERATED = " ".join(
    f"/etc/aziot/{daemon}/config.d/00-super.toml"
    for daemon in ("keyd", "certd", "identityd", "tpmd", "edged")
)
BACKUP = "/var/lib/aziot/identityd/device_info"
RULE = "/etc/udev/rules.d/tpmaccess.rules"
_FAULTS = "/var/lib/standin/faults.json"
_TPM = "TPM2TOOLS_TCTI=device:$(ls -d /dev/tpmrm* | head -n 1)"
_API = "api-version=2020-09-01"
_ASK = "curl -sS --fail --max-time 20 -H 'Content-Type: application/json' --unix-socket /run/aziot"
# The condition that aziot-tpmd can sign with the key that is in its TPM.
SIGNS = f"""{_ASK}/tpmd.sock -d '{{"data": "eA=="}}' 'http://localhost/sign_with_auth_key?{_API}'"""
_DEVICE = f"""{_ASK}/identityd.sock -d '{{"type": "aziot"}}' 'http://localhost/identities/device?{_API}'"""
_READ_EK = f"{_TPM} tpm2_readpublic -Q -c {ENDORSEMENT_KEY} -o /tmp/ek.pub"


def persistent(machine: Shell, tpm: str = _TPM) -> list[str]:
    """List the handles of the TPM's persistent objects."""
    return re.findall(r"0x[0-9A-Fa-f]+", machine.run(f"{tpm} tpm2_getcap handles-persistent"))


def names(machine: Shell, tpm: str = _TPM) -> tuple[str, str]:
    """Give the Names of endorsement key and storage root key."""
    read = f"{tpm} tpm2_readpublic -c {ENDORSEMENT_KEY}; {tpm} tpm2_readpublic -c {STORAGE_ROOT_KEY}"
    endorsement, storage = re.findall(r"(?m)^name: (\w+)", machine.run(read))
    return endorsement, storage


def registration_id(machine: Shell) -> str:
    """Derive the registration id as the published procedure does."""
    return machine.run(f"{_READ_EK} && sha256sum /tmp/ek.pub | cut -d' ' -f1").strip()


def active(machine: Shell, *units: str) -> list[str]:
    """Give systemd's word on units."""
    return machine.run(f"systemctl is-active {' '.join(units or UNITS)}", status=None).split()


def show(machine: Shell, unit: str, name: str) -> str:
    """Give a property of a unit."""
    return machine.run(f"systemctl show -P {name} {unit}").strip()


def device(machine: Shell) -> dict[str, Any]:
    """Give what the identity service says that the device is."""
    return dict(json.loads(machine.run(_DEVICE))["spec"])


def sign(machine: Shell) -> str:
    """Have aziot-tpmd sign with the key that is in its TPM; gives the digest."""
    return str(json.loads(machine.run(SIGNS))["digest"])


def journal(machine: Shell, *matches: str) -> list[dict[str, str]]:
    """Read entries of the machine's journal, oldest first."""
    lines = machine.run(f"journalctl -q --no-pager -o json {' '.join(matches)}", status=None).splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def ours(machine: Shell, *matches: str) -> list[dict[str, str]]:
    """Read our own events, oldest first."""
    return journal(machine, "SYSLOG_IDENTIFIER=edge-provisioner", *matches)


def restarts(machine: Shell, *matches: str) -> int:
    """Count how often systemd started aziot-edged: every apply does once."""
    return starts(machine, "aziot-edged", *matches)


def starts(machine: Shell, unit: str, *matches: str) -> int:
    """Count how often systemd started a service."""
    started = ("-u", f"{unit}.service", "_PID=1", "JOB_TYPE=start", "JOB_RESULT=done")
    return len(journal(machine, *started, *matches))


def stamps(machine: Shell, places: str) -> str:
    """Give inode, times and digest of files: equal as long as nobody wrote them."""
    return machine.run(f"stat -c '%n %i %y %U %a' {places}; sha256sum {places}")


def owners(machine: Shell) -> dict[str, str]:
    """Give owner and mode of the TPM's nodes."""
    said = machine.run("udevadm settle; stat -c '%n %U %a' /dev/tpm*")
    return dict(line.split(" ", 1) for line in said.splitlines())


def fault(machine: Shell, **switched: Any) -> None:
    """Switch faults of the stand-in runtime; None takes one away."""
    now = json.loads(machine.read(_FAULTS)) | switched
    machine.write(_FAULTS, json.dumps({name: value for name, value in now.items() if value is not None}))


def enrol_only(machine: Shell) -> None:
    """Have the provisioning service know this TPM's endorsement key and no other."""
    key = machine.run(f"{_READ_EK} && base64 -w0 /tmp/ek.pub")
    fault(machine, enrolled={"endorsement_keys": [key]})
