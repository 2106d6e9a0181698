"""The settings files of this machine: which there are, in their order, and what they say together.

Reads and never writes. A file that can't be read is a problem like any other, told with the rest.
"""

import os
from collections.abc import Iterator

from agent.codes import Finding
from agent.codes import settings as codes
from agent.host import failures, files, guarded
from agent.host.root import Root
from agent.settings import DEFAULT, Problem, Resolved, Settings, Source, resolve
from agent.values import dataclass

_FILE = "/etc/edge-provisioner/agent.toml"
_VENDOR = "/usr/lib/edge-provisioner/agent.toml.d"
_STRONGER = ("/etc/edge-provisioner/agent.toml.d", "/run/edge-provisioner/agent.toml.d")  # the later replaces
_LARGEST = 256 * 1024
_NOTHING = "/dev/null"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, or what is wrong with them. `read` are the files that counted, the weakest first.

    `settings` is None exactly where there is a `finding`.
    """

    resolved: Resolved
    read: tuple[str, ...]
    finding: Finding | None = None

    @property
    def settings(self) -> Settings | None:
        """The settings in force; None where there is any problem."""
        return self.resolved.settings

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong, over all files."""
        return self.resolved.problems

    @property
    def named(self) -> frozenset[str]:
        """The settings that a file names, by their dotted names."""
        return frozenset(name for name, origin in self.resolved.origins.items() if origin != DEFAULT)


def places(loaded: Loaded) -> tuple[str, ...]:
    """Name the files and folders that the settings come from, or may come from."""
    return (*(f"{folder}/" for folder in (_VENDOR, *_STRONGER)), _FILE, *loaded.read)


@dataclass(frozen=True, slots=True)
class _Refused:
    """A file or folder that does not count, in a few words, and as the finding that it is alone."""

    path: str
    said: str
    finding: Finding


_Read = Source | _Refused


def load(root: Root, settings_file: str | None = None) -> Loaded:
    """Read the machine's settings files, or `settings_file` alone, which stands outside of `root`."""
    if settings_file is None:
        return _loaded(list(_of_machine(root)))
    alone = _read(Root(), os.path.abspath(settings_file), settings_file)
    if alone is None:
        finding = codes.FILE_MISSING(path=settings_file)
        problem = Problem(settings_file, None, "", "no such file")
        return Loaded(Resolved(None, (problem,), resolve(()).origins), (), finding)
    return _loaded([alone])


def _loaded(outcomes: list[_Read]) -> Loaded:
    sources = [outcome for outcome in outcomes if isinstance(outcome, Source)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, _Refused)]
    read = tuple(source.path for source in sources)
    resolved = resolve(sources)
    if not refused:
        return Loaded(resolved, read, _invalid(resolved.problems) if resolved.problems else None)
    problems = (*(Problem(one.path, None, "", one.said) for one in refused), *resolved.problems)
    finding = refused[0].finding if len(problems) == 1 else _invalid(problems)
    return Loaded(Resolved(None, problems, resolved.origins), read, finding)


def _invalid(problems: tuple[Problem, ...]) -> Finding:
    return codes.INVALID(count=len(problems), problems=tuple(f"  {problem}" for problem in problems))


def _of_machine(root: Root) -> Iterator[_Read]:
    """Read everything there is, the weakest first."""
    vendor, refused_vendor = _drop_ins(root, _VENDOR)
    stronger: dict[str, str] = {}
    refused = refused_vendor
    for folder in _STRONGER:
        names, refused_here = _drop_ins(root, folder)
        stronger |= names
        refused += refused_here
    weakest = [vendor[name] for name in sorted(vendor.keys() - stronger.keys())]
    strongest = [stronger[name] for name in sorted(stronger)]
    yield from refused
    for path in (*weakest, _FILE, *strongest):
        if (outcome := _read(root, root.path(path), path)) is not None:
            yield outcome


def _drop_ins(root: Root, folder: str) -> tuple[dict[str, str], list[_Refused]]:
    """Give the paths of a folder's drop-ins by their names; a folder that is not there has none."""
    try:
        names = os.listdir(root.path(folder))
    except FileNotFoundError:
        return {}, []
    except OSError as error:
        return {}, [_unreadable(folder, failures.reason(error))]
    wanted = [name for name in names if name.endswith(".toml") and not name.startswith(".")]
    return {name: f"{folder}/{name}" for name in wanted}, []


def _read(root: Root, place: str, path: str) -> _Read | None:
    """Read the file at `place`, which people know as `path`; None where there is none."""
    weak = guarded.weak_place(place, root.directory) if files.look(place).kind != "missing" else None
    if weak is not None:
        return _unguarded(path, root.shown(weak[0]), weak[1])
    if os.path.realpath(place) == _NOTHING:
        return Source(path, b"")
    try:
        data = files.read(place, limit=_LARGEST)
    except OSError as error:
        return _unreadable(path, failures.reason(error))
    if data is not None:
        return Source(path, data)
    return _unreadable(path, "a link to nothing") if files.look(place).kind == "symlink" else None


def _unreadable(path: str, reason: str) -> _Refused:
    return _Refused(path, reason, codes.UNREADABLE(path=path, reason=reason))


def _unguarded(path: str, place: str, how: str) -> _Refused:
    return _Refused(path, f"{place} {how}", codes.UNGUARDED(path=path, place=place, how=how))
