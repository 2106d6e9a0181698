"""A machine to install packages on: a disk, a TPM, and commands over ssh.

About 10 s from power on to the first command, 1 s from a saved state. Its folder holds all that it is; the
folder of a saved machine is never written again, for copies of it read its disk.
"""

import shutil
import subprocess
import time
from pathlib import Path

from tests.vm.emulator import Emulator, GoneError, Image
from tests.vm.shell import COMMAND_S, BootError, Shell

_BOOT_S = 300.0
_READY = "TEST-MACHINE-READY"
_KERNEL_DIED = ("Kernel panic", "Oops:", "BUG: ", "general protection fault")
_SSH_CONFIG = """\
Host machine
    HostName 127.0.0.1
    Port {port}
    User root
    IdentityFile {key}
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    LogLevel ERROR
    BatchMode yes
    ConnectTimeout 30
    ServerAliveInterval 10
    ServerAliveCountMax 6
"""
# One connection for all commands: each of its own would cost the machine a second.
_SHARED = ("-F", "ssh_config", "-oControlMaster=auto", "-oControlPath=control", "-oControlPersist=600")


class Machine(Shell):
    """A machine with a folder of its own."""

    def __init__(self, folder: Path, image: Image) -> None:
        super().__init__(folder)
        self.image = image
        self.emulator = Emulator(folder, image)
        self.retried_boots = 0

    @classmethod
    def new(cls, folder: Path, image: Image) -> "Machine":
        """Make a machine that was never switched on, with a TPM that nobody has used."""
        return cls._over(folder, image, image.disk, "raw")

    @classmethod
    def copy(cls, folder: Path, saved: "Machine") -> "Machine":
        """Make a machine with the disk and the TPM of a saved one, to be booted or resumed."""
        made = cls._over(folder, saved.image, saved.folder / "disk.qcow2", "qcow2")
        made.take_tpm_out()
        if saved.tpm.exists():
            shutil.copytree(saved.tpm, made.tpm)
        (folder / "memory").symlink_to((saved.folder / "memory").resolve())
        return made

    @classmethod
    def _over(cls, folder: Path, image: Image, disk: Path, kind: str) -> "Machine":
        (folder / "tpm").mkdir(parents=True)
        words = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(disk), "-F", kind]
        subprocess.run([*words, str(folder / "disk.qcow2")], check=True)
        return cls(folder, image)

    @property
    def tpm(self) -> Path:
        """The state of the machine's TPM, as long as it has one."""
        return self.folder / "tpm"

    @property
    def is_saved(self) -> bool:
        """Whether there is a memory of its own; a copy leads to that of the machine it was made of."""
        memory = self.folder / "memory"
        return memory.exists() and not memory.is_symlink()

    def take_tpm_out(self) -> None:
        """Make it a machine without a TPM, while it is off."""
        shutil.rmtree(self.tpm)

    def replace_tpm(self, state: Path) -> Path:
        """Put another TPM in, or an earlier one again, while it is off; gives where the one before is kept.

        A state that is not there yet is a new TPM.
        """
        state.mkdir(exist_ok=True)
        kept = self.tpm.rename(self.folder / f"tpm-{time.monotonic_ns()}")
        state.rename(self.tpm)
        return kept

    def boot(self, arguments: str = "") -> None:
        """Switch on, with arguments for the kernel, and come back when the system is up.

        A boot is tried once more if the kernel itself died; that is counted, and its console kept.

        Raises: BootError
        """
        try:
            self._boot(arguments)
        except BootError as error:
            if not any(sign in str(error) for sign in _KERNEL_DIED):
                raise
            self.retried_boots += 1
            self.cut()
            shutil.copy(self.folder / "console.log", self.folder / f"died-{self.retried_boots}.log")
            self._boot(arguments)
        self._set_clock()

    def _boot(self, arguments: str) -> None:
        try:
            self._be_reached(self.emulator.start(arguments))
            self.emulator.wait_for(lambda: _READY in self.emulator.console(), _BOOT_S, "the system is up")
        except (TimeoutError, GoneError) as error:
            raise BootError(f"{error}\n{self.emulator.console()[-4000:]}") from None

    def resume(self) -> None:
        """Go on where a saved machine was left, in memory, disk and TPM."""
        self.go_on()
        self._set_clock()

    def go_on(self) -> None:
        """Go on like that, with the clock left as it stood: nobody logs in."""
        self._be_reached(self.emulator.resume())

    def save(self) -> None:
        """Keep the running machine as it is now, and switch it off. It becomes what copies are made of."""
        self._hang_up()
        self.emulator.save()

    def reboot(self, arguments: str = "") -> None:
        """Shut down in order, and boot again."""
        self.power_off()
        self.boot(arguments)

    def power_off(self) -> None:
        """Shut down in order."""
        self.run("systemctl poweroff --no-block", status=None)
        self._hang_up()
        self.emulator.wait_for_end(_BOOT_S)

    def cut(self) -> None:
        """Cut the power."""
        self.emulator.cut()
        self._hang_up()

    def _argv(self, script: str) -> list[str]:
        """Run it over the one connection."""
        return ["ssh", *_SHARED, "machine", script]

    def put(self, *sources: Path, target: str) -> None:
        """Copy files and folders into the machine."""
        words = ["scp", *_SHARED, "-q", "-r", *map(str, sources), f"machine:{target}"]
        subprocess.run(words, cwd=self.folder, stdin=subprocess.DEVNULL, timeout=COMMAND_S, check=True)

    def _be_reached(self, port: int) -> None:
        self._hang_up()
        (self.folder / "ssh_config").write_text(_SSH_CONFIG.format(port=port, key=self.image.key))

    def _hang_up(self) -> None:
        if (self.folder / "control").exists():
            words = ["ssh", *_SHARED, "-O", "exit", "machine"]
            subprocess.run(words, cwd=self.folder, capture_output=True, check=False)
            (self.folder / "control").unlink(missing_ok=True)

    def _set_clock(self) -> None:
        """Do what time synchronisation would: a saved machine's clock stands where it was saved."""
        self.run(f"date -s @{time.time():.3f} >/dev/null")
