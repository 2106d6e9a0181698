"""Whether another user may read a file: by modes; where these say no, by trying, for an ACL may say yes."""

import os
from functools import partial

from agent.host import files, fork
from agent.host.root import Root, User

_TIMEOUT_S = 5.0


def closed_place(root: Root, path: str, user: User) -> str:
    """Name what keeps a user from reading a file: a folder on the way, or the file; empty if nothing does.

    A link that leads out of a root of ours is nobody's matter.
    """
    place = os.path.realpath(root.path(path))
    if not place.startswith(root.directory.rstrip("/") + "/"):
        return ""
    closed = _by_modes(root, place, user)
    return "" if not closed or _opens(root, place, user) else root.shown(closed)


def _by_modes(root: Root, place: str, user: User) -> str:
    names = os.path.relpath(place, root.directory).split("/")
    for number in range(1, len(names) + 1):
        there = os.path.join(root.directory, *names[:number])
        seen = files.look(there)
        needed = os.X_OK if number < len(names) else os.R_OK
        if not user.rights(seen.mode, seen.uid, seen.gid) & needed:
            return there
    return ""


def _opens(root: Root, place: str, user: User) -> bool:
    if os.geteuid() != 0:
        return False
    return fork.run(partial(_open_as, root, place, user), _TIMEOUT_S).succeeded


def _open_as(root: Root, place: str, user: User, _say: fork.Say) -> None:
    """Become the user for good, in the machine's root, to which the way may be closed, and open the file."""
    os.chdir(root.directory)
    os.setgroups(user.groups)
    os.setgid(user.gid)
    os.setuid(user.uid)
    os.open(os.path.relpath(place, root.directory), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
