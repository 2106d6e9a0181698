"""The pass that the watcher starts: the same as `once`, but for the way it is told what to do."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agent.host import process

_CHANGING = ("seen_at", "since", "monotonic_s", "transaction", "writer")


def _run(module: str, *words: str) -> subprocess.CompletedProcess[str]:
    argv = process.module_argv(module, *words)
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def _watched(root: Path, settings: str = "") -> subprocess.CompletedProcess[str]:
    return _run("agent.passes.watched", str(root), settings, "timer")


def _once(root: Path, settings: str = "") -> subprocess.CompletedProcess[str]:
    given = ("--settings", settings) if settings else ()
    return _run("agent.cli", "--root", str(root), *given, "once")


def _status(root: Path) -> dict[str, Any]:
    status: dict[str, Any] = json.loads((root / "run/edge-provisioner/status.json").read_text())
    return {name: value for name, value in status.items() if name not in _CHANGING}


@pytest.mark.parametrize(
    ("settings", "status"),
    [(None, 3), ('[dps]\nid_scope = "0ne00112233"\n', 3), ("[dps]\nid_scop = 1\n", 2)],
    ids=["no settings", "no TPM", "bad settings"],
)
def test_it_does_what_once_does(tmp_path: Path, settings: str | None, status: int) -> None:
    given = ""
    if settings is not None:
        (tmp_path / "agent.toml").write_text(settings)
        given = str(tmp_path / "agent.toml")
    root = tmp_path / "machine"
    root.mkdir()

    ended = _watched(root, given)
    mine = _status(root)

    assert ended.returncode == _once(root, given).returncode == status
    assert mine == _status(root)
    assert ended.stdout == ""


def test_its_status_is_for_every_user_to_read(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        _watched(tmp_path)
    finally:
        os.umask(before)

    assert oct((tmp_path / "run/edge-provisioner").stat().st_mode & 0o777) == "0o755"


def test_what_keeps_it_from_its_work_is_said_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/edge-provisioner").write_text("in the way")

    ended = _watched(tmp_path)

    assert ended.returncode == _once(tmp_path).returncode != 0
    assert ended.stderr.startswith("agent.state-unwritable: ")
    assert "\n  what to do: " in ended.stderr
