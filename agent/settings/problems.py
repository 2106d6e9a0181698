"""What can be wrong with a settings file, where it stands, and the nearest key there is. Pure."""

import re
import tomllib

from agent.codes.shown import harmless
from agent.settings.kinds import toml_key
from agent.settings.rows import GROUPS, ROWS
from agent.values import dataclass

_PROBE = "edge-provisioner-line-probe"
_SECRET = re.compile(r"pass(word|phrase|wd)|secret|credential|[-_]auth$", re.IGNORECASE)
_CREDENTIALS = {"owner": "tpm-owner-auth", "endorse": "tpm-endorsement-auth", "est": "est-password"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file; `line` is None where it is not known for certain."""

    path: str
    line: int | None
    dotted: str
    said: str
    nearest: str | None = None

    def __str__(self) -> str:
        """Render on one line, as compilers do: `file:line: dotted: text`."""
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        hint = f"; the nearest known one is {self.nearest}" if self.nearest else ""
        return harmless(": ".join(part for part in (place, self.dotted, self.said + hint) if part))


def dotted_name(path: tuple[str, ...]) -> str:
    """Write a path of keys as TOML writes it."""
    return ".".join(toml_key(key) for key in path)


def unknown(path: tuple[str, ...], kind: str) -> tuple[str, str | None]:
    """Say what is wrong with a key that is none of ours, and which of ours it may have meant."""
    if _SECRET.search(path[-1]):
        dotted = ".".join(path).lower()
        fitting = [name for word, name in _CREDENTIALS.items() if word in dotted]
        return f"secrets are systemd credentials: {' or '.join(fitting or _CREDENTIALS.values())}", None
    return f"unknown {kind}", _nearest(".".join(path))


def _nearest(dotted: str) -> str | None:
    """Find the known name that looks most like this one; the same key in another table comes first."""
    import difflib  # of use only where something is misspelt

    known = [name for name in (*ROWS, *GROUPS) if name]
    last = dotted.rpartition(".")[2]
    moved = [name for name in known if name.rpartition(".")[2] == last]
    close = difflib.get_close_matches(dotted, moved or known, n=1, cutoff=0.0 if moved else 0.6)
    if close:
        return close[0]
    by_last = {name.rpartition(".")[2]: name for name in reversed(known)}
    return next((by_last[key] for key in difflib.get_close_matches(last, by_last, n=1)), None)


def line_of(text: str, path: tuple[str, ...]) -> int | None:
    """Find the line on which a key of a valid document stands; None where that can't be proven.

    tomllib tells no positions. So each place where the key's text occurs is renamed in turn: where
    the parser then finds the new name at the key's own place, that occurrence is the key.
    """
    *parents, key = path
    for found in re.finditer(rf"(?<![\w-]){re.escape(key)}(?![\w-])", text):
        renamed = text[: found.start()] + _PROBE + text[found.end() :]
        if _has(renamed, (*parents, _PROBE)):
            return text.count("\n", 0, found.start()) + 1
    return None


def _has(text: str, path: tuple[str, ...]) -> bool:
    try:
        node: object = tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    for key in path:
        if not isinstance(node, dict) or key not in node:
            return False
        node = node[key]
    return True
