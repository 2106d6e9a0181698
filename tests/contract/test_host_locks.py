"""Locks between processes: who holds one, and what becomes of it."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.host import locks

_CHECKOUT = str(Path(__file__).parents[2])
_LOCK_AND_WAIT = """
import sys
from agent.host import locks

with locks.locked(sys.argv[1], note=b"other") as held:
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

    with locks.locked(path, note=b"first") as first, locks.locked(path, note=b"second") as second:
        assert (first, second) == (True, False)
        assert locks.lock_note(path) == b"first"

    assert locks.lock_note(path) is None
    with locks.locked(path, note=b"x") as again:
        assert again
        assert locks.lock_note(path) == b"x", "nothing is left of a longer note"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to ask as another user")
def test_an_ordinary_user_sees_who_holds_a_lock_and_can_hold_none(tmp_path: Path) -> None:
    """As flock(1) does it: a file that can be opened for reading can be locked."""
    tmp_path.chmod(0o755)

    def as_nobody(*argv: str) -> subprocess.CompletedProcess[bytes]:
        user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        return subprocess.run([*user, *argv], cwd=tmp_path, capture_output=True, check=False)

    with locks.locked(str(tmp_path / "lock"), note=b"first"):
        assert as_nobody("cat", "lock.holder").stdout.endswith(b"\nfirst")
    refused = as_nobody("flock", "--nonblock", "lock", "echo", "locked")
    assert (refused.stdout, b"Permission denied" in refused.stderr) == (b"", True)


@pytest.mark.parametrize("left", [b"", b"1", b"x y\nfirst", b"1 1\nfirst", b"4194304 1\nfirst"])
def test_a_note_that_is_of_no_living_process_is_nobody_s(left: bytes, tmp_path: Path) -> None:
    (tmp_path / "lock.holder").write_bytes(left)

    assert locks.lock_note(str(tmp_path / "lock")) is None


def test_a_lock_that_ends_in_an_error_is_let_go(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")

    with pytest.raises(KeyError), locks.locked(path, note=b"x"):
        raise KeyError

    assert locks.lock_note(path) is None
    assert os.listdir(tmp_path) == ["lock"]


def test_a_lock_goes_with_its_process(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    argv = [sys.executable, "-c", _LOCK_AND_WAIT, path]
    with subprocess.Popen(
        argv, env={"PYTHONPATH": _CHECKOUT}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"True\n"
        assert locks.lock_note(path) == b"other"
        other.kill()

    assert locks.lock_note(path) is None
    with locks.locked(path, note=b"alive") as held:
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

    with locks.locked(str(path), note=b"x") as held:
        assert not held


def test_a_lock_is_no_way_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to("elsewhere")

    with (
        pytest.raises(OSError, match=os.strerror(errno.ELOOP)),
        locks.locked(str(tmp_path / "lock"), note=b"x"),
    ):
        pytest.fail("it was taken")

    assert not (tmp_path / "elsewhere").exists()


def test_a_record_lock_names_its_process_and_is_not_touched(tmp_path: Path) -> None:
    """As dpkg takes it on its own lock."""
    path = str(tmp_path / "lock-frontend")
    assert locks.record_lock_holder(path) is None
    argv = [sys.executable, "-c", _LOCK_RECORD_AND_WAIT, path]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as installer:
        assert installer.stdout
        installer.stdout.readline()
        assert locks.record_lock_holder(path) == installer.pid
        assert locks.record_lock_holder(path) == installer.pid
        installer.kill()

    assert locks.record_lock_holder(path) is None


def test_what_is_no_file_has_no_record_lock(tmp_path: Path) -> None:
    """Nobody ever opens the other end of the pipe."""
    os.mkfifo(tmp_path / "pipe")

    assert locks.record_lock_holder(str(tmp_path / "pipe")) is None
    assert locks.record_lock_holder(str(tmp_path)) is None


def test_nobody_holds_a_lock_that_is_not_there(tmp_path: Path) -> None:
    assert locks.lock_note(str(tmp_path / "lock")) is None


def test_the_lock_does_not_pass_to_children(tmp_path: Path) -> None:
    """A daemon that outlives the pass must not keep the device locked."""
    path = str(tmp_path / "lock")
    with locks.locked(path, note=b"x"):
        child = subprocess.Popen(["sleep", "60"])
    try:
        assert locks.lock_note(path) is None
    finally:
        child.kill()
        child.wait()
