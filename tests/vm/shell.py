"""What cases do with a machine of any kind: run commands in it, wait, write, read."""

import shlex
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

COMMAND_S = 600.0  # a limit, not a measure: machines are emulated, and several at a time
_LONG_S = 240.0  # what nothing takes, even on a busy machine, unless something stalls
_WHY_LONG = "uptime; journalctl -q -b -u edge-provisioner -n 30 --no-pager -o short-monotonic"


class BootError(Exception):
    """The machine did not come up; the end of its console."""


class CommandError(AssertionError):
    """A command in the machine ended otherwise than it should have."""


class Shell(ABC):
    """A machine that takes commands, with a folder of its own on this side."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.long_waits: list[str] = []

    @abstractmethod
    def _argv(self, script: str) -> list[str]:
        """Give the command here, run in the folder, that has root's shell over there run a script."""

    @abstractmethod
    def put(self, *sources: Path, target: str) -> None:
        """Copy files and folders into the machine."""

    @abstractmethod
    def reboot(self) -> None:
        """Shut down in order, and boot again.

        Raises: BootError
        """

    def run(self, script: str, *, status: int | None = 0, timeout_s: float = COMMAND_S) -> str:
        """Run a shell script as root in the machine; gives what it printed, both streams together.

        Raises: CommandError if it ends with another status; None lets it end as it likes.
        """
        ended = subprocess.run(
            self._argv(f"exec 2>&1; {script}"),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
        said = ended.stdout.decode(errors="replace")
        if status is not None and ended.returncode != status:
            problem = ended.stderr.decode(errors="replace")
            raise CommandError(f"{script}\nended with {ended.returncode}:\n{said}{problem}")
        return said

    def wait(self, condition: str, timeout_s: float = COMMAND_S) -> None:
        """Come back when a shell condition holds in the machine. One that took minutes is remembered.

        Raises: CommandError with what the condition printed last.
        """
        loop = f"until ( {condition} ) >/tmp/waited 2>&1; do sleep 1; done"
        limited = f"timeout {timeout_s:.0f} sh -c {shlex.quote(loop)} || {{ cat /tmp/waited; exit 1; }}"
        began = time.monotonic()
        self.run(limited, timeout_s=timeout_s + 60)
        seconds = time.monotonic() - began
        if seconds > _LONG_S:
            self.long_waits.append(f"{seconds:.0f} s: {condition}\n{self.run(_WHY_LONG)}")

    def write(self, place: str, text: str, mode: int = 0o644) -> None:
        """Write a file, atomically and durably, as a careful administrator would."""
        into = f"mkdir -p $(dirname {place}) && printf %s {shlex.quote(text)} >{place}.new"
        self.run(f"{into} && chmod {mode:o} {place}.new && mv {place}.new {place} && sync")

    def read(self, place: str) -> str:
        """Read a file."""
        return self.run(f"cat {place}")
