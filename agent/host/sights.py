"""What lies at paths, each told in a word, and a wake-up when something changes in their folders.

The wake-up is dnotify (fcntl(2), F_NOTIFY): it needs no library, and its SIGIO says no more than "somewhere".
What changed is found by comparing words; so what we wrote ourselves, and looked at afterwards, is no change.
"""

import fcntl
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

_CHANGES = fcntl.DN_CREATE | fcntl.DN_DELETE | fcntl.DN_RENAME | fcntl.DN_MODIFY | fcntl.DN_ATTRIB
_ACCEPTS = "00010000"  # flags of a listening socket (SO_ACCEPTCON), proc(5) on /proc/net/unix
_FIELDS = 8  # of a line there that ends in a path


def at(paths: Iterable[str]) -> dict[str, str]:
    """Give a word for what lies at each path: another one after any change, empty where nothing is.

    A folder is named with a slash at its end: its word changes with the names in it. A socket that nobody
    listens to is as good as none: systemd leaves it lying when it closes it.
    """
    found = {path: _look(path) for path in paths}
    sockets = {path for path, seen in found.items() if seen and stat.S_ISSOCK(seen.st_mode)}
    listeners = _listeners() if sockets else {}
    return {path: listeners.get(path, "") if path in sockets else _word(seen) for path, seen in found.items()}


class Change(NamedTuple):
    """A path at which something else lies than before; a word is empty where nothing does."""

    path: str
    before: str
    now: str


def changes(words: Mapping[str, str]) -> tuple[Change, ...]:
    """Compare what lies at the paths with the words that were given for them."""
    now = at(words)
    return tuple(Change(path, word, now[path]) for path, word in words.items() if now[path] != word)


def _look(path: str) -> os.stat_result | None:
    """Look at what lies there, not at what a link leads to; a folder is one."""
    try:
        return os.lstat(path)
    except OSError:
        return None


def _word(seen: os.stat_result | None) -> str:
    return f"{seen.st_ino}-{seen.st_ctime_ns}" if seen else ""


def _listeners() -> Mapping[str, str]:
    """Give the listening unix sockets by their paths, with their inodes."""
    try:
        with open("/proc/net/unix", encoding="utf-8", errors="replace") as table:
            rows = [line.split(maxsplit=_FIELDS - 1) for line in table]
    except OSError:
        return {}
    return {row[7].rstrip("\n"): row[6] for row in rows if len(row) == _FIELDS and row[3] == _ACCEPTS}


class Folders:
    """The folders in which something may change, held open until `close`."""

    def __init__(self) -> None:
        """Hold none yet."""
        self._handles: dict[str, int] = {}

    def close(self) -> None:
        """Let them go: no SIGIO comes any more, which at an interpreter's end has no handler and kills."""
        while self._handles:
            os.close(self._handles.popitem()[1])

    def arm(self, paths: Iterable[str]) -> None:
        """Have SIGIO sent, once, when something changes at these paths; to be called again after each.

        A folder that is not there yet is waited for in the one above it.

        Raises:
            OSError: the kernel can't do it.
        """
        wanted = _folders(paths)
        for folder in [folder for folder in self._handles if folder not in wanted or self._is_other(folder)]:
            os.close(self._handles.pop(folder))
        for folder in wanted:
            with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                fcntl.fcntl(self._handle(folder), fcntl.F_NOTIFY, _CHANGES)

    def _is_other(self, folder: str) -> bool:
        """Say whether the folder of that name is not the one that we hold any more."""
        now = _look(folder)
        return now is None or not os.path.samestat(now, os.fstat(self._handles[folder]))

    def _handle(self, folder: str) -> int:
        if folder not in self._handles:
            self._handles[folder] = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self._handles[folder]


def _folders(paths: Iterable[str]) -> set[str]:
    """Give the folders that hold the paths, or will, and those above: a folder can go and come back too."""
    found = set()
    for folder in {os.path.dirname(path) for path in paths}:
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)  # noqa: PLW2901  # upwards to the first that is there
        found |= {folder, os.path.dirname(folder)}
    return found
