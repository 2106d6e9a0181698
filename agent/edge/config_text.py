"""config.toml as text in, text out: keys of ours are set or removed, every other byte stays. Pure.

The result is proven before anyone sees it: read back, it must mean the old document with our keys
set, and it must hold every line that is not ours, in its order. tomlkit spells values and names. Its own
editing (0.11 and 0.15 tried) ends new lines with LF in a CRLF file and puts them between a comment and
the table that the comment is about, so lines are spliced here.
"""

import codecs
import tomllib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from agent.codes import AgentError
from agent.codes.config import EDIT_NOT_PROVEN, NOT_UTF8, NUL, UTF16
from agent.edge.config_shape import is_folded, refuse_odd_shape, tables_of
from agent.edge.config_splice import Value, line_end, with_key, without_key
from agent.edge.config_statements import KeyPath, Statement, lines_of, parse, scan
from agent.edge.config_unfold import unfolded

__all__ = [
    "KeyPath",
    "Value",
    "differences",
    "edit",
    "line_of",
    "parse",
    "read",
    "value_at",
]


def read(text: bytes) -> str:
    """Decode the bytes of config.toml.

    Raises:
        AgentError: config.not-utf8, naming the line; config.utf16; config.nul.

    """
    if encoding := _utf16(text):
        raise AgentError(UTF16(encoding=encoding))
    if b"\0" in text:
        raise AgentError(NUL(line=text.count(b"\n", 0, text.index(b"\0")) + 1))
    if text.startswith(codecs.BOM_UTF8):
        raise AgentError(NOT_UTF8(line=1, what="a byte order mark"))
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise AgentError(NOT_UTF8(line=line, what=f"byte 0x{text[error.start]:02x}")) from error


def _utf16(text: bytes) -> str:
    """Name the encoding, as iconv(1) does, of a text with a zero in nearly each second place; else empty."""
    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    pairs = len(text) // 2
    if not pairs or len(text) % 2:
        return ""
    even, odd = text[::2].count(0), text[1::2].count(0)
    if odd * 2 > pairs and not even:
        return "UTF-16LE"
    return "UTF-16BE" if even * 2 > pairs and not odd else ""


def value_at(document: Mapping[str, Any], path: KeyPath) -> Any | None:
    """Give the value of a key, None if it is not there; tables in an array have no path."""
    found: Any = document
    for name in path:
        if not isinstance(found, Mapping) or name not in found:
            return None
        found = found[name]
    return found


def differences(document: Mapping[str, Any], intended: Mapping[KeyPath, Value | None]) -> tuple[KeyPath, ...]:
    """Give the intended keys that mean something else in a document, in the order of the intention."""
    return tuple(path for path, value in intended.items() if not _means(value_at(document, path), value))


def _means(found: Any, value: Value | None) -> bool:
    if isinstance(value, Mapping):
        return (
            isinstance(found, Mapping)
            and found.keys() == value.keys()
            and all(_means(found[name], inner) for name, inner in value.items())
        )
    if isinstance(found, bool) or isinstance(value, bool):  # to Python 1 and 1.0 equal true
        return found is value
    return not isinstance(found, float) and bool(found == value)


def edit(text: str, intended: Mapping[KeyPath, Value | None], *, unfold: bool = False) -> str:
    """Give the text in which the intended keys have their values, or are not there where the value is None.

    The very same string comes back if it means that already. With `unfold` inline tables and dotted keys that
    are in the way are written out as plain tables first; else they are refused.

    Raises:
        AgentError: config.invalid-toml; config.shape-refused; config.edit-not-proven.

    """
    changed = differences(parse(text), intended)
    if not changed:
        return text
    tables = tables_of(intended, changed)
    if unfold:
        text = _written_out(text, tables)
    refuse_odd_shape(scan(text), tables, (path for path in changed if intended[path] is not None))
    try:
        edited = _edited(text, {path: intended[path] for path in changed})
        is_right = _is_proven(text, edited, intended, changed)
    except AgentError:
        is_right = False
    if not is_right:
        raise AgentError(EDIT_NOT_PROVEN(keys=", ".join(map(".".join, changed))))
    return edited


def _written_out(text: str, tables: Collection[KeyPath]) -> str:
    plain = unfolded(text, tables)
    is_right = plain is text or _holds_lines(text, plain, lambda one: is_folded(one, tables))
    return plain if is_right else text


def _edited(text: str, changes: Mapping[KeyPath, Value | None]) -> str:
    for path, value in changes.items():
        text = without_key(text, path) if value is None else with_key(text, path, value)
    return text


def _is_proven(
    before: str, after: str, intended: Mapping[KeyPath, Value | None], changed: Collection[KeyPath]
) -> bool:
    if differences(parse(after), intended):
        return False
    emptied = {path[:-1] for path in changed if intended[path] is None}
    meant, found = (tomllib.loads(text, parse_float=repr) for text in (before, after))  # a NaN equals nothing
    for path in changed:
        _set_leaf(meant, path, intended[path])
    for table in emptied:
        _drop_empty(meant, table)
        _drop_empty(found, table)
    removed = {path for path in changed if intended[path] is None}

    def is_own(one: Statement) -> bool:
        within = any(one.path[:length] in removed for length in range(1, len(one.path)))
        return within or one.path in changed or one.path in emptied

    return found == meant and _holds_lines(before, after, is_own)


def _set_leaf(document: dict[str, Any], path: KeyPath, value: Value | None) -> None:
    for name in path[:-1]:
        document = document.setdefault(name, {})
    if value is None:
        document.pop(path[-1], None)
    else:
        document[path[-1]] = value


def _drop_empty(document: dict[str, Any], table: KeyPath) -> None:
    for length in range(len(table), 0, -1):
        if value_at(document, table[:length]) == {}:
            parent: Any = value_at(document, table[: length - 1])
            del parent[table[length - 1]]


def _holds_lines(before: str, after: str, is_own: Callable[[Statement], bool]) -> bool:
    """Tell whether the lines of one text stand in the other in their order, our own statements' aside."""
    end = line_end(before)
    source = scan(_ended(before, end))
    own = {at for statement in source.statements if is_own(statement) for at in statement.lines}
    rest = iter(lines_of(_ended(after, end)))
    return all(line in rest for at, line in enumerate(source.lines) if at not in own)


def _ended(text: str, end: str) -> str:
    return text if text == "" or text.endswith("\n") else text + end


def line_of(text: str, path: KeyPath) -> int | None:
    """Give the number of the line, from 1, where a key or table begins, or the value that holds it.

    Raises:
        AgentError: config.invalid-toml.

    """
    for one in scan(text).statements:
        is_within = not one.is_header and path[: len(one.path)] == one.path
        if is_within or one.path[: len(path)] == path:
            return one.number
    return None
