"""Locks between processes: who holds one, and what becomes of it."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.host import files

_CHECKOUT = str(Path(__file__).parents[2])
_LOCK_AND_WAIT = """
import sys
from agent.host import files

with files.locked(sys.argv[1], note=b"other") as held:
    print(held, flush=True)
    sys.stdin.read()
"""
_LOCK_RECORD_AND_WAIT = """
import fcntl, sys
lock = open(sys.argv[1], "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_is_held_by_one_and_names_its_holder(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")

    with files.locked(path, note=b"first") as first, files.locked(path, note=b"second") as second:
        assert (first, second) == (True, False)
        assert files.lock_note(path) == b"first"

    assert files.lock_note(path) is None
    with files.locked(path, note=b"x") as again:
        assert again
        assert files.lock_note(path) == b"x", "nothing is left of a longer note"


def test_a_lock_goes_with_its_process(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    argv = [sys.executable, "-c", _LOCK_AND_WAIT, path]
    with subprocess.Popen(
        argv, env={"PYTHONPATH": _CHECKOUT}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"True\n"
        assert files.lock_note(path) == b"other"
        other.kill()

    assert files.lock_note(path) is None
    with files.locked(path, note=b"alive") as held:
        assert held


def test_a_lock_whose_file_was_replaced_meanwhile_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    path.write_bytes(b"")
    lock = fcntl.flock

    def replace_then_lock(handle: int, operation: int) -> None:
        path.unlink()
        path.write_bytes(b"")
        lock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", replace_then_lock)

    with files.locked(str(path), note=b"x") as held:
        assert not held


def test_a_lock_is_no_way_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to("elsewhere")

    with (
        pytest.raises(OSError, match=os.strerror(errno.ELOOP)),
        files.locked(str(tmp_path / "lock"), note=b"x"),
    ):
        pytest.fail("it was taken")

    assert not (tmp_path / "elsewhere").exists()


def test_a_record_lock_names_its_process_and_is_not_touched(tmp_path: Path) -> None:
    """As dpkg takes it on its own lock."""
    path = str(tmp_path / "lock-frontend")
    assert files.record_lock_holder(path) is None
    argv = [sys.executable, "-c", _LOCK_RECORD_AND_WAIT, path]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as installer:
        assert installer.stdout
        installer.stdout.readline()
        assert files.record_lock_holder(path) == installer.pid
        assert files.record_lock_holder(path) == installer.pid
        installer.kill()

    assert files.record_lock_holder(path) is None


def test_what_is_no_file_has_no_record_lock(tmp_path: Path) -> None:
    """Nobody ever opens the other end of the pipe."""
    os.mkfifo(tmp_path / "pipe")

    assert files.record_lock_holder(str(tmp_path / "pipe")) is None
    assert files.record_lock_holder(str(tmp_path)) is None


def test_nobody_holds_a_lock_that_is_not_there(tmp_path: Path) -> None:
    assert files.lock_note(str(tmp_path / "lock")) is None


def test_the_lock_does_not_pass_to_children(tmp_path: Path) -> None:
    """A daemon that outlives the pass must not keep the device locked."""
    path = str(tmp_path / "lock")
    with files.locked(path, note=b"x"):
        child = subprocess.Popen(["sleep", "60"])
    try:
        assert files.lock_note(path) is None
    finally:
        child.kill()
        child.wait()
