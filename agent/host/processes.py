"""The processes of this machine that its own root started: what they run, and no word of anybody else's.

Anybody can call a process as they like. And a process that is not root's is not even asked: its words lie in
its own memory, and who reads them waits for whatever that is mapped from.
"""

import os
from collections.abc import Iterator

_USUAL = 8192  # bytes of a status, and as much as is read of a command line
_LARGEST = 1024 * 1024  # of a status with a long list of groups


def commands_of_root() -> Iterator[tuple[int, list[str]]]:
    """Give id and words of each process that root, or who we are ourselves, started outside of containers."""
    for name in os.listdir("/proc"):
        if name.isdecimal() and is_roots(_read(f"/proc/{name}/status", _LARGEST)):
            command = _read(f"/proc/{name}/cmdline", _USUAL)
            yield int(name), command.decode("utf-8", "replace").split("\0")[:-1]


def is_roots(status: bytes) -> bool:
    """Judge by proc(5)'s status of a process: by its real user, whatever a set-user-ID program made of it.

    A container's processes have an id of their own in there. Root of a container is not root here.
    """
    real_user, _, _ = _field(status, b"Uid").partition(b"\t")
    return real_user in (b"0", b"%d" % os.getuid()) and b"\t" not in _field(status, b"NSpid")


def _field(status: bytes, name: bytes) -> bytes:
    _, _, rest = status.partition(b"\n" + name + b":\t")
    return rest.partition(b"\n")[0]


def _read(path: str, size: int) -> bytes:
    """Read a file of /proc; nothing where the process is gone."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        found = os.read(handle, _USUAL)
        while len(found) >= _USUAL and len(found) < size and (piece := os.read(handle, _USUAL)):
            found += piece
    except OSError:
        return b""
    finally:
        os.close(handle)
    return found
