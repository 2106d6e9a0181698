"""How each fault of the table of causes is made on a booted machine, and mended there.

The faults are those of tests/scenario/causes_table.py, by their names. What begins with a provisioned device
is made one after the other on one machine; each group is a case. What begins with a new one needs a machine
of its own.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from tests.scenario import faults
from tests.scenario.causes_table import ROWS, Row
from tests.scenario.stage import SCOPE
from tests.vm import hotplug, witness
from tests.vm.machine import Machine
from tests.vm.stages import SETTINGS, SOON, settings

Deed = Callable[[Machine], None]

_RESTART = "iotedge system restart"
_UDEVD = "systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service"
_READ_RULES = (
    "udevadm control --reload && udevadm trigger --action=change --settle "
    "--subsystem-match=tpm --subsystem-match=tpmrm"
)
_TAKE_AWAY = "chown root: /dev/tpm* && chmod 600 /dev/tpm*"  # as at a boot: a node begins as root's
_LATER_RULE = "/etc/udev/rules.d/zz-local.rules"
_EDGED_SETTINGS = "/etc/aziot/edged/config.d/50-local.toml"
_KEPT = "/root/config.toml"
_KEYD = "systemctl kill -s KILL aziot-keyd"
_UNITS = "/etc/systemd/system/aziot-tpmd"
# Emulated, a machine does not come to systemd's limits of 20 connections in 2 s, or 5 starts in 10 s.
_SOON_GIVEN_UP = (
    f"mkdir -p {_UNITS}.socket.d {_UNITS}.service.d && "
    f"echo '[Socket]\nTriggerLimitIntervalSec=5min' >{_UNITS}.socket.d/soon.conf && "
    f"echo '[Unit]\nStartLimitIntervalSec=5min' >{_UNITS}.service.d/soon.conf && systemctl daemon-reload"
)
_MAY_NOT_START = (
    f"echo 'ConditionPathExists=/srv/not-there' >>{_UNITS}.service.d/soon.conf && systemctl daemon-reload"
)
_KNOCK = (
    "systemctl stop aziot-tpmd.service; systemctl start aziot-tpmd.socket; "
    "until systemctl -q is-failed aziot-tpmd.socket; "
    "do curl -s --max-time 20 --unix-socket /run/aziot/tpmd.sock http://localhost/ || :; done"
)
# What the code's remedy says.
_TAKE_BACK = (
    f"rm -r {_UNITS}.socket.d {_UNITS}.service.d && systemctl daemon-reload && "
    "systemctl reset-failed aziot-tpmd.socket aziot-tpmd.service && systemctl restart aziot-tpmd.service"
)
_ENGINE = "curl -sS --unix-socket /run/docker.sock"
_AGENT_RUNS = f"{_ENGINE} http://localhost/containers/edgeAgent/json | grep -q running"
_REMOVE_AGENT = f"{_ENGINE} -X DELETE 'http://localhost/containers/edgeAgent?force=1'"
_UP = "[ $(systemctl show -P MainPID aziot-keyd) != 0 ]"


class Sign(StrEnum):
    """Which event of ours tells a fault."""

    CODE = "the first with its code"
    DEED = "the first that names what was done about it"


@dataclass(frozen=True, slots=True)
class Seen:
    """From when on a fault can be seen at all, which is when its time begins: an entry of the journal."""

    match: str
    text: str


ASKED = Seen(
    "_SYSTEMD_UNIT=aziot-identityd.service", "Provisioning starting"
)  # only there it meets the fault
WATCHED = Seen("_SYSTEMD_UNIT=aziot-edged.service", "Watchdog checking Edge runtime status")
GIVEN_UP = Seen("UNIT=aziot-tpmd.socket", "Failed with result")


@dataclass(frozen=True, slots=True)
class Way:
    """How a fault is made and mended, what tells it, and from when on it can be seen, if not since then."""

    make: Deed
    mend: Deed | None = None
    sign: Sign = Sign.CODE
    seen: Seen | None = None


def _run(script: str, status: int = 0) -> Deed:
    def run(machine: Machine) -> None:
        machine.run(script, status=status)

    return run


def _fault(**switched: object) -> Deed:
    """Give what switches faults of the stand-in."""

    def switch(machine: Machine) -> None:
        witness.fault(machine, **switched)

    return switch


def _write(place: str, text: str) -> Deed:
    def write(machine: Machine) -> None:
        machine.write(place, text)

    return write


def _append(place: str, text: str) -> Deed:
    def append(machine: Machine) -> None:
        machine.write(place, machine.read(place) + text, 0o600)

    return append


def _wait(condition: str) -> Deed:
    def wait(machine: Machine) -> None:
        machine.wait(condition)

    return wait


def _in_turn(*deeds: Deed) -> Deed:
    def do(machine: Machine) -> None:
        for deed in deeds:
            deed(machine)

    return do


def _settings(*, dps: str = "", runtime: str = "") -> Deed:
    """Give what writes the settings of the stage, and lines for two of their tables."""
    return _write(SETTINGS, settings(more=f"{dps}{SOON}{runtime}"))


def _by_hand(payload: str, mode: int) -> Deed:
    """Give what a person leaves who follows the published procedure, with a payload."""

    def write(machine: Machine) -> None:
        machine.run("edge-provisioner tpm ensure")
        shown = json.loads(machine.run("edge-provisioner identity --json"))
        machine.write(faults.PAYLOAD, payload, mode)
        machine.write(witness.CONFIG, faults.by_hand(shown["registration_id"]), 0o600)

    return write


_SET_PASSWORD = _run(f"TPM2TOOLS_TCTI=device:/dev/tpmrm0 tpm2_changeauth -c owner '{faults.PASSWORD}'")
_CLOUD_IS_WELL = _fault(cloud=None, hub=None)
_REPROVISION = _in_turn(_CLOUD_IS_WELL, _run("edge-provisioner reprovision --yes"))
_LOSE_BACKUP = _in_turn(_fault(cloud="401"), _run("iotedge system reprovision", status=1))
_REBIND = _in_turn(hotplug.unbind, hotplug.bind)

# One is mended before the next is made.
GROUPS: Mapping[str, Mapping[str, Way]] = MappingProxyType({
    "rule": {
        "no udev rule": Way(
            _run(f"rm {witness.RULE} && {_READ_RULES} && {_TAKE_AWAY}; {_RESTART}"), sign=Sign.DEED),
        "a udev rule of somebody's, for tpm0 only": Way(
            _in_turn(_write(witness.RULE, faults.PUBLISHED_RULE), _run(f"{_READ_RULES} && {_RESTART}")),
            sign=Sign.DEED),
        "another udev rule takes the TPM away again": Way(
            _in_turn(_write(_LATER_RULE, faults.LATER_RULE), _run(f"{_READ_RULES} && {_RESTART}")),
            _run(f"rm {_LATER_RULE} && {_READ_RULES} && {_RESTART}")),
        "no udev rule, and udevd does not answer": Way(
            _run(f"systemctl stop {_UDEVD} && rm {witness.RULE} && {_TAKE_AWAY} && {_RESTART}"),
            _run(f"systemctl start {_UDEVD}")),
    },
    # As tests/vm/hotplug.py says, it comes back under another number each time: as tpm1 only once.
    "tpm": {
        "TPM back as tpm1": Way(_REBIND, sign=Sign.DEED),
        "TPM gone from a running device": Way(hotplug.unbind, hotplug.bind),
        "TPM gone, and the runtime restarted": Way(_in_turn(hotplug.unbind, _run(_RESTART)), hotplug.bind),
    },
    "settings": {
        "id scope changed, old identity cached": Way(
            _write(SETTINGS, settings("0ne00000002", SOON)), _settings()),
        "registration id changed, old identity cached": Way(
            _settings(dps='registration_id = "line-4"\n'), _settings()),
        "host name changed while modules exist": Way(
            _in_turn(_fault(containers=["edgeAgent"]), _settings(runtime='hostname = "new-name"\n')),
            _settings(runtime='hostname = "edge"\n')),
        "auto_reprovisioning_mode written below a table": Way(
            _in_turn(_run(f"cp -p {witness.CONFIG} {_KEPT}"), _append(witness.CONFIG, faults.MISPLACED)),
            _run(f"mv {_KEPT} {witness.CONFIG}")),
        "container engine down, and an apply due": Way(
            _in_turn(_run("systemctl stop docker.socket docker.service"),
                     _settings(runtime='auto_reprovisioning_mode = "OnErrorOnly"\n')),
            _run("systemctl start docker.socket docker.service")),
    },
    "units": {
        "a unit masked": Way(
            _run(f"systemctl mask aziot-tpmd.service && {_RESTART}"),
            _run(f"systemctl unmask aziot-tpmd.service && {_RESTART}")),
        "stopped by hand": Way(_run("iotedge system stop"), _run(_RESTART)),
        "a socket stopped by hand": Way(_run("systemctl stop aziot-tpmd.socket"), _run(_RESTART)),
        "a socket given up, its daemon may not start": Way(
            _run(f"{_SOON_GIVEN_UP}; {_MAY_NOT_START}; {_KNOCK}"),
            _run(_TAKE_BACK), seen=GIVEN_UP),
        "a socket given up, its daemon ends at once": Way(
            _in_turn(_fault(quits="tpmd"), _run(f"{_SOON_GIVEN_UP}; {_KNOCK}")),
            _in_turn(_fault(quits=None), _run(_TAKE_BACK)), seen=GIVEN_UP),
        "edged's settings broken (exit 153)": Way(
            _in_turn(_write(_EDGED_SETTINGS, "watchdog = \n"), _run(_RESTART)),
            _run(f"rm {_EDGED_SETTINGS} && {_RESTART}")),
    },
    "cloud": {
        "offline after provisioning": Way(
            _in_turn(_fault(cloud="unreachable", hub="unreachable"), _run(_RESTART)), _CLOUD_IS_WELL),
        "identity's backup lost by a refused reprovisioning": Way(_LOSE_BACKUP, _REPROVISION),
        "the same, and then the runtime restarted": Way(
            _in_turn(_LOSE_BACKUP, _run(_RESTART)), _CLOUD_IS_WELL),
        "hub refuses the device": Way(_in_turn(_fault(hub="refuses"), _run(_RESTART)), _CLOUD_IS_WELL),
    },
    "modules": {
        "edgeAgent's container gone and the hub out of reach": Way(
            _in_turn(_wait(_AGENT_RUNS), _fault(hub="unreachable"), _run(_REMOVE_AGENT)), _CLOUD_IS_WELL),
        "edgeAgent never fetched and not preloaded": Way(
            _in_turn(_append(witness.CONFIG, faults.NEVER_FETCHED), _run("iotedge config apply"),
                     _run(_REMOVE_AGENT)),
            _run(f"sed -i /imagePullPolicy/d {witness.CONFIG} && iotedge config apply")),
    },
    "killed": {
        "a daemon killed, not yet started again": Way(_run(_KEYD)),
        "a daemon killed once, up again": Way(_run(f"{_KEYD}; until {_UP}; do sleep 1; done")),
        "a daemon killed again and again": Way(
            _run(f"for _ in 1 2 3; do {_KEYD}; sleep 1; until {_UP}; do sleep 1; done; done")),
        "a daemon that ends at each start, for a reason without a code": Way(
            _in_turn(_fault(broken="keyd"), _run(_KEYD)), _fault(broken=None)),
    },
})  # fmt: skip

# The fault is there first, then come the settings.
ON_NEW_DEVICES: Mapping[str, Way] = MappingProxyType({
    "not enrolled": Way(_fault(cloud="401"), seen=ASKED),
    "enrolment disabled": Way(_fault(cloud="disabled"), seen=ASKED),
    "cloud throttles": Way(_fault(cloud="throttled"), seen=ASKED),
    "cloud silent, not yet known why": Way(_fault(cloud="throttled"), seen=ASKED),
    "cloud hangs": Way(_fault(cloud="hanging"), seen=ASKED),
    "cloud answers 500": Way(_fault(cloud="500"), seen=ASKED),
    "cloud out of reach": Way(_fault(cloud="unreachable"), seen=ASKED),
    "hub out of reach at the first provisioning": Way(_fault(hub="unreachable"), seen=ASKED),
    "clock a minute behind": Way(_fault(cloud="clock-behind"), seen=ASKED),
    "clock an hour behind": Way(_fault(cloud="clock-hour-behind"), seen=ASKED),
    "edgeAgent's registry out of reach": Way(_fault(registry="unreachable"), seen=WATCHED),
    "edgeAgent's registry wants a password": Way(_fault(registry="unauthorised"), seen=WATCHED),
    "edgeAgent's tag mistyped": Way(_fault(registry="no-image"), seen=WATCHED),
    "edgeAgent's image for another processor": Way(_fault(registry="wrong-architecture"), seen=WATCHED),
    "disk full as edgeAgent is fetched": Way(_fault(registry="full"), seen=WATCHED),
    "edgeAgent's image fetched on a slow line": Way(_fault(registry="slow"), seen=WATCHED),
    "edgeAgent's create options refused": Way(_fault(edge_agent="not-created"), seen=WATCHED),
    "edgeAgent's port taken by another container": Way(_fault(edge_agent="not-started"), seen=WATCHED),
    "edgeAgent ends again and again": Way(_fault(edge_agent="crashes"), seen=WATCHED),
    "payload not readable by aziotid": Way(_by_hand('{"modelId": "line"}', 0o600), seen=ASKED),
    "payload is not JSON": Way(_by_hand("{modelId: line}", 0o644), seen=ASKED),
    "TPM has an owner password, not configured": Way(
        _in_turn(_run("edge-provisioner tpm ensure"), _SET_PASSWORD), seen=ASKED),
    "the same, and the TPM without keys": Way(_SET_PASSWORD),
    # Masked: aziot-edged's start would start it again.
    "container engine down": Way(
        _run("systemctl mask --runtime --now docker.socket docker.service"), seen=ASKED),
})  # fmt: skip

WAYS: Mapping[str, Way] = MappingProxyType(
    {fault: way for group in (*GROUPS.values(), ON_NEW_DEVICES) for fault, way in group.items()}
)
NEW_SETTINGS = settings(SCOPE, SOON)


def row_of(fault: str) -> Row:
    """Give the row of the table of causes that a fault has."""
    return next(row for row in ROWS if row.fault == fault)
