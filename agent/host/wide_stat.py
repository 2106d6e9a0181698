"""What the kernel knows of a file, whatever the C library has room for.

On 32-bit Debian 12 its time ends in January 2038: `os.stat` fails with EOVERFLOW on a file that says it is
newer, as one does that was written while the clock was wrong. There statx(2) is asked, the same everywhere.
"""

import errno
import os
import struct

from agent.values import dataclass

_AT_FDCWD = -100
_AT_SYMLINK_NOFOLLOW = 0x100
_AT_EMPTY_PATH = 0x1000
_BASIC_STATS = 0x7FF
_SIZE = 256  # of struct statx, of which are taken: owner, group, mode, inode, and ctime and mtime as s and ns
_FIELDS = struct.Struct("=20x II H 2x Q 56x qI4x qI4x")


@dataclass(frozen=True, slots=True)
class FileStatus:
    """Type and mode bits, owner, group, inode, last change of the inode and of the content (wall clock)."""

    mode: int
    uid: int
    gid: int
    inode: int
    changed_s: float
    modified_s: float


def of_name(path: str) -> FileStatus:
    """Give the status of what lies at a path; a link is not followed.

    Raises:
        OSError: nothing is there, or the way to it is closed.

    """
    try:
        return _narrow(os.lstat(path))
    except OSError as error:
        if error.errno != errno.EOVERFLOW:
            raise
    return _statx(_AT_FDCWD, path, _AT_SYMLINK_NOFOLLOW)


def of_open_file(handle: int) -> FileStatus:
    """Give the status of an open file.

    Raises:
        OSError: the descriptor is not open.

    """
    try:
        return _narrow(os.fstat(handle))
    except OSError as error:
        if error.errno != errno.EOVERFLOW:
            raise
    return _statx(handle, "", _AT_EMPTY_PATH)


def _narrow(found: os.stat_result) -> FileStatus:
    return FileStatus(found.st_mode, found.st_uid, found.st_gid, found.st_ino, found.st_ctime, found.st_mtime)


def _statx(folder: int, path: str, flags: int) -> FileStatus:
    import ctypes

    answer = ctypes.create_string_buffer(_SIZE)
    library = ctypes.CDLL(None, use_errno=True)
    if library.statx(folder, os.fsencode(path), flags, _BASIC_STATS, answer):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    uid, gid, mode, inode, changed_s, changed_ns, modified_s, modified_ns = _FIELDS.unpack_from(answer.raw)
    return FileStatus(mode, uid, gid, inode, changed_s + changed_ns / 1e9, modified_s + modified_ns / 1e9)
