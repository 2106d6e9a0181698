"""A machine below a scratch root: built, started, switched off, and its faults."""

import json
import os
import stat
import subprocess
import tempfile
import uuid
from types import TracebackType
from typing import Any, Self

from . import spawn, udevadm, unit_files
from .layout import (
    BASE_GROUPS,
    BASE_USERS,
    FAULTS,
    RUNTIME,
    RUNTIME_USERS,
    SERVICE_USERS,
    SERVICES,
    faults,
    give,
    ids,
)
from .systemctl import control
from .template import TEMPLATE

_FOLDERS = (
    "dev",
    "etc/systemd/system",
    "etc/udev/rules.d",
    "lib/systemd/system",
    "lib/udev/rules.d",
    "run/aziot",
    "run/iotedge",
    "run/standin",
    "run/systemd/system",
    "run/udev/rules.d",
    "usr/bin",
    "var/lib/aziot",
    "var/lib/standin",
    "var/log/standin",
)
_DEBIAN_RULES = """# stands for Debian's package tpm-udev
KERNEL=="tpm[0-9]*", MODE="0660", OWNER="tss"
KERNEL=="tpmrm[0-9]*", MODE="0660", OWNER="tss", GROUP="tss"
"""


def build_machine(root: str, *, runtime: bool = True) -> "Machine":
    """Make a machine below a directory; without the runtime where that is to come later."""
    os.makedirs(root, exist_ok=True)
    os.chmod(root, 0o755)  # noqa: S103 - as every root directory; the daemons' users search it
    for folder in _FOLDERS:
        os.makedirs(os.path.join(root, folder), exist_ok=True)
    if not os.path.lexists(os.path.join(root, "var/run")):
        os.symlink("../run", os.path.join(root, "var/run"))
    _write(root, "etc/hostname", "e2e\n")
    _write(root, "etc/machine-id", f"{uuid.uuid4().hex}\n", 0o444)
    _write(root, "etc/passwd", "".join(map(_passwd_row, BASE_USERS, BASE_USERS.values())))
    _write(root, "etc/group", "".join(f"{name}:x:{_id(gid)}:\n" for name, gid in BASE_GROUPS.items()))
    _write(root, "lib/udev/rules.d/60-tpm-udev.rules", _DEBIAN_RULES)
    _write(root, FAULTS, "{}\n")
    for tool in ("systemctl", "journalctl", "udevadm"):
        _tool(root, tool)
    _units(root, ("docker.service",))
    udevadm.reload_rules(root)
    if runtime:
        install_runtime(root)
    return Machine(root)


def install_runtime(root: str) -> None:
    """Put the runtime's packages on the machine, as dpkg does: users, directories, units, the command."""
    rows = [_passwd_row(name, user) for name, user in RUNTIME_USERS.items()]
    _append(root, "etc/passwd", "".join(rows))
    _groups(root)
    for daemon, user in SERVICE_USERS.items():
        uid, gid = ids(root, user) or (0, 0)
        private = daemon == "edged"
        for folder in (f"etc/aziot/{daemon}", f"etc/aziot/{daemon}/config.d", f"var/lib/aziot/{daemon}"):
            os.makedirs(os.path.join(root, folder), exist_ok=True)
        if private:
            give(os.path.join(root, "etc/aziot/edged/config.d"), uid, gid, 0o700)
        give(os.path.join(root, "var/lib/aziot", daemon), uid, gid, 0o755 if private else 0o700)
    _write(root, "etc/aziot/config.toml.edge.template", TEMPLATE, 0o600)
    _tool(root, "iotedge")
    _units(root, RUNTIME)


def _id(number: int) -> int:
    """Give the number itself where we may hand files to it, else 0's stand-in: the caller's own."""
    return number if os.geteuid() == 0 else os.getgid()


def _passwd_row(name: str, user: tuple[int, int, str, tuple[str, ...]]) -> str:
    uid, gid, home, _ = user
    mine = os.geteuid() or uid
    return f"{name}:x:{mine}:{_id(gid)}::{home}:/usr/sbin/nologin\n"


def _groups(root: str) -> None:
    """Add the runtime's groups and its users' memberships."""
    own = {name: user[1] for name, user in RUNTIME_USERS.items() if name != "edgeagentuser"}
    members: dict[str, list[str]] = {}
    for name, user in RUNTIME_USERS.items():
        for group in user[3]:
            members.setdefault(group, []).append(name)
    rows = [
        f"{name}:x:{_id(gid)}:{','.join(members.get(name, []))}\n"
        for name, gid in (BASE_GROUPS | own).items()
    ]
    _write(root, "etc/group", "".join(rows))


def _units(root: str, names: tuple[str, ...]) -> None:
    for name in names:
        for unit, text in unit_files.texts(name).items():
            _write(root, f"lib/systemd/system/{unit}", text)


def _tool(root: str, name: str) -> None:
    _write(root, f"usr/bin/{name}", spawn.command_text(name), 0o755)


def _write(root: str, path: str, text: str, mode: int = 0o644) -> None:
    place = os.path.join(root, path)
    with open(place, "w", encoding="utf-8") as target:
        target.write(text)
    os.chmod(place, mode)


def _append(root: str, path: str, text: str) -> None:
    with open(os.path.join(root, path), "a", encoding="utf-8") as target:
        target.write(text)


class Machine:
    """A machine; as a context it is started, and switched off at the end."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._supervisor: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def path(self, absolute: str) -> str:
        """Give the place of a path of the machine."""
        return os.path.join(self.root, absolute.lstrip("/"))

    def start(self, *, boot: bool = False) -> None:
        """Switch the machine on; at a boot the enabled services start too. Returns when it is up."""
        ready, tell = os.pipe()
        self._supervisor = subprocess.Popen(
            spawn.module_command("supervisor", self.root, str(tell), "boot" if boot else "install"),
            stdin=subprocess.PIPE,
            pass_fds=(tell,),
            cwd="/",
            start_new_session=True,
        )
        os.close(tell)
        up = os.read(ready, 1)
        os.close(ready)
        if not up:
            self.stop()
            raise RuntimeError("the machine did not start")

    def stop(self) -> None:
        """Switch the machine off, every daemon with it."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        if supervisor.stdin:
            supervisor.stdin.close()
        try:
            supervisor.wait(10)
        except subprocess.TimeoutExpired:
            supervisor.kill()
            supervisor.wait()

    def install_runtime(self) -> None:
        """Install the runtime while the machine runs: its sockets listen afterwards."""
        install_runtime(self.root)
        if self._supervisor:
            sockets = [unit for name in RUNTIME for unit in SERVICES[name].sockets]
            control(self.root, ["daemon-reload"])
            control(self.root, ["start", *sockets])

    def fault(self, **switched: Any) -> None:
        """Switch faults on or to another value; None takes one away."""
        now = faults(self.root) | switched
        text = json.dumps({name: value for name, value in now.items() if value is not None})
        place = self.path(FAULTS)
        with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(place), delete=False) as target:
            target.write(text)
        os.replace(target.name, place)
        if "engine" in switched and self._supervisor:
            verb = "stop" if switched["engine"] == "down" else "start"
            self.systemctl(verb, "docker.socket", "docker.service")

    def systemctl(self, *argv: str) -> dict[str, Any]:
        """Ask the supervisor as systemctl does; gives status, out and err."""
        return control(self.root, list(argv))

    def run(self, *argv: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """Run one of the machine's own programs and give status and both streams."""
        program = self.path(f"/usr/bin/{argv[0]}")
        return subprocess.run(
            [program, *argv[1:]], capture_output=True, text=True, timeout=timeout_s, check=False
        )

    def plug(self, name: str, target: str) -> None:
        """Make a TPM node appear, as a link to what answers there; udev's loaded rules apply to it."""
        os.symlink(target, self.path(f"/dev/{name}"))
        self.appeared(name)

    def appeared(self, name: str) -> None:
        """Do for a node that is there now what the kernel and udev do: root's own, then the rules."""
        node = self.path(f"/dev/{name}")
        if not stat.S_ISSOCK(os.stat(node).st_mode):
            give(node, 0, 0, 0o600)
        udevadm.apply_rules(self.root, [name])

    def unplug(self, name: str) -> None:
        """Take a TPM node away."""
        os.unlink(self.path(f"/dev/{name}"))
