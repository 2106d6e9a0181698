"""Debian trees to install the package in, and the programs that judge it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
# Debian's own tools: another Python may come first in PATH. And a language that every tree has.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root", "TERM": "dumb"}
_DEADLINE_S = 240.0
_ENTER = 'mount -t proc proc "$1/proc" && root=$1 && shift && exec chroot "$root" "$@"'
_POLICY = """\
#!/bin/sh
echo "$@" >>/policy-rc.d.asked
exit 101
"""


def run(*argv: str | Path, status: int = 0, deadline_s: float = _DEADLINE_S) -> str:
    """Run a program and give what it printed, both streams together; its status is asserted."""
    ended = subprocess.run(
        [str(word) for word in argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=ENVIRONMENT,
        timeout=deadline_s,
        check=False,
    )
    assert ended.returncode == status, ended.stdout
    return ended.stdout


def build(folder: Path) -> Path:
    """Build the .deb of this tree into a folder."""
    return Path(run(PROJECT / "packaging" / "build.sh", folder).strip())


@dataclass(frozen=True)
class Machine:
    """A Debian tree without a running system, as an image builder has it: no init, no udevd, no TPM."""

    root: Path

    def argv(self, *argv: str) -> tuple[str, ...]:
        """Give what runs a program in the tree, with /proc, in a mount namespace of its own."""
        return ("unshare", "--mount", "sh", "-c", _ENTER, "sh", str(self.root), *argv)

    def run(self, *argv: str, status: int = 0, deadline_s: float = _DEADLINE_S) -> str:
        """Run a program in the tree and give what it printed; its status is asserted."""
        return run(*self.argv(*argv), status=status, deadline_s=deadline_s)

    def path(self, place: str) -> Path:
        return self.root / place.lstrip("/")

    def write(self, place: str, text: str | bytes, mode: int = 0o644) -> Path:
        path = self.path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    def install(self, package: Path) -> str:
        """Copy a package in and have dpkg install it."""
        self.write(f"/root/{package.name}", package.read_bytes())
        return self.run("dpkg", "-i", f"/root/{package.name}")


@contextmanager
def over(folder: Path, *below: Path) -> Iterator[Machine]:
    """Give a machine whose changes go to `folder`/upper and which has everything else from the trees below.

    Its policy-rc.d forbids to start services, and notes that it was asked.
    """
    for name in ("root", "upper", "work"):
        (folder / name).mkdir()
    layers = f"lowerdir={':'.join(map(str, below))},upperdir={folder}/upper,workdir={folder}/work"
    run("mount", "-t", "overlay", "-o", layers, "overlay", folder / "root")
    try:
        machine = Machine(folder / "root")
        machine.write("/usr/sbin/policy-rc.d", _POLICY, 0o755)
        yield machine
    finally:
        run("umount", folder / "root")
