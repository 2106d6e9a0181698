"""Whether somebody else than root could change what root goes by: a file, or a folder on the way to it."""

import os
import stat
from collections.abc import Iterator

from agent.host import files

_LINKS = 40  # as many as the kernel follows, path_resolution(7)
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def weak_place(path: str, below: str = "/") -> tuple[str, str] | None:
    """Give the first place on the way to a file that others may change, and why; None where there is none.

    `below` and what lies above it is taken as it is. A link is whose it is; the way goes on where it leads.
    In a folder with the sticky bit others can't touch what is not theirs. Who is not root is not asked: they
    go by files of their own.
    """
    if os.geteuid() != 0:
        return None
    way = _way(path, _LINKS)
    found = ((place, _weakness(seen)) for place, seen in way if not _holds(place, below))
    return next((one for one in found if one[1]), None)


def _way(path: str, links: int) -> Iterator[tuple[str, files.Sight]]:
    """Give what lies at every folder from the top to a path, at the path itself, and behind its links."""
    names = path.strip("/").split("/")
    place = ""
    for at, name in enumerate(names, 1):
        folder, place = place, f"{place}/{name}"
        seen = files.look(place)
        yield place, seen
        if links and seen.kind == "symlink":
            behind = os.path.join(folder or "/", _target(place), *names[at:])
            yield from _way(os.path.normpath(behind), links - 1)
            return


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""  # it is gone meanwhile, and with it what was behind


def _holds(place: str, below: str) -> bool:
    return f"{below.rstrip('/')}/".startswith(f"{place}/")


def _weakness(seen: files.Sight) -> str:
    if seen.kind in ("missing", "device"):
        return ""
    if seen.uid != 0:
        return f"belongs to user {seen.uid}"
    sticky = seen.kind == "directory" and seen.mode & stat.S_ISVTX
    if seen.kind == "symlink" or sticky or not seen.mode & _OTHERS_WRITE:
        return ""
    if seen.mode & stat.S_IWOTH:
        return "can be written by everybody"
    return f"can be written by group {seen.gid}" if seen.gid != 0 else ""
