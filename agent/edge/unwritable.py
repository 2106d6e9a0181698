"""What to do where a file of ours can't be written, by the system's error. Pure."""

import errno
import posixpath

_FULL = (errno.ENOSPC, errno.EDQUOT)
_REFUSED = (errno.EACCES, errno.EPERM)


def mend(number: int | None, path: str) -> str:
    """Give sentences that mend one error of the system at a file, with commands to be typed as they are."""
    folder = posixpath.dirname(path)
    if number in _FULL:
        return (
            f"See what is full with `df -h {folder}` and `df -i {folder}`, and make room there; "
            "`apt-get clean` and `journalctl --vacuum-size=50M` often help."
        )
    if number == errno.EROFS:
        return (
            f"See which file system it is with `findmnt -T {folder}`, and whether it has errors with "
            "`journalctl -k -p err`. Make it writable with "
            f'`mount -o remount,rw "$(findmnt -n -o TARGET -T {folder})"`. If the image is read-only on '
            f"purpose, keep {folder} on a file system that is not."
        )
    if number == errno.EBUSY:
        return f"Something is mounted there: see what with `findmnt {path}`, then run `umount {path}`."
    if number in _REFUSED:
        return (
            f"An attribute keeps even root out: see it with `lsattr -d {folder} {path}`, and take an `i` or "
            f"`a` off with `chattr -i -a {folder} {path}`. If there is none, a security module may have "
            "refused it: `journalctl -k -g denied`."
        )
    return f"Look at the way there with `namei -l {path}`, and for a failing disk at `journalctl -k -p err`."
