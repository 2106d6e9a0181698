"""systemctl and journalctl as `iotedge` runs them: the machine's own.

On a booted machine they are systemd's; below a scratch root what stands for them is called without a
process of its own, which an interpreter would make slow.
"""

import os
import sys

from .layout import is_booted
from .systemctl import Done, control


class NoProgramError(Exception):
    """systemctl or journalctl is not on the machine."""


def _require(root: str, program: str, otherwise: str) -> str:
    path = os.path.join(root, "usr/bin", program)
    if not os.access(path, os.X_OK):
        raise NoProgramError(otherwise)
    return path


def systemctl(root: str, *argv: str) -> Done:
    """Run systemctl; gives status, out and err.

    Raises: NoProgramError
    """
    program = _require(root, "systemctl", f"Failed to call systemctl {argv[0]}")
    if not is_booted(root):
        return control(root, list(argv))
    import subprocess

    done = subprocess.run([program, *argv], capture_output=True, text=True, check=False)
    return {"status": done.returncode, "out": done.stdout, "err": done.stderr}


def journalctl(root: str, *argv: str) -> None:
    """Run journalctl on our own output.

    Raises: NoProgramError
    """
    program = _require(root, "journalctl", "Failed to spawn new process for printing logs")
    sys.stdout.flush()
    if is_booted(root):
        import subprocess

        subprocess.run([program, *argv], check=False)
    else:
        from . import journalctl as standin_journalctl

        standin_journalctl.main(root, list(argv))
