"""Settings files in, settings and every problem out.

Pure: bytes in, values out. The strongest file that names a setting decides it, setting by setting;
what is wrong is told for all files at once, whether or not a stronger file covers it.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping

from agent.settings.kinds import Refused, toml_value, type_name
from agent.settings.problems import Problem, dotted_name, line_of, unknown
from agent.settings.rows import GROUPS, ROWS, build
from agent.settings.table import Row, Settings
from agent.values import dataclass

DEFAULT = "default"
_POSITION = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Source:
    """A settings file: what it is called to people, and what is in it."""

    path: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the files say together: no settings where there is any problem.

    `origins` has the file's path, or "default", for every setting by its dotted name.
    """

    settings: Settings | None
    problems: tuple[Problem, ...]
    origins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Value:
    dotted: str
    value: object


def resolve(sources: Iterable[Source]) -> Resolved:
    """Make the settings from files, the weakest first."""
    values: dict[str, object] = {}
    origins = dict.fromkeys(ROWS, DEFAULT)
    problems: list[Problem] = []
    for source in sources:
        for outcome in _read(source):
            if isinstance(outcome, Problem):
                problems.append(outcome)
            else:
                values[outcome.dotted] = outcome.value
                origins[outcome.dotted] = source.path
    return Resolved(None if problems else build(values), tuple(problems), origins)


def _read(source: Source) -> Iterator[_Value | Problem]:
    try:
        text = source.text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = source.text.count(b"\n", 0, error.start) + 1
        yield Problem(source.path, line, "", f"not UTF-8: byte 0x{source.text[error.start]:02x}")
        return
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # tables nested without end are a mistake, not a crash
        yield _syntax_problem(source.path, error)
        return
    for path, outcome in _walk(document, ()):
        if isinstance(outcome, _Value):
            yield outcome
        else:
            yield _located(source.path, text, path, outcome)


def _syntax_problem(path: str, error: Exception) -> Problem:
    if found := _POSITION.fullmatch(str(error)):
        text, line, column = found.groups()
        return Problem(path, int(line), "", f"not valid TOML: {text} (column {column})")
    return Problem(path, None, "", f"not valid TOML: {error}")


@dataclass(frozen=True, slots=True)
class _Fault:
    """A problem that has no place yet: the key at `path` has the line, `below` leads on into its value."""

    said: str
    nearest: str | None = None
    below: tuple[str, ...] = ()


def _located(file: str, text: str, path: tuple[str, ...], fault: _Fault) -> Problem:
    return Problem(file, line_of(text, path), dotted_name(path + fault.below), fault.said, fault.nearest)


def _walk(
    table: Mapping[str, object], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], _Value | _Fault]]:
    for key, value in table.items():
        here = (*path, key)
        dotted = dotted_name(here)
        if dotted in ROWS:
            yield here, _parsed(ROWS[dotted], value)
        elif dotted not in GROUPS:
            yield here, _Fault(*unknown(here, "table" if isinstance(value, dict) else "key"))
        elif isinstance(value, dict):
            yield from _walk(value, here)
        else:
            yield here, _Fault(f"expected a table, found {type_name(value)}")


def _parsed(row: Row, given: object) -> _Value | _Fault:
    try:
        value = row.kind.parse(given)
    except Refused as refusal:
        detail = f"; {refusal.detail}" if refusal.detail else ""
        return _Fault(f"expected {row.kind.takes}{detail}", below=refusal.below)
    if row.only is not None and value not in row.only:
        possible = " or ".join(toml_value(able) for able in row.only)
        return _Fault(f"not in this version, which takes only {possible}")
    return _Value(row.name, value)
