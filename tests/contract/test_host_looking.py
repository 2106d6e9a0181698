"""Reading and looking: what is no file is refused at once, and links are not followed."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest

from agent.host import files
from agent.host.files import Attributes

_PRIVATE = Attributes(0o600)


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    assert files.read(str(tmp_path / "nothing")) is None
    assert files.look(str(tmp_path / "nothing")).kind == "missing"
    assert files.names(str(tmp_path / "nothing")) == ()


@contextmanager
def no_room() -> Iterator[None]:
    """Have the C library's stat fail, as it does on 32 bits for a file that was written after 2038."""
    overflow = OSError(errno.EOVERFLOW, os.strerror(errno.EOVERFLOW))
    with (
        mock.patch.object(os, "lstat", side_effect=overflow),
        mock.patch.object(os, "fstat", side_effect=overflow),
    ):
        yield


@pytest.mark.parametrize("kind", ["file", "symlink", "directory"])
def test_what_stat_has_no_room_for_is_seen_all_the_same(kind: str, tmp_path: Path) -> None:
    path = tmp_path / kind
    match kind:
        case "file":
            path.write_bytes(b"there")
            path.chmod(0o640)
        case "symlink":
            path.symlink_to("elsewhere")
        case _:
            path.mkdir()
    if os.geteuid() == 0:
        os.chown(path, 998, 995, follow_symlinks=False)
    os.utime(path, ns=(1, 1_700_000_000_250_000_000), follow_symlinks=False)
    seen = files.look(str(path))

    with no_room():
        again, nothing = files.look(str(path)), files.look(str(tmp_path / "nothing"))

    assert seen.kind == kind
    assert again == seen
    assert nothing.kind == "missing"


def test_what_stat_has_no_room_for_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"there")

    with no_room():
        assert files.read(str(tmp_path / "file")) == b"there"
        with pytest.raises(OSError, match="not a regular file"):
            files.read(str(tmp_path))


@pytest.mark.parametrize("kind", ["directory", "fifo", "device"])
def test_what_is_no_file_is_refused_without_waiting_or_leaking(kind: str, tmp_path: Path) -> None:
    path = str(tmp_path / kind)
    match kind:
        case "directory":
            os.mkdir(path)
        case "fifo":
            os.mkfifo(path)
        case _:
            path = "/dev/null"
    descriptors = set(os.listdir("/proc/self/fd"))

    with pytest.raises(OSError, match="not a regular file") as refusal:
        files.read(path)

    assert refusal.value.errno == errno.EINVAL
    assert set(os.listdir("/proc/self/fd")) == descriptors


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")

    assert files.read(str(path), limit=5) == b"12345"
    with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
        files.read(str(path), limit=4)


def test_looking_does_not_follow_links(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "file").write_bytes(b"")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "socket"))

    kinds = {name: files.look(str(tmp_path / name)).kind for name in files.names(str(tmp_path))}

    assert kinds == {"fifo": "other", "file": "file", "link": "symlink", "socket": "other"}
    assert files.look(str(tmp_path)).kind == "directory"
    assert files.look("/dev/null").kind == "device"


def test_a_successor_of_the_same_name_is_told_from_its_predecessor(tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    files.write(path, b"old", _PRIVATE)
    before = files.look(path)
    files.write(path, b"new", _PRIVATE)

    assert files.look(path).inode != before.inode
