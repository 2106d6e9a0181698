"""What may be shown of config.toml: its secrets as stars, and nothing that steers a terminal. Pure.

A secret is one by its place, by its name or by its shape, in a value or in a comment: an old key that was
commented out opens the same door. What a comment says that is TOML is judged as TOML is.
"""

import re
import tomllib
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any

from agent.codes.shown import STARS, harmless_lines, is_secret_name, without_secrets
from agent.edge.config_comments import block_end, words_shown
from agent.edge.config_statements import KeyPath, Source, Statement, lines_of, scan, value_span
from agent.edge.toml_text import is_toml
from agent.values import dataclass, replace

_QUOTED_STARS = f'"{STARS}"'
_MORE_NAMES = frozenset({"username", "user", "pin", "pin-value", "pw", "psk", "sas", "key"})
_MARK = re.compile(r"\s*#[#\s]*")
_SAMPLES = re.compile(
    r'pin-value=1234\b|"(?:estuser|estpwd|username|password|hello|world|debug|AmqpWs|sas|x509)"|"file:[^"]*"'
    r"|\bYXppb3Q|<[A-Z][^<>]*>"
)
_SEEN = 1024  # lines; those of a diff's two sides are nearly the same


@dataclass(frozen=True, slots=True)
class Shown:
    """Some lines of the file: what is shown of them, what they are, and the number of the first, from 1.

    `in_comment` says whether a comment of theirs holds a secret.
    """

    text: str
    raw: str
    number: int
    in_comment: bool = False


def shown(text: str, secret_paths: Collection[KeyPath]) -> tuple[Shown, ...]:
    """Give a valid TOML text piece by piece: a line each, but for a secret of several lines, which is one.

    What is, is below or holds one of `secret_paths` is a secret.

    Raises:
        AgentError: config.invalid-toml.

    """
    pieces = _pieces(scan(text), secret_paths)
    return tuple(replace(one, text=harmless_lines(one.text)) for one in pieces)


def secrets_in_comments(text: str, secret_paths: Collection[KeyPath]) -> tuple[int, ...]:
    """Give the numbers of the lines in whose comments an old secret seems to stand.

    The samples of the runtime's own template are none, nor is the place of a file.

    Raises:
        AgentError: config.invalid-toml.

    """
    found = (one for one in shown(text, secret_paths) if one.in_comment)
    return tuple(one.number for one in found if not _SAMPLES.search(one.raw))


def _pieces(source: Source, secret_paths: Collection[KeyPath]) -> Iterator[Shown]:
    statements = {one.lines.start: one for one in source.statements}
    comments = _Comments(secret_paths)
    at = 0
    while at < len(source.lines):
        one = statements.get(at)
        if one is None:
            said = comments.shown(source.lines[at])
            yield Shown(said, source.lines[at], at + 1, said != source.lines[at])
            at += 1
            continue
        comments = _Comments(secret_paths, one.table)
        yield from _shown(source.text_of(one), one, secret_paths)
        at = one.lines.stop


def _shown(raw: str, one: Statement, secret_paths: Collection[KeyPath]) -> Iterator[Shown]:
    said = _statement(raw, one, (one.path,), secret_paths)
    if said == raw:
        yield from (Shown(line, line, number) for number, line in enumerate(lines_of(raw), one.number))
        return
    span = _span(raw, one)
    trailing = _Comments(secret_paths, one.table).shown(raw[span.stop :])
    in_comment = trailing != raw[span.stop :] or _speaks_of_secrets(raw[span])
    yield Shown(said, raw, one.number, in_comment)


class _Comments:
    """The comments below a statement, from the top: a table that is commented out goes on to the next."""

    def __init__(self, secret_paths: Collection[KeyPath], table: KeyPath = ()) -> None:
        self._secret_paths = secret_paths
        self._tables: tuple[KeyPath, ...] = (table, ())
        self._block_end = ""

    def shown(self, line: str) -> str:
        """Give a line that is a comment, or blank, as it may be shown."""
        mark = _MARK.match(line)
        if mark is None:
            return line
        text = line[mark.end() :].rstrip()
        end = line[mark.end() + len(text) :]
        if self._block_end:
            self._block_end = "" if self._block_end in text else self._block_end
            return f"{mark[0]}{STARS}{end}"
        self._block_end = block_end(text)
        return f"{mark[0]}{self._text(text)}{end}"

    def _text(self, text: str) -> str:
        one = _lone(text)
        if one is None:
            return words_shown(text)
        if one.is_header:
            self._tables = (one.path, ())
        said = _statement(text, one, [(*table, *one.path) for table in self._tables], self._secret_paths)
        return words_shown(text) if said == text else said


@lru_cache(_SEEN)
def _lone(text: str) -> Statement | None:
    """Give the one statement that a comment's text is as TOML; None if it is none."""
    if not (text.startswith("[") or "=" in text) or not is_toml(text):
        return None
    return next(iter(scan(text).statements), None)


def _statement(
    raw: str, one: Statement, paths: Collection[KeyPath], secret_paths: Collection[KeyPath]
) -> str:
    """Give a key or header as it may be shown, `paths` being where the key is, or may be."""
    span = _span(raw, one)
    is_secret = any(_is_secret(path, secret_paths) for path in paths)
    value = "" if one.is_header else _QUOTED_STARS if is_secret else _value(raw[span])
    trailing = _Comments(secret_paths, one.table).shown(raw[span.stop :])
    return without_secrets(raw[: span.start]) + value + trailing


def _is_secret(path: KeyPath, secret_paths: Collection[KeyPath]) -> bool:
    return any(_overlap(path, secret) for secret in secret_paths) or any(map(_is_secret_name, path))


def _is_secret_name(name: str) -> bool:
    return name.lower() in _MORE_NAMES or is_secret_name(name)


def _overlap(one: KeyPath, other: KeyPath) -> bool:
    return all(mine == theirs for mine, theirs in zip(one, other, strict=False))


def _span(raw: str, one: Statement) -> slice:
    """Find what is neither name nor comment: a key's value, and nothing in a header."""
    if not one.is_header:
        return value_span(raw)
    marks = (mark.start() for mark in re.finditer("#", raw))
    end = next((at for at in marks if is_toml(raw[:at])), len(raw))
    return slice(end, end)


def _value(raw: str) -> str:
    """Give a value that is no secret by its place; it, or a comment between its lines, may hold one."""
    if _is_clean(tomllib.loads(f"x = {raw}")["x"]) and not _speaks_of_secrets(raw):
        return raw
    said = without_secrets(raw)
    is_whole = "\n" not in raw and is_toml(f"x = {said}")
    return said if is_whole and _is_clean(tomllib.loads(f"x = {said}")["x"]) else _QUOTED_STARS


def _is_clean(value: Any) -> bool:
    if isinstance(value, dict):
        return not any(map(_is_secret_name, value)) and all(map(_is_clean, value.values()))
    if isinstance(value, list):
        return all(map(_is_clean, value))
    return not isinstance(value, str) or without_secrets(value) == value


def _speaks_of_secrets(raw: str) -> bool:
    comments = (line.partition("#")[2] for line in raw.split("\n")[:-1])
    return any(words_shown(comment) != comment for comment in comments)
