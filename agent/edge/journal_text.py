"""Take the words that matter out of the daemons' journal. Pure.

A daemon that fails prints its reason as `[ERR!] - caused by:` lines and a backtrace below them; the tail that
the runtime's own status shows is the backtrace. Whoever wants the reason reads the lines above.
"""

import re
from collections.abc import Iterable

from agent.host.journal import Entry

_LEVEL = re.compile(r"^\S+Z \[(?P<level>[A-Z!]{4})\](?: \[[^\]]*\])? - (?P<text>.*)$")
_CAUSE = re.compile(r"^(?:!!! )?caused by: (?P<text>.*)$")
_ENDED = ("Main process exited", "Failed with result", "Deactivated successfully")
_LEVELS_OF_TROUBLE = ("ERR!", "WARN")
_EMPTY_WORDS = frozenset({"internal error", "DPS client error", "Hub client error"})


def lines_of(entries: Iterable[Entry], unit: str) -> tuple[Entry, ...]:
    """Give one unit's entries, oldest first."""
    return tuple(entry for entry in entries if entry.unit == unit)


def last_failure(entries: Iterable[Entry], unit: str, *, newest_only: bool = False) -> tuple[str, ...]:
    """Give the lines of the unit's last process that ended or complained, without the backtrace.

    That is the newest process, unless it is still on its way: then the one before, or none if the newest
    alone counts. Anything older is history and no reason for what is seen now.
    """
    runs = _runs(lines_of(entries, unit))
    for run in reversed(runs[-1:] if newest_only else runs[-2:]):
        texts = tuple(entry.message for entry in run)
        if any(word in text for text in texts for word in _ENDED) or errors(texts):
            return tuple(text for text in texts if not _is_backtrace(text))
    return ()


def present_run(entries: Iterable[Entry], unit: str) -> tuple[Entry, ...]:
    """Give the entries of the unit's newest process."""
    runs = _runs(lines_of(entries, unit))
    return runs[-1] if runs else ()


def _runs(entries: tuple[Entry, ...]) -> list[tuple[Entry, ...]]:
    order = dict.fromkeys(entry.invocation for entry in entries if entry.invocation)
    return [tuple(entry for entry in entries if entry.invocation == one) for one in order]


def _is_backtrace(text: str) -> bool:
    return re.match(r"^ *\d+: ", text) is not None or text.lstrip().startswith("at ")


def errors(texts: Iterable[str]) -> tuple[str, ...]:
    """Give the texts that a daemon logged as error or warning, without time and level."""
    found = (_LEVEL.match(text) for text in texts)
    return tuple(match["text"] for match in found if match and match["level"] in _LEVELS_OF_TROUBLE)


def innermost_cause(texts: Iterable[str]) -> str:
    """Give the last reason in the chain that says something; the last error line where there is no chain."""
    said = errors(texts)
    causes = [match["text"] for match in map(_CAUSE.match, said) if match]
    telling = [cause for cause in causes if cause not in _EMPTY_WORDS]
    return next(iter([*telling[-1:], *causes[-1:], *said[-1:]]), "")
