"""What an edit of config.toml changes, as people read it. Pure."""

from collections.abc import Collection

from agent.codes.shown import harmless
from agent.edge.config_statements import KeyPath


def unified_diff(before: str, after: str, name: str, secret_paths: Collection[KeyPath]) -> str:
    """Give what an edit changes, as diff -u shows it; empty if nothing.

    What a secret is `config_shown` says, who takes what is, is below or holds one of `secret_paths` for one.

    Raises:
        AgentError: config.invalid-toml.

    """
    import difflib  # as config_shown: of use only where something is to be changed

    old, new = (_lines(text, secret_paths) for text in (before, after))
    title = harmless(name)
    return "".join(
        _terminated(line.partition("\0")[0]) for line in difflib.unified_diff(old, new, title, title)
    )


def _lines(text: str, secret_paths: Collection[KeyPath]) -> list[str]:
    """Give what is shown of each line; of a secret NUL and itself as well, so that its change is seen."""
    from agent.edge.config_shown import shown  # its patterns cost 3 ms

    pieces = shown(text, secret_paths)
    return [one.raw if one.text == one.raw else f"{one.text}\0{one.raw}" for one in pieces]


def _terminated(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
