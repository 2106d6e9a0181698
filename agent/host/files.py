"""The only writer of files: atomic, synced, mode and owner set before the name appears, only if different."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from agent.host import wide_stat
from agent.values import dataclass

_TEMPORARY_PREFIX = ".edge-provisioner-"


@dataclass(frozen=True, slots=True)
class Attributes:
    """How a file is to be: mode bits, and owner and group where they are to be set."""

    mode: int
    uid: int | None = None
    gid: int | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """What lies at a path, by lstat: its kind, and what tells it from a successor of the same name."""

    kind: str  # file | directory | symlink | device | other | missing
    inode: int = 0
    changed_s: float = 0.0
    modified_s: float = 0.0
    mode: int = 0
    uid: int = -1
    gid: int = -1


def look(path: str) -> Sight:
    """Say what lies at a path without following a link; what can't be looked at is missing."""
    try:
        found = wide_stat.of_name(path)
    except OSError:
        return Sight("missing")
    return Sight(
        _kind(found.mode),
        found.inode,
        found.changed_s,
        found.modified_s,
        stat.S_IMODE(found.mode),
        found.uid,
        found.gid,
    )


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "directory"
    if stat.S_ISLNK(mode):
        return "symlink"
    return "device" if stat.S_ISCHR(mode) else "other"


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Have an error name the file that it is about: calls on what is open name none, others our temporary."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = path, None
        raise


def read(path: str, *, limit: int = 4 * 1024 * 1024) -> bytes | None:
    """Give a regular file's bytes, None where there is no such file.

    Raises:
        OSError: it is there and can't be read, is no regular file (EINVAL), or is over `limit` (EFBIG).

    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(wide_stat.of_open_file(handle).mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a regular file", path)
    with naming(path), os.fdopen(handle, "rb") as source:
        data = source.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
    return data


def write(path: str, data: bytes, attributes: Attributes) -> bool:
    """Make a file hold `data` with these attributes; False if it already did and nothing was touched.

    The new content is synced under a temporary name in the same directory and renamed over the old,
    then the directory is synced: after a power cut either the old or the new file is there, whole.

    Raises:
        OSError: nothing was changed; its filename is `path`.

    """
    if _already(path, data, attributes):
        return False
    with naming(path):
        _replace(path, data, attributes)
    return True


def _replace(path: str, data: bytes, attributes: Attributes) -> None:
    folder = os.path.dirname(path)
    temporary = os.path.join(folder, _TEMPORARY_PREFIX + os.urandom(8).hex())
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as target:
            target.write(data)
            target.flush()
            _set_attributes(handle, attributes)
            os.fsync(handle)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    sync_directory(folder)


def _already(path: str, data: bytes, attributes: Attributes) -> bool:
    now = look(path)
    if now.kind != "file" or now.mode != attributes.mode:
        return False
    if attributes.uid not in (None, now.uid) or attributes.gid not in (None, now.gid):
        return False
    return _holds(path, data)


def _holds(path: str, data: bytes) -> bool:
    try:
        return read(path, limit=max(len(data), 1)) == data
    except OSError:
        return False


def _set_attributes(handle: int, attributes: Attributes) -> None:
    uid = -1 if attributes.uid is None else attributes.uid
    gid = -1 if attributes.gid is None else attributes.gid
    if (uid, gid) != (-1, -1):
        os.fchown(handle, uid, gid)
    os.fchmod(handle, attributes.mode)  # after chown, which clears the set-id bits


def sync_directory(folder: str) -> None:
    """Make names in a directory outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with naming(folder):
            os.fsync(handle)
    finally:
        os.close(handle)


def make_directory(path: str, mode: int = 0o755) -> None:
    """Make a directory, and its parents, where it is missing."""
    os.makedirs(path, mode=mode, exist_ok=True)


def remove(path: str) -> bool:
    """Remove a file; False if it was not there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    sync_directory(os.path.dirname(path))
    return True


def rename(path: str, new: str) -> None:
    """Give a file another name in the same directory, durably."""
    os.replace(path, new)
    sync_directory(os.path.dirname(path))


def names(folder: str) -> tuple[str, ...]:
    """Give the sorted names in a directory; none where it can't be read."""
    try:
        return tuple(sorted(os.listdir(folder)))
    except OSError:
        return ()


def is_mount_point(path: str) -> bool:
    """Say whether something is mounted on a path, be it a single file; also from the same file system."""
    own, around = _mount_of(path), _mount_of(os.path.dirname(path))
    return own != around and "" not in (own, around)


def _mount_of(path: str) -> str:
    """Give the number of the mount that a path lies in (proc(5), fdinfo); empty where it is not known."""
    try:
        handle = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        with open(f"/proc/self/fdinfo/{handle}", encoding="ascii") as told:
            return next((line.split()[1] for line in told if line.startswith("mnt_id:")), "")
    except OSError:
        return ""
    finally:
        os.close(handle)


def refusal(path: str) -> int:
    """Give the errno with which `write` would fail, as far as that shows without trying; 0 for none.

    To root a folder or file is closed by a file system that is mounted read-only, or by chattr(1).
    """
    folder = os.path.dirname(path)
    try:
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            return errno.EROFS
    except OSError:
        return 0  # there is no such folder
    is_root = os.geteuid() == 0
    is_closed = not os.access(folder, os.W_OK | os.X_OK)
    is_fixed = is_root and os.path.exists(path) and not os.access(path, os.W_OK)
    if is_closed or is_fixed:
        return errno.EPERM if is_root else errno.EACCES
    return 0


def sweep_temporaries(folder: str) -> None:
    """Remove what a killed `write` left behind. Only the holder of the pass's lock may call this."""
    for name in names(folder):
        if name.startswith(_TEMPORARY_PREFIX):
            with suppress(OSError):
                os.unlink(os.path.join(folder, name))


def newest_backup(path: str) -> str:
    """Give the path of the newest backup of a file; empty where there is none."""
    folder, base = os.path.split(path)
    kept = (name for name in names(folder) if name.startswith(f"{base}.edge-provisioner-"))
    newest = max(kept, key=lambda name: look(os.path.join(folder, name)).modified_s, default="")
    return os.path.join(folder, newest) if newest else ""


def keep_backup(path: str, data: bytes, *, stamp: str, keep: int) -> str:
    """Keep `data` beside `path` as `path.edge-provisioner-STAMP`, 0600, and of older ones the newest.

    Not more than `keep` stay. One that holds the same already is enough: a pass that was killed after it
    comes here again.
    """
    folder, base = os.path.split(path)
    prefix = f"{base}.edge-provisioner-"
    kept = [os.path.join(folder, name) for name in names(folder) if name.startswith(prefix)]
    for place in kept:
        if _holds(place, data):
            return place
    place = os.path.join(folder, prefix + stamp)
    write(place, data, Attributes(0o600))
    older = [one for one in kept if one != place]  # a clock that was set back must not cost the new one
    for one in older[: max(0, len(older) + 1 - keep)]:
        with suppress(OSError):
            os.unlink(one)
    return place
