"""Where the machine begins: every built-in path, program and user name is looked up below one directory.

With another directory than `/` nothing of the host is run or touched: a program that does not lie
below it is absent, and users come from its own etc/passwd.
"""

import os
import pwd

from agent.values import dataclass

_FIELDS = 4  # name, password, id, and the group (passwd) or the members (group), passwd(5), group(5)
_LONGEST_SOCKET_PATH = 107  # sun_path holds 108 bytes with the terminating NUL, unix(7)


@dataclass(frozen=True, slots=True)
class User:
    """A user of the machine: numeric ids, and the groups it is a member of."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...] = ()

    def rights(self, mode: int, uid: int, gid: int) -> int:
        """Give the rwx bits that a file leaves this user: those of one class only, path_resolution(7)."""
        if self.uid == uid:
            return mode >> 6 & 0o7
        return (mode >> 3 if gid in (self.gid, *self.groups) else mode) & 0o7


@dataclass(frozen=True, slots=True)
class Root:
    """A machine's root directory."""

    directory: str = "/"

    def __post_init__(self) -> None:
        """Make the directory absolute: children run in another one."""
        object.__setattr__(self, "directory", os.path.realpath(self.directory))

    @property
    def is_host(self) -> bool:
        """Whether this is the running machine itself."""
        return self.directory == "/"

    def path(self, absolute: str) -> str:
        """Give the place of a built-in absolute path below this root."""
        return absolute if self.is_host else os.path.join(self.directory, absolute.lstrip("/"))

    def shown(self, path: str) -> str:
        """Give a path as the machine's own users know it: without the root in front."""
        prefix = self.directory.rstrip("/") + "/"
        return path if self.is_host or not path.startswith(prefix) else path[len(prefix) - 1 :]

    def program(self, absolute: str) -> str | None:
        """Give the place of a program, or None where it is not installed or may not be executed."""
        place = self.path(absolute)
        return place if os.access(place, os.X_OK) and not os.path.isdir(place) else None

    def user(self, name: str) -> User | None:
        """Look a user up by name; None where there is no such user."""
        return _user_of_host(name) if self.is_host else self._user_of_files(name)

    def _user_of_files(self, name: str) -> User | None:
        for entry in self._entries("/etc/passwd"):
            if entry[0] == name and len(entry) >= _FIELDS:
                groups = (row for row in self._entries("/etc/group") if len(row) >= _FIELDS)
                member_of = tuple(int(row[2]) for row in groups if name in row[3].split(","))
                return User(name, int(entry[2]), int(entry[3]), member_of)
        return None

    def _entries(self, absolute: str) -> list[list[str]]:
        try:
            with open(self.path(absolute), encoding="utf-8", errors="replace") as lines:
                return [line.rstrip("\n").split(":") for line in lines]
        except OSError:
            return []


def _user_of_host(name: str) -> User | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return User(name, entry.pw_uid, entry.pw_gid, tuple(os.getgrouplist(name, entry.pw_gid)))


def short_socket_path(path: str) -> tuple[str, int | None]:
    """Give a path that fits a socket address, and the directory descriptor it needs open meanwhile.

    The caller closes the descriptor. A path beyond 107 bytes is reached through /proc/self/fd.
    """
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path, None
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    return f"/proc/self/fd/{folder}/{os.path.basename(path)}", folder
