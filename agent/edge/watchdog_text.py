"""Read what aziot-edged's watchdog writes about edgeAgent, which it looks after once a minute. Pure.

A round that fails ends with a line that says at what, and above it stand the container engine's own words. A
container that ends again and again is no failure to the watchdog: it only starts it again.
"""

import re
from collections.abc import Iterable

from agent.edge import journal_text
from agent.host.journal import Entry
from agent.values import dataclass

_BEGIN = "Starting watchdog with "
_ROUND = "Watchdog checking Edge runtime status"
_FAILED = "Error in watchdog: "
_PULLS = re.compile(r"Pulling image via (?:tag|digest) (?P<image>\S+)\.\.\.$")
_STARTED = "Started Edge runtime module"
_ENDS = (_FAILED, _STARTED, "Edge runtime is running")
_STARTS_AGAIN = re.compile(r"Edge runtime status is (?:stopped|failed), starting module now")
_ENGINES = re.compile(r"^container runtime error: (?:HTTP \d+ [A-Z][\w ]*: )?")
_IN_A_STREAM = re.compile(r'^\{"message":"(.*)"\}$')  # what went wrong after the answer had begun
_CAUSE = "caused by: "  # below a failure whose text has several lines


@dataclass(frozen=True, slots=True)
class Watchdog:
    """What the present aziot-edged tells; times are monotonic, in seconds, None for never.

    `failure` and `reason` are the last round's that has ended: at what it failed, and why. `pulls_since_s` is
    when a pull began that is under way, `restarts_s` when it started an ended edgeAgent again.
    """

    failure: str = ""
    reason: str = ""
    image: str = ""
    looked_s: float | None = None
    pulls_since_s: float | None = None
    restarts_s: tuple[float, ...] = ()


def read(run: Iterable[Entry]) -> Watchdog:
    """Read the lines of one process of aziot-edged, oldest first."""
    prelude, *rounds = _rounds(run)
    if not rounds:
        return Watchdog()
    ended = [one for one in rounds if _has(one, *_ENDS)]
    failure = _failure(ended[-1]) if ended else ""
    pulls = None if _has(rounds[-1], *_ENDS, "Successfully pulled image") else _pull(rounds[-1])
    # As it starts, aziot-edged stops all modules: its first round starts them, whatever they were like.
    watched = rounds[1:] if _has(prelude, _BEGIN) else rounds
    return Watchdog(
        failure=failure,
        reason=_reason(ended[-1], failure) if failure else "",
        image=_image(rounds),
        looked_s=rounds[-1][0].monotonic_s,
        pulls_since_s=pulls.monotonic_s if pulls else None,
        restarts_s=tuple(one[0].monotonic_s for one in watched if _restarts(one)),
    )


def _rounds(run: Iterable[Entry]) -> list[list[Entry]]:
    """Part the lines where a round begins; what was before the first round comes first."""
    parts: list[list[Entry]] = [[]]
    for entry in run:
        if _ROUND in entry.message:
            parts.append([])
        parts[-1].append(entry)
    return parts


def _has(lines: Iterable[Entry], *texts: str) -> bool:
    return any(text in entry.message for entry in lines for text in texts)


def _failure(lines: list[Entry]) -> str:
    said = (entry.message.partition(_FAILED)[2] for entry in lines)
    return next(filter(None, said), "")


def _reason(lines: list[Entry], failure: str) -> str:
    """Give the engine's words; where it said none, what the failure itself says last."""
    texts = journal_text.folded(entry.message for entry in lines)
    told = _IN_A_STREAM.sub(r"\1", _ENGINES.sub("", journal_text.telling_cause(texts)))
    own = [text.removeprefix(_CAUSE) for text in texts if text.startswith(_CAUSE)]
    return told or next(iter(own[-1:]), failure.rpartition(": ")[2])


def _pull(lines: list[Entry]) -> Entry | None:
    return next((entry for entry in lines if _PULLS.search(entry.message)), None)


def _image(rounds: list[list[Entry]]) -> str:
    found = (_PULLS.search(entry.message) for one in reversed(rounds) for entry in one)
    return next((match["image"] for match in found if match), "")


def _restarts(lines: list[Entry]) -> bool:
    return _has(lines, _STARTED) and any(_STARTS_AGAIN.search(entry.message) for entry in lines)
