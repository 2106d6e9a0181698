"""Reading config.toml as the runtime does, with its five-line errors and their carets.

Right place: syntax errors, duplicate keys and auto_reprovisioning_mode. Whatever lies behind the
runtime's flattened tables is reported at line 1, column 1 (observed on runtime 1.6).
"""

import re
import tomllib
from typing import Any, NoReturn

Table = dict[str, Any]
_AT = re.compile(r" \(at line (\d+), column (\d+)\)$")


class TomlError(Exception):
    """A text that could not be parsed, as the runtime prints it."""


def at(text: str, line: int, column: int, width: int, message: str) -> TomlError:
    """Make the error that points at a place: 1-based line and column, width in characters."""
    source = text.split("\n")[line - 1] if text else ""
    gutter = " " * (len(str(line)) + 1)
    caret = " " * (column - 1) + "^" * max(1, width)
    return TomlError(
        f"TOML parse error at line {line}, column {column}\n{gutter}|\n{line} | {source}\n"
        f"{gutter}| {caret}\n{message}\n"
    )


def at_start(text: str, message: str) -> TomlError:
    """Make the error of a value behind a flattened table."""
    return at(text, 1, 1, 1, message)


def load(text: str) -> Table:
    """Parse a document.

    Raises: TomlError
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        _explain(text, str(wrong))


def _explain(text: str, said: str) -> NoReturn:
    place = _AT.search(said)
    lines = text.split("\n")
    line, column = (int(place[1]), int(place[2])) if place else (len(lines), len(lines[-1]) + 1)
    what = said[: place.start()] if place else said.removesuffix(" (at end of document)")
    source = lines[line - 1]
    if what == "Cannot overwrite a value" or what.endswith("twice"):
        key = re.match(r"\s*\[*\s*([^\s=\]]+)", source)
        if key:
            raise at(text, line, key.start(1) + 1, len(key[1]), "duplicate key")
    token = re.match(r"[^\s,#\]}]*", source[column - 1 :])
    width = len(token[0]) if token else 1
    if what == "Invalid value" and token and token[0][:1].isalpha():
        raise at(text, line, column, width, "string values must be quoted, expected literal string")
    raise at(text, line, column, 1, what[:1].lower() + what[1:])


def at_value(text: str, key: str, message: str) -> TomlError:
    """Make the error of a top-level key's value, pointing at it."""
    for number, source in enumerate(text.split("\n"), start=1):
        found = re.match(rf"\s*{re.escape(key)}\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s#]+)", source)
        if found:
            return at(text, number, found.start(1) + 1, len(found[1]), message)
    return at_start(text, message)


def named(value: Any) -> str:
    """Name a value of the wrong type as the runtime does."""
    if isinstance(value, str):
        return f'string "{value}"'
    if isinstance(value, bool):
        return f"boolean `{str(value).lower()}`"
    if isinstance(value, int):
        return f"integer `{value}`"
    if isinstance(value, float):
        return f"floating point `{value}`"
    return "sequence" if isinstance(value, list) else "map"
