"""One key set or removed in a TOML text by a splice of lines. Pure.

Expects tables of ours to be plain: config_shape refuses others.
Where a new line goes: a key below the keys of its table; a table below the tables it belongs to, else
at the end; a top-level key below the others, else above the first table.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import dropwhile, takewhile
from typing import Union

from agent.edge.config_statements import KeyPath, Source, Statement, is_blank, is_comment, scan, value_span

Value = Union[str, int, bool, Mapping[str, "Value"]]  # noqa: UP007  # a name in quotes takes no bar

# A template's table that a person may uncomment: top-level keys of ours below it would then become its keys.
_COMMENTED_HEADER = re.compile(r"\s*#[#\s]*\[+[^\]]+\]+\s*$")


def line_end(text: str) -> str:
    """Give the line end that most lines of a text have."""
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"


def spelled(value: Value) -> str:
    """Write a value as TOML on one line; a mapping becomes an inline table."""
    if not isinstance(value, Mapping):
        from tomlkit import item  # costs as much as three of our rooms, and most passes write nothing

        return item(value).as_string()
    pairs = (f"{_spelled_key(name)} = {spelled(inner)}" for name, inner in value.items())
    return f"{{ {', '.join(pairs)} }}"


def with_key(text: str, path: KeyPath, value: Value) -> str:
    """Set one key: where it stands, else on a line of its own, in a new table if need be."""
    source = scan(text)
    table, name = path[:-1], path[-1]
    own = [statement for statement in source.statements if statement.path == path]
    if own:
        return with_value(source, own[0], value)
    line = f"{_spelled_key(name)} = {spelled(value)}"
    peers = [statement for statement in source.statements if statement.table == table]
    if peers:
        peer = source.text_of(peers[-1])
        indent = peer[: len(peer) - len(peer.lstrip())]
        return _inserted(source, peers[-1].lines.stop, (indent + line,))
    if not table:
        return _inserted_block(source, _place_of_top_keys(source), (line,))
    header = f"[{'.'.join(map(_spelled_key, table))}]"
    return _inserted_block(source, _place_of_table(source, table), (header, line))


def with_value(source: Source, key: Statement, value: Value) -> str:
    """Replace the value of a key; its name, spacing, comment and line end stay."""
    text = source.text_of(key)
    span = value_span(text)
    return source.replaced(key.lines, (text[: span.start], spelled(value), text[span.stop :]))


def without_key(text: str, path: KeyPath) -> str:
    """Remove the lines of what is there at a path, be it a table, and the header that is left without keys.

    A table's comments stay; a header stays as long as there is one below it.
    """
    source = scan(text)
    lines = list(source.lines)
    for one in reversed(source.statements):
        if one.path[: len(path)] == path:
            del lines[one.lines.start : one.lines.stop]
    return _without_empty_table("".join(lines), path[:-1])


def _without_empty_table(text: str, table: KeyPath) -> str:
    source = scan(text)
    members = [statement for statement in source.statements if statement.table == table]
    if len(members) != 1 or not members[0].is_header:
        return text
    header = members[0]
    below = (other.lines.start for other in source.statements if other.lines.start > header.lines.start)
    next_header = next(below, len(source.lines))
    around = range(_above(source, header.lines.start), _above(source, next_header))
    rest = [source.lines[at] for at in around if at not in header.lines]
    has_comment = "#" in source.text_of(header) or any(is_comment(line) for line in rest)
    return text if has_comment else source.replaced(header.lines, ())


def _spelled_key(name: str) -> str:
    from tomlkit import key  # as above

    return key(name).as_string()


def _place_of_table(source: Source, table: KeyPath) -> int:
    headers = (statement for statement in source.statements if statement.is_header)
    sub_table = next((header for header in headers if header.path[: len(table)] == table), None)
    if sub_table:
        return _above(source, sub_table.lines.start)

    def is_akin(statement: Statement) -> bool:
        return statement.table[:1] == table[:1]

    kin = dropwhile(lambda statement: not is_akin(statement), source.statements)
    family = list(takewhile(is_akin, kin))
    return family[-1].lines.stop if family else len(source.lines)


def _place_of_top_keys(source: Source) -> int:
    """Find the place above the first table, be it commented out; nothing but comments stands above that."""
    end = source.statements[0].lines.start if source.statements else len(source.lines)
    commented = (at for at in range(end) if _COMMENTED_HEADER.match(source.lines[at]))
    first = next(commented, end)
    return first if first == len(source.lines) else _above(source, first)


def _above(source: Source, at: int) -> int:
    """Give the first of the comment lines right above a line, unless these begin the file."""
    floor = max((one.lines.stop for one in source.statements if one.lines.stop <= at), default=0)
    start = at
    while start > floor and is_comment(source.lines[start - 1]):
        start -= 1
    return start or at


def _inserted_block(source: Source, at: int, lines: Sequence[str]) -> str:
    above = [""] if at > 0 and not is_blank(source.lines[at - 1]) else []
    below = [""] if at < len(source.lines) and not is_blank(source.lines[at]) else []
    return _inserted(source, at, (*above, *lines, *below))


def _inserted(source: Source, at: int, lines: Sequence[str]) -> str:
    text = "".join(source.lines)
    end = line_end(text)
    if at == len(source.lines) and text and not text.endswith("\n"):
        return text + end + end.join(lines)
    return source.replaced(range(at, at), [line + end for line in lines])
