"""What the stand-in machine consists of: users, units, directories, and the file of faults.

Names, owners and modes are those of the packages of runtime 1.6 on Debian 12. What a daemon imports
is kept small (no dataclasses): an emulated machine starts five of them again and again.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

STATE = "var/lib/standin"
FAULTS = f"{STATE}/faults.json"
JOURNAL = "var/log/standin/journal.jsonl"
CONTROL = "run/standin/control.sock"
GENERATED = "00-super.toml"
DEFAULT_TIME_SCALE = 0.05
SYSTEMD_STOP_TIMEOUT_S = 90.0


class ServiceSpec(NamedTuple):
    """A service of the machine, and the daemon that stands for it."""

    name: str
    description: str
    daemon: str
    program: str
    user: str
    sockets: tuple[str, ...]
    enabled: bool = False
    prevent_restart: int | None = None
    restart_s: float = 5.0
    stop_timeout_s: float = SYSTEMD_STOP_TIMEOUT_S
    socket_is_part: bool = True
    environment: str = ""
    wanted: tuple[str, ...] = ()

    @property
    def process(self) -> str:
        """The process name, and journald's SYSLOG_IDENTIFIER."""
        return os.path.basename(self.program)


class SocketSpec(NamedTuple):
    """A socket unit: where it listens, for whom, and with which mode and owner."""

    name: str
    description: str
    path: str
    user: str
    group: str
    mode: int


def _identity(daemon: str, title: str) -> ServiceSpec:
    name = f"aziot-{daemon}"
    users = {"identityd": "aziotid", "keyd": "aziotks", "certd": "aziotcs", "tpmd": "aziottpm"}
    return ServiceSpec(
        f"{name}.service",
        f"Azure IoT {title} Service",
        daemon,
        f"/usr/libexec/aziot-identity-service/{name}",
        users[daemon],
        (f"{name}.socket",),
        environment="LD_LIBRARY_PATH=/usr/lib/aziot-identity-service",
    )


SERVICES = {
    spec.name: spec
    for spec in (
        ServiceSpec(
            "aziot-edged.service",
            "Azure IoT Edge daemon",
            "edged",
            "/usr/libexec/aziot/aziot-edged",
            "iotedge",
            ("aziot-edged.mgmt.socket", "aziot-edged.workload.socket"),
            enabled=True,
            prevent_restart=153,
            stop_timeout_s=40,
            wanted=("network-online.target", "docker.service"),
        ),
        _identity("identityd", "Identity"),
        _identity("keyd", "Keys"),
        _identity("certd", "Certificates"),
        _identity("tpmd", "TPM"),
        ServiceSpec(
            "docker.service",
            "Docker Application Container Engine",
            "dockerd",
            "/usr/bin/dockerd",
            "root",
            ("docker.socket",),
            enabled=True,
            socket_is_part=False,
        ),
    )
}
RUNTIME = tuple(name for name in SERVICES if name.startswith("aziot-"))
SOCKETS = {
    spec.name: spec
    for spec in (
        SocketSpec(
            "aziot-edged.mgmt.socket",
            "Azure IoT Edge daemon management socket",
            "run/iotedge/mgmt.sock",
            "edgeagentuser",
            "iotedge",
            0o660,
        ),
        SocketSpec(
            "aziot-edged.workload.socket",
            "Azure IoT Edge daemon workload socket",
            "run/iotedge/workload.sock",
            "iotedge",
            "iotedge",
            0o666,
        ),
        *(
            SocketSpec(
                f"aziot-{daemon}.socket",
                f"{SERVICES[f'aziot-{daemon}.service'].description} socket",
                f"run/aziot/{daemon}.sock",
                user,
                user,
                0o660,
            )
            for daemon, user in (
                ("identityd", "aziotid"),
                ("keyd", "aziotks"),
                ("certd", "aziotcs"),
                ("tpmd", "aziottpm"),
            )
        ),
        SocketSpec(
            "docker.socket",
            "Docker Socket for the API",
            "run/docker.sock",
            "root",
            "docker",
            0o660,
        ),
    )
}

# name: (uid, gid, home, supplementary groups). The ids are those of the machine that was observed.
RUNTIME_USERS = {
    "aziottpm": (998, 998, "/var/lib/aziot/tpmd", ()),
    "aziotks": (997, 997, "/var/lib/aziot/keyd", ()),
    "aziotcs": (996, 996, "/var/lib/aziot/certd", ("aziotks",)),
    "aziotid": (995, 995, "/var/lib/aziot/identityd", ("aziotcs", "aziotks", "aziottpm")),
    "iotedge": (
        994,
        994,
        "/var/lib/aziot/edged",
        ("docker", "systemd-journal", "aziotcs", "aziotks", "aziotid"),
    ),
    "edgeagentuser": (13622, 994, "/", ()),
}
BASE_USERS = {
    "root": (0, 0, "/root", ()),
    "tss": (104, 111, "/var/lib/tpm", ()),
    "nobody": (65534, 65534, "/nonexistent", ()),
}
BASE_GROUPS = {"root": 0, "tss": 111, "docker": 112, "systemd-journal": 999, "nogroup": 65534}
SERVICE_USERS = {
    "keyd": "aziotks",
    "certd": "aziotcs",
    "identityd": "aziotid",
    "tpmd": "aziottpm",
    "edged": "iotedge",
}
"""Daemon to user, in the order in which `config apply` writes their files."""


def faults(root: str) -> dict[str, Any]:
    """Read the faults that are switched on now."""
    try:
        with open(os.path.join(root, FAULTS), encoding="utf-8") as source:
            read = json.load(source)
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def scaled(root: str, seconds: float) -> float:
    """Give how long one of the runtime's own waits takes on this machine, in seconds."""
    return seconds * float(faults(root).get("time_scale", DEFAULT_TIME_SCALE))


def is_booted(root: str) -> bool:
    """Whether the machine is a real one, with systemd, journald and udev of its own."""
    return root == "/"


def shown(root: str, path: str) -> str:
    """Give a place below the root as the machine's own programs name it."""
    return f"/{os.path.relpath(path, root)}"


def hostname(root: str) -> str:
    """Give the machine's host name."""
    if is_booted(root):
        return os.uname().nodename
    with open(os.path.join(root, "etc/hostname"), encoding="utf-8") as source:
        return source.read().strip()


def ids(root: str, user: str) -> tuple[int, int] | None:
    """Look up a user's uid and primary gid in the machine's passwd; None where there is none."""
    with open(os.path.join(root, "etc/passwd"), encoding="utf-8") as source:
        rows = [line.rstrip("\n").split(":") for line in source]
    return next(((int(row[2]), int(row[3])) for row in rows if row[0] == user), None)


def group_id(root: str, group: str) -> int | None:
    """Look up a group's id in the machine's group file; None where there is none."""
    return next((int(row[2]) for row in _groups(root) if row[0] == group), None)


def supplementary(root: str, user: str) -> list[int]:
    """List the groups a user is a member of beside the primary one."""
    return [int(row[2]) for row in _groups(root) if user in row[3].split(",")]


def _groups(root: str) -> list[list[str]]:
    with open(os.path.join(root, "etc/group"), encoding="utf-8") as source:
        return [line.rstrip("\n").split(":") for line in source]


def give(path: str, uid: int, gid: int, mode: int) -> None:
    """Set mode and owner; the owner only where the caller has the privilege."""
    os.chmod(path, mode)
    if os.geteuid() == 0:
        os.chown(path, uid, gid)


@contextmanager
def acting_as(root: str, user: str) -> Iterator[None]:
    """Take on a user's rights for a moment, as its daemon has them; needs root, else nothing."""
    found = ids(root, user)
    if os.geteuid() != 0 or found is None:
        yield
        return
    groups = os.getgroups()
    os.setgroups(supplementary(root, user))
    os.setegid(found[1])
    os.seteuid(found[0])
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def open_as(root: str, user: str, path: str, flags: int) -> int:
    """Open a file with a user's rights on the file itself, whatever the scratch root lies below.

    Raises: OSError as that user would see it.
    """
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        with acting_as(root, user):
            return os.open(f"/proc/self/fd/{place}", flags | os.O_CLOEXEC)
    finally:
        os.close(place)


def connect_as(root: str, user: str, path: str) -> int:
    """Connect to a unix socket with a user's rights on it; gives the descriptor.

    Raises: OSError as that user would see it.
    """
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        with acting_as(root, user):
            client.connect(f"/proc/self/fd/{place}")
    finally:
        os.close(place)
    return client.detach()


def read_as(root: str, user: str, absolute: str) -> bytes:
    """Read a file of the machine with a user's rights on it and on its directories below the root.

    Raises: OSError as that user would see it.
    """
    top = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with acting_as(root, user):
            found = os.open(absolute.lstrip("/"), os.O_RDONLY | os.O_CLOEXEC, dir_fd=top)
    finally:
        os.close(top)
    with open(found, "rb") as source:
        return source.read()
