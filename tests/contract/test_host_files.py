"""The only writer of files, on a real file system: whole or not at all, and nothing touched without need."""

import errno
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.host import files
from agent.host.files import Attributes

_CHECKOUT = str(Path(__file__).parents[2])
_PRIVATE = Attributes(0o600)
_as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away and mount")


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def test_what_is_written_is_there_with_its_mode_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "file"
    umask = os.umask(0o077)
    try:
        assert files.write(str(path), b"new", Attributes(0o644))
    finally:
        os.umask(umask)

    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_an_equal_file_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write(str(path), b"same", _PRIVATE)
    os.utime(path, ns=(1, 1))
    before = path.stat()

    assert not files.write(str(path), b"same", _PRIVATE)

    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_ctime_ns) == (before.st_ino, 1, before.st_ctime_ns)


def test_another_content_is_another_inode(tmp_path: Path) -> None:
    """Who has the old file open goes on reading the old file."""
    path = tmp_path / "file"
    path.write_bytes(b"old")

    with path.open("rb") as reader:
        assert files.write(str(path), b"new", _PRIVATE)
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("data", [b"", b"longer than before", b"olx"])
def test_any_difference_counts(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write(str(path), b"old", _PRIVATE)

    assert files.write(str(path), data, _PRIVATE)
    assert path.read_bytes() == data


def test_another_mode_alone_is_set_right(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write(str(path), b"same", Attributes(0o644))

    assert files.write(str(path), b"same", _PRIVATE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@_as_root
def test_another_owner_alone_is_set_right(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write(str(path), b"same", _PRIVATE)

    assert files.write(str(path), b"same", Attributes(0o600, 998))
    assert files.write(str(path), b"same", Attributes(0o600, 998, 995))
    assert not files.write(str(path), b"same", Attributes(0o600, gid=995))
    assert (path.stat().st_uid, path.stat().st_gid) == (998, 995)


@_as_root
def test_a_name_never_appears_without_its_mode_and_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    rename = os.replace

    def look_then_rename(source: str, target: str) -> None:
        found = os.stat(source)
        seen.append((stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, os.path.exists(target)))
        rename(source, target)

    monkeypatch.setattr(os, "replace", look_then_rename)
    files.write(str(tmp_path / "secret"), b"x", Attributes(0o640, 0, 995))

    assert seen == [(0o640, 0, 995, False)]


def test_a_link_is_replaced_and_what_it_led_to_is_left_alone(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"same")
    link.symlink_to(target)

    assert files.write(str(link), b"same", _PRIVATE)

    assert not link.is_symlink()
    assert target.read_bytes() == b"same"


def test_a_directory_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(IsADirectoryError):
        files.write(str(tmp_path / "folder"), b"x", _PRIVATE)

    assert files.names(str(tmp_path)) == ("folder",)


@pytest.mark.parametrize("refused", ["fsync", "fchmod", "replace"])
def test_a_refused_step_leaves_the_old_file_and_nothing_else(
    refused: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    descriptors = open_descriptors()

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, refused, fail)
    with pytest.raises(OSError, match="no space"):
        files.write(str(path), b"new", _PRIVATE)

    assert path.read_bytes() == b"old"
    assert files.names(str(tmp_path)) == ("file",)
    assert open_descriptors() == descriptors


_WRITE_AND_DIE = """
import os, signal, sys
from agent.host import files

left = int(sys.argv[2])

def die_if_it_is_time():
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1

def deadly(call):
    def around(*arguments, **options):
        die_if_it_is_time()
        answer = call(*arguments, **options)
        die_if_it_is_time()
        return answer
    return around

for name in ("fsync", "fchmod", "fchown", "replace"):
    setattr(os, name, deadly(getattr(os, name)))
files.write(sys.argv[1], b"new" * 9999, files.Attributes(0o600, os.geteuid(), os.getegid()))
"""


@pytest.mark.parametrize("number", range(10))
def test_killed_at_any_system_call_the_file_is_the_old_or_the_new(number: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write(str(path), b"old" * 9999, _PRIVATE)

    argv = [sys.executable, "-c", _WRITE_AND_DIE, str(path), str(number)]
    ended = subprocess.run(argv, env={"PYTHONPATH": _CHECKOUT}, check=False)

    assert ended.returncode == -signal.SIGKILL
    assert path.read_bytes() in (b"old" * 9999, b"new" * 9999)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    files.sweep_temporaries(str(tmp_path))
    assert files.names(str(tmp_path)) == ("file",)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of 64 KiB; it can be mounted again with other options."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"mounts are not permitted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@_as_root
def test_a_full_disk_leaves_the_old_file(small_disk: Path) -> None:
    path = small_disk / "file"
    files.write(str(path), b"old", _PRIVATE)

    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as refusal:
        files.write(str(path), bytes(100_000), _PRIVATE)

    assert refusal.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"old"
    assert files.names(str(small_disk)) == ("file",)


@_as_root
def test_a_read_only_disk_leaves_the_old_file(small_disk: Path) -> None:
    path = small_disk / "file"
    files.write(str(path), b"old", _PRIVATE)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    assert not files.write(str(path), b"old", _PRIVATE)
    with pytest.raises(OSError, match=os.strerror(errno.EROFS)) as refusal:
        files.write(str(path), b"new", _PRIVATE)

    assert refusal.value.errno == errno.EROFS
    assert path.read_bytes() == b"old"


def test_removing_and_renaming(tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    files.make_directory(str(tmp_path / "a" / "b"))
    files.make_directory(str(tmp_path / "a" / "b"))
    files.write(path, b"x", _PRIVATE)

    files.rename(path, f"{path}.damaged")

    assert not files.remove(path)
    assert files.remove(f"{path}.damaged")
    assert files.names(str(tmp_path)) == ("a",)


def test_only_our_own_temporaries_are_swept(tmp_path: Path) -> None:
    for name in (".edge-provisioner-abc", ".hidden", "config.toml.edge-provisioner-1"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / ".edge-provisioner-folder").mkdir()

    files.sweep_temporaries(str(tmp_path))

    left = (".edge-provisioner-folder", ".hidden", "config.toml.edge-provisioner-1")
    assert files.names(str(tmp_path)) == left
