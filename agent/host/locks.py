"""Locks between processes: ours, with a note of who holds it, and a look at those of others."""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from agent.host import clock, files

_HOLDER = ".holder"
_FLOCK = "hhqqi"  # struct flock with large files, fcntl(2): type, whence, start, length, process


@contextmanager
def locked(path: str, *, note: bytes) -> Iterator[bool]:
    """Hold an exclusive lock on `path` for the block; yields False if another process holds it.

    The lock goes with the process, so a kill releases it. Only root opens the file: whoever can open one can
    hold a lock on it, flock(2). `note` tells others who holds it, in a file beside it for every user to read.

    Raises:
        OSError: the lock file can't be opened, or the note can't be written; it names which.

    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        if not _lock_this_file(handle, path):
            yield False
            return
        pid = os.getpid()
        holder = b"%d %d\n" % (pid, clock.process_start_ticks(pid) or 0)
        try:
            files.write(path + _HOLDER, holder + note, files.Attributes(0o644))
            yield True
        finally:
            files.remove(path + _HOLDER)
    finally:
        os.close(handle)


def _lock_this_file(handle: int, path: str) -> bool:
    try:
        with files.naming(path):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    ours, named = os.fstat(handle), files.look(path)
    return ours.st_ino == named.inode  # somebody may have replaced the file before we had the lock


def lock_note(path: str) -> bytes | None:
    """Give the note of the process that holds the lock on `path`; None where nobody does.

    The lock is not tried: that would take it for an instant. A note whose process has ended is nobody's.
    """
    try:
        with open(path + _HOLDER, "rb") as source:
            holder, _, note = source.read(4096).partition(b"\n")
        pid, ticks = map(int, holder.split())
    except (OSError, ValueError):
        return None
    return note if clock.process_start_ticks(pid) == ticks else None


def record_lock_holder(path: str) -> int | None:
    """Give the process that holds a POSIX record lock on a file for writing; None where nobody does.

    It is asked with F_GETLK, which takes no lock, so nobody is told that the file is busy because of us.
    """
    wanted = struct.pack(_FLOCK, fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        kind, *_, pid = struct.unpack(_FLOCK, fcntl.fcntl(handle, fcntl.F_GETLK, wanted))
    except OSError:
        return None  # a file system without locks
    finally:
        os.close(handle)
    return None if kind == fcntl.F_UNLCK else int(pid)
