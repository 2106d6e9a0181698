"""Lines of config.toml as they may be shown: secrets as stars, nothing that steers a terminal. Pure.

A secret is known by the name of its key, by the table that it stands in, or by its shape (codes/shown.py); in
comments too, where old keys stay behind. A line whose secret changes is still seen to change.
"""

import re
from collections.abc import Collection, Iterator

from agent.codes.shown import STARS, fact, harmless, without_secrets
from agent.edge.config_splice import with_value
from agent.edge.config_statements import KeyPath, Source, Statement, scan, value_span

_SECRET_NAME = re.compile(
    r"(?i)passw|passphrase|secret|user_?name|token|symmetric_key|connection_string|_pk$|^pk$"
)
# What stands behind such a word in a comment is a secret if it looks like none of our words.
_WORD = re.compile(r"(?i)([\w.-]*(?:key|password|pin|secret|token|sas|credential|user ?name)s?\b\W*)(\S.*)")
_LIKE_A_SECRET = re.compile(r"[0-9+/=_]|[a-z][A-Z]")
_ASSIGNED = re.compile(r"(#[#\s]*[\w.\"'-]+\s*=\s*)(\S.*)")
_KEY_BLOCK = "PRIVATE KEY-----"


def unified_diff(before: str, after: str, name: str, secret_paths: Collection[KeyPath]) -> str:
    """Give what an edit changes, as diff -u shows it; empty if nothing.

    Stars stand for the value of a key that is, is below or holds one of `secret_paths`, and for what is known
    to be a secret wherever it stands.

    Raises:
        AgentError: config.invalid-toml.

    """
    import difflib  # as tomlkit: of use only where something is to be changed

    old, new = (_shown_lines(text, secret_paths) for text in (before, after))
    return "".join(
        _terminated(line.partition("\0")[0]) for line in difflib.unified_diff(old, new, name, name)
    )


def secret_comments(text: str) -> tuple[int, ...]:
    """Give the numbers of the lines, from 1, in whose comments a secret seems to stand."""
    source = scan(text)
    return tuple(at + 1 for at, line in enumerate(_comments(source)) if line and _shown_comment(line) != line)


def _shown_lines(text: str, secret_paths: Collection[KeyPath]) -> list[str]:
    """Give the lines; one that is not shown as it is as what is shown, NUL, itself: so its change is seen."""
    source = scan(text)
    shown = [_beside(_shown_line(line), line) for line in source.lines]
    for one in reversed(source.statements):
        written = source.text_of(one)
        if _is_secret(one, written, secret_paths):
            shown[one.lines.start : one.lines.stop] = [_beside(_starred(written), written)]
        elif len(one.lines) == 1 and not one.is_header:
            shown[one.lines.start] = _beside(_with_shown_comment(written), written)
    return shown


def _shown_line(line: str) -> str:
    """Give a line that is no key of one line: a comment, a header, or a piece of a longer value."""
    return _shown_comment(line) if line.lstrip().startswith(("#", "[")) else _visible(line)


def _beside(shown: str, line: str) -> str:
    return line if shown == line else f"{shown}\0{line}"


def _is_secret(one: Statement, written: str, secret_paths: Collection[KeyPath]) -> bool:
    if one.is_header:
        return False
    named = any(_SECRET_NAME.search(name) for name in one.path)
    return named or _KEY_BLOCK in written or any(_overlap(one.path, secret) for secret in secret_paths)


def _starred(written: str) -> str:
    """Give a key with stars for its value, and for its comment where that looks like an old one."""
    lone = scan(written)
    starred = with_value(lone, lone.statements[0], STARS)
    end = value_span(starred).stop
    comment = starred[end:]
    if _LIKE_A_SECRET.search(comment):
        comment = f"  # {STARS}{_end(comment)}"
    return starred[:end] + harmless(comment.removesuffix(_end(comment))) + _end(comment)


def _with_shown_comment(written: str) -> str:
    end = value_span(written).stop
    head, comment = written[:end], written[end:]
    return _visible(head + _end(comment)).removesuffix(_end(comment)) + _shown_comment(comment)


def _comments(source: Source) -> Iterator[str]:
    """Give the comment of each line, empty where there is none; what is inside values is none."""
    inside = {at for one in source.statements for at in one.lines}
    tails = {
        one.lines.stop - 1: source.text_of(one)[value_span(source.text_of(one)).stop :]
        for one in source.statements
        if not one.is_header
    }
    for at, line in enumerate(source.lines):
        comment = tails.get(at, "") if at in inside else line
        yield comment if "#" in comment else ""


def _shown_comment(comment: str) -> str:
    end = _end(comment)
    text = comment.removesuffix(end)
    if (assigned := _ASSIGNED.search(text)) and _SECRET_NAME.search(
        assigned[1].rstrip("= \t").strip("\"'# ")
    ):
        text = text[: assigned.start(2)] + STARS
    text = _WORD.sub(_hidden, without_secrets(text))
    return harmless(text) + end


def _hidden(found: re.Match[str]) -> str:
    return found[1] + (STARS if _LIKE_A_SECRET.search(found[2]) and STARS not in found[2] else found[2])


def _visible(line: str) -> str:
    end = _end(line)
    return fact(line.removesuffix(end)) + end


def _end(text: str) -> str:
    return "\r\n" if text.endswith("\r\n") else "\n" if text.endswith("\n") else ""


def _overlap(one: KeyPath, other: KeyPath) -> bool:
    return all(mine == theirs for mine, theirs in zip(one, other, strict=False))


def _terminated(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
