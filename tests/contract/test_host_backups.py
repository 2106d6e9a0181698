"""Backups beside a file: private, bounded, and one for one text."""

import os
import stat
from pathlib import Path

from agent.host import files


def test_a_backup_is_private_and_beside_its_file(tmp_path: Path) -> None:
    place = files.keep_backup(str(tmp_path / "config.toml"), b"old", stamp="17", keep=5)

    assert place == str(tmp_path / "config.toml.edge-provisioner-17")
    assert stat.S_IMODE(os.stat(place).st_mode) == 0o600


def test_backups_are_bounded_and_the_oldest_go_first(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    others = ("config.toml", "config.toml.bak", "other.toml.edge-provisioner-01")
    for name in others:
        (tmp_path / name).write_bytes(b"")

    for number in range(10, 20):
        files.keep_backup(str(path), f"text {number}".encode(), stamp=str(number), keep=3)

    kept = [name for name in files.names(str(tmp_path)) if name not in others]
    assert kept == [f"config.toml.edge-provisioner-{number}" for number in (17, 18, 19)]
    assert set(others) <= set(files.names(str(tmp_path)))


def test_the_same_text_is_kept_once(tmp_path: Path) -> None:
    """A pass that was killed after its backup makes it again."""
    path = str(tmp_path / "config.toml")

    first = files.keep_backup(path, b"old", stamp="17", keep=3)
    again = files.keep_backup(path, b"old", stamp="18", keep=3)

    assert again == first
    assert files.names(str(tmp_path)) == ("config.toml.edge-provisioner-17",)


def test_a_clock_that_was_set_back_does_not_cost_the_new_backup(tmp_path: Path) -> None:
    path = str(tmp_path / "config.toml")
    for number in (97, 98, 99):
        files.keep_backup(path, str(number).encode(), stamp=str(number), keep=3)

    files.keep_backup(path, b"new", stamp="11", keep=3)

    kept = [name.rpartition("-")[2] for name in files.names(str(tmp_path))]
    assert kept == ["11", "98", "99"]
