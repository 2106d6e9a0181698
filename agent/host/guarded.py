"""Whether somebody else than root could change what root goes by: a file, or a folder on the way to it.

For a secret also, whether somebody else could read it.
"""

import os
import stat
from collections.abc import Iterator

from agent.codes import AgentError
from agent.codes.agent import UNGUARDED
from agent.host import files
from agent.host.root import Root

_LINKS = 40  # as many as the kernel follows, path_resolution(7)


class UnguardedError(Exception):
    """Others could change or read what lies at `place`; `how` says by what."""

    def __init__(self, place: str, how: str) -> None:
        """Keep both."""
        super().__init__(f"{place} {how}")
        self.place = place
        self.how = how


def program(root: Root, absolute: str) -> str | None:
    """Give the place of a program that is run as root; None where there is none.

    Raises:
        AgentError: agent.unguarded.
    """
    place = root.program(absolute)
    if place is not None:
        require(root, place)
    return place


def require(root: Root, path: str) -> None:
    """Make sure that nobody else than root could change a file that root goes by.

    Raises:
        AgentError: agent.unguarded.
    """
    if weak := weak_place(path, root.directory):
        raise AgentError(UNGUARDED(what=root.shown(path), place=root.shown(weak[0]), how=weak[1]))


def require_secret(root: Root, path: str) -> None:
    """Make sure that nobody else than root could change or read a secret.

    Raises:
        UnguardedError: somebody could.
    """
    weak = weak_place(path, root.directory)
    if weak is None and os.geteuid() == 0:
        weak = _open_place(path, root.directory)
    if weak:
        raise UnguardedError(*weak)


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


def _open_place(path: str, below: str) -> tuple[str, str] | None:
    """Give the file behind a path if others may read it, and why; a folder closed to them closes it."""
    closed = False
    for place, seen in _way(path, _LINKS):
        if seen.kind == "file" and not closed and (how := _may(seen, "read", stat.S_IROTH, stat.S_IRGRP)):
            return place, how
        if seen.kind == "directory" and not _holds(place, below):
            closed |= not _may(seen, "searched", stat.S_IXOTH, stat.S_IXGRP)
        closed &= seen.kind != "symlink"  # the way begins anew
    return None


def _may(seen: files.Sight, done: str, everybody: int, group: int) -> str:
    if seen.mode & everybody:
        return f"can be {done} by everybody"
    return f"can be {done} by group {seen.gid}" if seen.mode & group and seen.gid != 0 else ""


def _holds(place: str, below: str) -> bool:
    return f"{below.rstrip('/')}/".startswith(f"{place}/")


def _weakness(seen: files.Sight) -> str:
    if seen.kind in ("missing", "device"):
        return ""
    if seen.uid != 0:
        return f"belongs to user {seen.uid}"
    sticky = seen.kind == "directory" and seen.mode & stat.S_ISVTX
    if seen.kind == "symlink" or sticky:
        return ""
    return _may(seen, "written", stat.S_IWOTH, stat.S_IWGRP)
