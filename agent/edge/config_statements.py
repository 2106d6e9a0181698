"""Which lines of a TOML text hold which key or table header. Pure, and no TOML parser of its own.

One property of the grammar carries it: a statement is over at the first place where the text since
its beginning is TOML by itself, for a parser never takes back what it has accepted. So tomllib says
where a key, a value, a multi-line string or an array ends, and what is inside them is never looked at.
"""

import re
import tomllib
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from agent.codes import AgentError, Finding
from agent.codes.config import INVALID_TOML, TWICE
from agent.edge.toml_text import NOT_TOML, Place, is_toml
from agent.values import dataclass

KeyPath = tuple[str, ...]

_LINE = re.compile(r"[^\n]*\n|[^\n]+")  # TOML ends lines with LF or CRLF and nothing else
_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
# How the last line of a value over several lines ends. It spares trials: most lines cannot be the last.
_CLOSING = re.compile(r"""(?:[]}]|"{3}|'{3})[ \t]*(?:#.*)?\r?$""")


class Kind(StrEnum):
    """What a statement is."""

    KEY = "key"
    TABLE = "[table]"
    ARRAY = "[[array of tables]]"


@dataclass(frozen=True, slots=True)
class Statement:
    """One key or header: the table it stands in or opens, its whole path, its lines (from 0)."""

    kind: Kind
    table: KeyPath
    path: KeyPath
    lines: range

    @property
    def is_header(self) -> bool:
        """Whether it opens a table."""
        return self.kind is not Kind.KEY

    @property
    def number(self) -> int:
        """Its first line's number as an editor shows it."""
        return self.lines.start + 1


@dataclass(frozen=True, slots=True)
class Source:
    """A valid TOML text: its lines with their ends, and its statements in order."""

    lines: tuple[str, ...]
    statements: tuple[Statement, ...]

    def text_of(self, statement: Statement) -> str:
        """Give a statement as it is written, with its comment and line end."""
        return "".join(self.lines[statement.lines.start : statement.lines.stop])

    def replaced(self, lines: range, new: Sequence[str]) -> str:
        """Give the text with other lines in the place of these."""
        return "".join((*self.lines[: lines.start], *new, *self.lines[lines.stop :]))


def parse(text: str) -> dict[str, Any]:
    """Read a TOML text.

    Raises:
        AgentError: config.invalid-toml with line and column.

    """
    try:
        return tomllib.loads(text)
    except NOT_TOML as error:
        raise AgentError(_invalid(text, str(error))) from error


def _invalid(text: str, message: str) -> Finding:
    place = _PLACE.search(message)
    if place is None:
        return INVALID_TOML(line="?", column="?", reason=message)
    line, column, reason = place["line"], place["column"], message[: place.start()]
    if line is None:
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    from agent.edge.config_mistakes import mistake  # its patterns cost 1.5 ms, of use only where one is wrong

    where = Place(lines_of(text), int(line), int(column), reason)
    known = _twice(where) or mistake(where)
    return known or INVALID_TOML(line=line, column=column, reason=reason)


def _twice(where: Place) -> Finding | None:
    """Find what was said before: up to the line where the parser stopped the text is TOML."""
    if not where.reason.startswith(("Cannot declare", "Cannot overwrite")):
        return None
    table = scan("".join(where.lines[: where.number - 1]))
    opened = table.statements[-1].table if table.statements else ()
    try:
        again = _statement(where.line + "\n", opened, range(where.number - 1, where.number)).path
    except NOT_TOML:
        return None
    first = _first_of(table.statements, again)
    return TWICE(line=where.number, name=".".join(again), first=first.number) if first else None


def _first_of(statements: Sequence[Statement], again: KeyPath) -> Statement | None:
    """Find what can't stand beside a name: the same one, a value where its table is, or a table below it."""
    same = (one for one in statements if one.path == again)
    above = (one for one in statements if not one.is_header and again[: len(one.path)] == one.path)
    below = (one for one in statements if one.path[: len(again)] == again)
    return next(iter((*same, *above, *below)), None)


def lines_of(text: str) -> tuple[str, ...]:
    """Split a text after each of its line ends."""
    return tuple(_LINE.findall(text))


def is_blank(line: str) -> bool:
    """Tell whether a line is empty or white space."""
    return not line.strip()


def is_comment(line: str) -> bool:
    """Tell whether a line that is not inside a value is nothing but a comment."""
    return line.lstrip().startswith("#")


def scan(text: str) -> Source:
    """Find the statements of a TOML text.

    Raises:
        AgentError: config.invalid-toml.

    """
    parse(text)
    lines = lines_of(text)
    found: list[Statement] = []
    table: KeyPath = ()
    end = 0
    for start, line in enumerate(lines):
        if start < end or is_blank(line) or is_comment(line):
            continue
        end = _end_of_statement(lines, start)
        found.append(_statement("".join(lines[start:end]), table, range(start, end)))
        table = found[-1].table
    return Source(lines, tuple(found))


def value_span(statement: str) -> slice:
    """Find the value in a key's text: after its equals sign, before its comment or line end."""
    start = _key(statement)[1] + 1
    comments = (mark.start() for mark in re.finditer("#", statement))
    end = next((at for at in comments if is_toml(statement[:at])), len(statement))
    value = statement[start:end]
    return slice(end - len(value.lstrip()), start + len(value.rstrip()))


def _end_of_statement(lines: Sequence[str], start: int) -> int:
    for end in range(start + 1, len(lines)):
        may_end = end == start + 1 or _CLOSING.search(lines[end - 1])
        if may_end and is_toml("".join(lines[start:end])):
            return end
    parse("".join(lines[start:]))
    return len(lines)


def _statement(text: str, table: KeyPath, lines: range) -> Statement:
    if not text.lstrip().startswith("["):
        return Statement(Kind.KEY, table, table + _key(text)[0], lines)
    path = _header_path(text)
    kind = Kind.ARRAY if text.lstrip().startswith("[[") else Kind.TABLE
    return Statement(kind, path, path, lines)


def _key(statement: str) -> tuple[KeyPath, int]:
    """Give the names of a key and where its equals sign is: the first before which stands a whole key."""
    sign = statement.index("=")
    while not is_toml(f"[{statement[:sign]}]"):
        sign = statement.index("=", sign + 1)
    return _header_path(f"[{statement[:sign]}]"), sign


def _header_path(header: str) -> KeyPath:
    names: list[str] = []
    tables: Any = tomllib.loads(header)
    while tables:
        name, inner = next(iter(tables.items()))
        names.append(name)
        tables = inner[0] if isinstance(inner, list) else inner
    return tuple(names)
