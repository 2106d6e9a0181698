"""A machine for dpkg and systemd alone: the same image as qemu's, booted as a container by systemd-nspawn.

It is up in a second, and has no kernel of its own: no TPM, no udevd, no network but its loopback. The image
is mounted read-only below an overlay, in a mount namespace: it ends with the machine, and all mounts with it.
"""

import os
import select
import shlex
import shutil
import signal
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

from tests.vm.emulator import Image
from tests.vm.shell import BootError, Shell

_BOOT_S = 60.0
_POWER_OFF = signal.SIGRTMIN + 4  # systemd(1)
# Killing nspawn would leave its machine behind, so if we die it is told to shut the machine down.
_WITH_US = ("setpriv", "--pdeathsig", "TERM", "unshare", "--mount", "sh", "-euc")
# In a control group of its own: else the machines' systemd would all take the same one for theirs.
_START = """
mkdir {groups}
for group in {groups}; do echo $$ >"$group/cgroup.procs"; done
mount -o loop,ro {disk} lower
mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay root
exec systemd-nspawn --quiet --settings=no --directory=root --boot --machine={name} --hostname=edge \
    --register=no --keep-unit --private-network --link-journal=no --resolv-conf=off --timezone=off \
    --kill-signal={power_off} --suppress-sync=yes --notify-ready=yes
"""
_ENTER = "--mount --pid --uts --ipc --net --cgroup env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c"
_GROUPS = {"": ("unified", "."), "name=systemd": ("systemd",)}


class Container(Shell):
    """A machine with a folder of its own."""

    def __init__(self, folder: Path, image: Image) -> None:
        super().__init__(folder)
        self._image = image
        self._groups: list[Path] = []
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0
        for name in ("lower", "upper", "work", "root"):
            (folder / name).mkdir(parents=True)

    def boot(self) -> None:
        """Start, and come back when the system is up.

        Raises: BootError
        """
        name = f"edge-{os.getpid()}-{self.folder.name}"
        self._groups = [group / name for group in _own_groups()]
        script = _START.format(
            groups=shlex.join(map(str, self._groups)),
            disk=shlex.quote(str(self._image.disk)),
            name=name,
            power_off=_POWER_OFF,
        )
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messages:
            messages.bind("")  # the kernel gives it an abstract name
            heard_at = "@" + messages.getsockname()[1:].decode()
            with (self.folder / "console.log").open("ab") as console:
                self._nspawn = subprocess.Popen(
                    [*_WITH_US, script],
                    cwd=self.folder,
                    env={**os.environ, "NOTIFY_SOCKET": heard_at},
                    stdin=subprocess.DEVNULL,
                    stdout=console,
                    stderr=console,
                )
            self._hear(self._nspawn, messages)

    def _hear(self, nspawn: subprocess.Popen[bytes], messages: socket.socket) -> None:
        with ExitStack() as closing:
            end = os.pidfd_open(nspawn.pid)
            closing.callback(os.close, end)
            while messages.fileno() in select.select([messages.fileno(), end], [], [], _BOOT_S)[0]:
                said = dict(line.split("=", 1) for line in messages.recv(4096).decode().splitlines() if line)
                self._leader = int(said.get("X_NSPAWN_LEADER_PID", self._leader))
                if said.get("READY") == "1":
                    return
        console = (self.folder / "console.log").read_text(errors="replace")
        self.cut()
        raise BootError(f"no container came up; it needs root, loop mounts and overlayfs\n{console[-4000:]}")

    def reboot(self) -> None:
        """Shut down in order, and boot again."""
        self.power_off()
        self.boot()

    def power_off(self) -> None:
        """Shut down in order.

        Raises: subprocess.TimeoutExpired
        """
        if self._nspawn:
            os.kill(self._leader, _POWER_OFF)
            self._nspawn.wait(_BOOT_S)
        self.cut()

    def cut(self) -> None:
        """End it at once; its disk stays as it is."""
        if self._nspawn and self._nspawn.poll() is None:
            if self._leader:
                os.kill(self._leader, signal.SIGKILL)
            else:
                self._nspawn.terminate()
            self._nspawn.wait(_BOOT_S)
        self._nspawn, self._leader = None, 0
        for group in self._groups:
            for path, _, _ in os.walk(group, topdown=False):
                os.rmdir(path)

    def _argv(self, script: str) -> list[str]:
        """Enter all that is the machine's own but its control group."""
        return ["nsenter", "--target", str(self._leader), *_ENTER.split(), script]

    def put(self, *sources: Path, target: str) -> None:
        """Copy files and folders into the machine."""
        into = Path(f"/proc/{self._leader}/root/{target}")
        for source in sources:
            place = into / source.name if into.is_dir() else into
            if source.is_dir():
                shutil.copytree(source, place)
            else:
                shutil.copy(source, place)


def _own_groups() -> list[Path]:
    """Give our control groups that systemd may make others in: of cgroup v2, and of its own v1 hierarchy."""
    found = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controller, path = line.split(":", 2)
        mounts = [Path("/sys/fs/cgroup", name) for name in _GROUPS.get(controller, ())]
        found += [mount / path.lstrip("/") for mount in mounts if (mount / "cgroup.procs").exists()][:1]
    return found
