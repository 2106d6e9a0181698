"""Take the words that matter out of the daemons' journal. Pure.

A daemon that fails prints its reason as `[ERR!] - caused by:` lines and a backtrace below them; the tail that
the runtime's own status shows is the backtrace. Whoever wants the reason reads the lines above. Why a request
to the container engine failed aziot-edged prints otherwise: as a block, below the line that it belongs to.
"""

import re
from collections.abc import Iterable

from agent.host.journal import Entry

_LEVEL = re.compile(r"^\S+Z \[(?P<level>[A-Z!]{4})\](?: \[[^\]]*\])? - (?P<text>.*)$")
_CAUSE = re.compile(r"^(?:!!! )?caused by: (?P<text>.*)$")
_BLOCK = "Caused by:"
_LEVELS_OF_TROUBLE = ("ERR!", "WARN")
_EMPTY_WORDS = frozenset({"internal error", "DPS client error", "Hub client error"})


def lines_of(entries: Iterable[Entry], unit: str) -> tuple[Entry, ...]:
    """Give one unit's entries, oldest first."""
    return tuple(entry for entry in entries if entry.unit == unit)


def last_failure(entries: Iterable[Entry], unit: str, *, newest_only: bool = False) -> tuple[str, ...]:
    """Give the lines of the unit's last process that failed, without the backtrace.

    That is the newest process, unless it is still on its way: then the one before if that failed, or none
    if the newest alone counts. What a process on its way has said counts where there is nothing better;
    anything older is history and no reason for what is seen now.
    """
    runs = [tuple(entry.message for entry in run) for run in _runs(lines_of(entries, unit))]
    earlier, newest = [(), (), *runs][-2:]
    if _failed(newest) or _reported(newest):
        told = newest
    elif _failed(earlier) and not newest_only:
        told = earlier
    else:
        told = newest if errors(newest) else ()
    return tuple(text for text in folded(told) if not _is_backtrace(text))


def _failed(run: tuple[str, ...]) -> bool:
    """Say whether systemd had to note the end of a process; a proper end it calls another name."""
    return any("Main process exited" in text or "Failed with result" in text for text in run)


def _reported(run: tuple[str, ...]) -> bool:
    """Say whether a daemon that runs on told of a request that failed, with its reason."""
    return any("!!! caused by: " in text for text in run)


def present_run(entries: Iterable[Entry], unit: str) -> tuple[Entry, ...]:
    """Give the entries of the unit's newest process."""
    runs = _runs(lines_of(entries, unit))
    return runs[-1] if runs else ()


def _runs(entries: tuple[Entry, ...]) -> list[tuple[Entry, ...]]:
    order = dict.fromkeys(entry.invocation for entry in entries if entry.invocation)
    return [tuple(entry for entry in entries if entry.invocation == one) for one in order]


def folded(texts: Iterable[str]) -> list[str]:
    """Put the reasons of a block into the line above it, as one of the lines that the other daemons print."""
    folded: list[str] = []
    in_block = False
    for text in texts:
        if text == _BLOCK and folded:
            in_block = True
            folded[-1] = folded[-1].replace(" - ", " - caused by: ", 1)
        elif in_block and text.startswith("    "):
            folded[-1] += ": " + re.sub(r"^ +(\d+: )?", "", text)
        else:
            in_block = False
            folded.append(text)
    return folded


def _is_backtrace(text: str) -> bool:
    return re.match(r"^ *\d+: ", text) is not None or text.lstrip().startswith("at ")


def errors(texts: Iterable[str]) -> tuple[str, ...]:
    """Give the texts that a daemon logged as error or warning, without time and level."""
    found = (_LEVEL.match(text) for text in texts)
    return tuple(match["text"] for match in found if match and match["level"] in _LEVELS_OF_TROUBLE)


def innermost_cause(texts: Iterable[str]) -> str:
    """Give the last reason in the chain that says something; the last error line where there is no chain."""
    said = errors(texts)
    causes = _causes(said)
    return next(iter([*_telling(causes)[-1:], *causes[-1:], *said[-1:]]), "")


def telling_cause(texts: Iterable[str]) -> str:
    """Give the last reason in the chain that says something; empty where none does, or not yet."""
    return next(iter(_telling(_causes(errors(texts)))[-1:]), "")


def _causes(said: Iterable[str]) -> list[str]:
    return [match["text"] for match in map(_CAUSE.match, said) if match]


def _telling(causes: list[str]) -> list[str]:
    return [cause for cause in causes if cause not in _EMPTY_WORDS]
