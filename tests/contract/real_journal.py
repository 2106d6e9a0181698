"""A real journald without systemd as process 1, on file systems of its own; nobody else sees it.

It runs in a mount namespace of its own; `run` runs Python there. Where mounts are not permitted, the tests
that want it are skipped and say so.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import pytest

_JOURNALD = "/lib/systemd/systemd-journald"
_CHECKOUT = str(Path(__file__).parents[2])
_SCRIPT = f"""
set -e
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
mkdir -p /run/systemd/journal /run/log/journal
{_JOURNALD} &
journald=$!
until [ -S /run/systemd/journal/socket ] && journalctl --sync 2>/dev/null; do
    kill -0 $journald
    sleep 0.05
done
echo ready
while read -r program; do
    {sys.executable} "$program" && echo done || echo failed
done
kill $journald
"""


class RealJournal:
    """A journald of our own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shell: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        if os.geteuid() != 0 or not os.access(_JOURNALD, os.X_OK) or not shutil.which("journalctl"):
            pytest.skip("a real journald needs root, systemd-journald and journalctl")
        permitted = subprocess.run(
            ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/run"], capture_output=True, check=False
        )
        if permitted.returncode:
            pytest.skip(f"a real journald needs mounts: {permitted.stderr.decode().strip()}")
        self._shell = subprocess.Popen(
            ["unshare", "-m", "--propagation", "private", "/bin/sh", "-c", _SCRIPT],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": _CHECKOUT},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        if self._shell is not None:
            self._shell.communicate(timeout=20)

    def _line(self) -> str:
        assert self._shell
        assert self._shell.stdout
        return self._shell.stdout.readline().strip()

    def run(self, program: str) -> None:
        """Run a Python program where the journal is the machine's own."""
        place = self._folder / "program.py"
        place.write_text(program)
        assert self._shell
        assert self._shell.stdin
        self._shell.stdin.write(f"{place}\n")
        self._shell.stdin.flush()
        assert self._line() == "done"

    def entries(self, *words: str) -> list[dict[str, Any]]:
        """Give the entries that journalctl finds."""
        answer = self._folder / "entries.json"
        self.run(
            "import subprocess\n"
            "subprocess.run(['journalctl', '--sync'], check=True)\n"
            f"argv = ['journalctl', '-q', '--all', '-o', 'json', *{words!r}]\n"
            f"with open({str(answer)!r}, 'wb') as target:\n"
            "    subprocess.run(argv, stdout=target, check=True)\n"
        )
        return [json.loads(line) for line in answer.read_text().splitlines()]
