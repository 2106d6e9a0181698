"""qemu and swtpm, in software emulation: a PC with disk, TPM behind tpm-tis, network of its own, console.

Everything is below one folder: sockets, logs, pids, the console's text, and the memory of a saved machine.
"""

import re
import shlex
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.standins.unixhttp import listen
from tests.vm.qmp import Monitor, MonitorError

_PROCESS_S = 120.0
_KERNEL_ARGUMENTS = (
    "console=ttyS0 quiet panic=-1 edd=off mitigations=off audit=0 selinux=0 tsc=reliable no_timer_check "
    "net.ifnames=0 systemd.show_status=0 init_on_alloc=0"
)
# Without the "fast" string instructions (erms): emulated they go byte by byte, and the kernel uses them.
_HARDWARE = (
    "-nodefaults -no-user-config -display none -no-reboot "
    "-machine q35,hpet=off,smbus=off,sata=off,usb=off,vmport=off "
    "-accel tcg,tb-size=128 -cpu max,-erms -smp 1 -m 512 "
    "-drive if=none,id=root,file=disk.qcow2,format=qcow2,cache=unsafe,aio=threads "
    "-device virtio-blk-pci,drive=root -device virtio-net-pci,netdev=net,romfile= "
    "-object rng-random,id=random,filename=/dev/urandom -device virtio-rng-pci,rng=random "
    "-serial file:console.log -mon chardev=monitor,mode=control"
)
# qemu takes a free port for ssh itself: one that we found free could be somebody else's by then.
_NETWORK = "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-:22"
_FORWARDED = re.compile(r"HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)")
_TPM = "-chardev socket,id=tpm,path=tpm.sock -tpmdev emulator,id=tpm0,chardev=tpm -device tpm-tis,tpmdev=tpm0"
_SWTPM = "swtpm socket --tpm2 --terminate"
# Whatever happens to us, the machine ends with us.
_END_WITH_US = ("setpriv", "--pdeathsig", "KILL")


class GoneError(Exception):
    """The emulator ended by itself; what it said last."""


def until(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Look until something is so.

    Raises: TimeoutError
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Image:
    """What tests/vm/image/build.sh made."""

    folder: Path

    @property
    def disk(self) -> Path:
        """The root file system, never written."""
        return self.folder / "root.ext4"

    @property
    def key(self) -> Path:
        """What root of the machine accepts."""
        return self.folder / "id"


class Emulator:
    """The processes of one machine. One that `stays` outlives us, for somebody to look around in."""

    def __init__(self, folder: Path, image: Image) -> None:
        self.stays = False
        self._folder = folder
        self._image = image
        self._qemu: subprocess.Popen[bytes] | None = None
        self._swtpm: subprocess.Popen[bytes] | None = None

    def start(self, arguments: str, *incoming: str) -> int:
        """Switch on, with a TPM where there is a folder for its state; gives ssh's port.

        Raises: GoneError
        """
        (self._folder / "console.log").unlink(missing_ok=True)
        tpm = self._folder / "tpm"
        if tpm.exists():
            self._swtpm = self._run_swtpm(tpm.resolve())
        words = ["qemu-system-x86_64", *_HARDWARE.split(), *(_TPM.split() if self._swtpm else []), *incoming]
        words += ["-kernel", f"{self._image.folder}/vmlinuz", "-initrd", f"{self._image.folder}/initrd"]
        words += ["-append", f"{_KERNEL_ARGUMENTS} {arguments}", "-netdev", _NETWORK]
        self._qemu = self._run_qemu(words)
        return self._forwarded_port()

    def resume(self) -> int:
        """Go on with the memory that `save` has written; gives ssh's port."""
        memory = shlex.quote(str((self._folder / "memory").resolve()))
        port = self.start("", "-incoming", f"exec:cat {memory}")
        with closing(self._monitor()) as monitor:
            self.wait_for(lambda: _is_read_back(monitor), _PROCESS_S, "the saved machine is read back")
            monitor.execute("cont")
        return port

    def save(self) -> None:
        """Write the memory, the TPM's with it, and switch off."""
        written = self._folder / "memory.new"
        with closing(self._monitor()) as monitor:
            monitor.execute("stop")
            monitor.execute("migrate", uri=f"exec:cat >{shlex.quote(str(written))}")
            until(lambda: _is_migrated(monitor), _PROCESS_S, "the memory is written")
        self.cut()
        (self._folder / "memory").unlink(missing_ok=True)
        written.rename(self._folder / "memory")

    def cut(self) -> None:
        """Kill both processes, which is a power cut."""
        for process in (self._qemu, self._swtpm):
            if process:
                process.kill()
                process.wait()
        self._qemu = self._swtpm = None

    def wait_for_end(self, timeout_s: float) -> None:
        """Come back when the machine has switched itself off.

        Raises: subprocess.TimeoutExpired
        """
        if self._qemu:
            self._qemu.wait(timeout_s)
        self.cut()

    def wait_for(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Look until something is so.

        Raises: TimeoutError, GoneError where it can't become so any more
        """

        def alive_and_so() -> bool:
            if self._qemu and self._qemu.poll() is not None:
                raise GoneError(self._last_words())
            return condition()

        until(alive_and_so, timeout_s, what)

    def console(self) -> str:
        """Give what the machine printed on its serial console since it was switched on."""
        place = self._folder / "console.log"
        return place.read_text(errors="replace") if place.exists() else ""

    def starved_s(self) -> float:
        """Give how long the machine has waited so far for a processor of ours, because they were busy."""
        with closing(self._monitor()) as monitor:
            thread = monitor.execute("query-cpus-fast")[0]["thread-id"]
        _ran_ns, waited_ns, _turns = Path(f"/proc/{thread}/schedstat").read_text().split()
        return int(waited_ns) / 1e9

    def _monitor(self) -> Monitor:
        return Monitor(str(self._folder / "monitor"))

    def _forwarded_port(self) -> int:
        try:
            with closing(self._monitor()) as monitor:
                said = monitor.execute("human-monitor-command", **{"command-line": "info usernet"})
        except (OSError, MonitorError) as error:
            raise GoneError(f"{error}\n{self._last_words()}") from None
        found = _FORWARDED.search(said)
        if not found:
            raise GoneError(f"no port for ssh:\n{said}")
        return int(found[1])

    def _run_swtpm(self, state: Path) -> subprocess.Popen[bytes]:
        with closing(listen(str(self._folder / "tpm.sock"))) as server:
            control = ["--ctrl", f"type=unixio,fd={server.fileno()}"]
            words = [*_SWTPM.split(), *control, "--tpmstate", f"dir={state},mode=0600"]
            return self._run("swtpm", words, server)

    def _run_qemu(self, words: list[str]) -> subprocess.Popen[bytes]:
        with closing(listen(str(self._folder / "monitor"))) as server:
            monitor = f"socket,id=monitor,fd={server.fileno()},server=on,wait=off"
            return self._run("qemu", [*words, "-chardev", monitor], server)

    def _run(self, name: str, words: list[str], server: socket.socket) -> subprocess.Popen[bytes]:
        """Run one of the two on a socket that listens already: whoever is early waits, and isn't refused."""
        with (self._folder / f"{name}.log").open("ab") as output:
            process = subprocess.Popen(
                words if self.stays else [*_END_WITH_US, *words],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=[server.fileno()],
            )
        (self._folder / f"{name}.pid").write_text(str(process.pid))
        return process

    def _last_words(self) -> str:
        return (self._folder / "qemu.log").read_text(errors="replace")[-2000:]


def _is_read_back(monitor: Monitor) -> bool:
    return bool(monitor.execute("query-status")["status"] != "inmigrate")


def _is_migrated(monitor: Monitor) -> bool:
    return bool(monitor.execute("query-migrate")["status"] == "completed")
