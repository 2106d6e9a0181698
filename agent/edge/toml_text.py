"""Whether a text is TOML by itself, and where one that is not stops being it. Pure."""

import tomllib

from agent.values import dataclass

NOT_TOML = (ValueError, RecursionError)  # the second from arrays nested beyond the interpreter's stack


@dataclass(frozen=True, slots=True)
class Place:
    """Where the parser stopped, and why: the text's lines, line and column (both from 1) and the reason."""

    lines: tuple[str, ...]
    number: int
    column: int
    reason: str

    @property
    def line(self) -> str:
        """The line itself, without its end; empty where the text ends."""
        return self.lines[self.number - 1].rstrip("\r\n") if self.number <= len(self.lines) else ""


def is_toml(text: str) -> bool:
    """Say whether a text is TOML by itself."""
    try:
        tomllib.loads(text)
    except NOT_TOML:
        return False
    return True
