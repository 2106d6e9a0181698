"""The watcher's decisions: when the next pass starts and why, and what the last one asks for.

Pure: times are given, in seconds of the monotonic clock. Triggers carry no facts; they only say
"look again", so any number of them may become one pass.
"""

from collections.abc import Mapping
from enum import StrEnum
from math import inf
from types import MappingProxyType
from typing import NamedTuple

UDEV_QUIET_S = 0.2  # a chip that appears makes several events; a burst is over after this much silence,
UDEV_LONGEST_S = 2.0  # or is looked at all the same when it does not end
FILES_QUIET_S = 0.2  # one change of files makes many events too: this long after the first they are compared,
FILES_LONGEST_S = 1.0  # or later where comparing found nothing before: an installation makes a storm
GLANCE_S = 30.0  # for what makes no event at all, such as a socket that is closed
EXIT_SPACING_S = 10.0
FILES_SPACING_S = 2.0
BACK_OFF_S = 2.0
BACK_OFF_LONGEST_S = 300.0
LOOK_AGAIN_S = 300.0
_SHORTEST_LOOK_S, _LONGEST_LOOK_S = 1.0, 3600.0
_UNIT_STARTS = "/run/systemd/units/"  # a link for each service that runs; systemd replaces it at each start
_PID_MAX = 2**22  # the kernel's PID_MAX_LIMIT, proc(5)


class Reason(StrEnum):
    """Why a pass starts, the weightiest first: the last two look less closely (they leave the TPM alone)."""

    START = "start"
    UDEV = "udev"
    EXIT = "exit"
    SIGNAL = "signal"
    FILES = "files"
    TIMER = "timer"


# A daemon in a crash loop dies every five seconds (seen on runtime 1.6); a file may be written without end.
_SPACING_S = {Reason.EXIT: EXIT_SPACING_S, Reason.FILES: FILES_SPACING_S}


class Schedule:
    """What is asked for, and when it is due. One pass at a time; what comes meanwhile makes one more."""

    __slots__ = ("_failures", "_next_s", "_not_before_s", "_ripe_s", "_running", "_stopping", "_storm_s")

    def __init__(self) -> None:
        """Begin with nothing asked for and nothing running."""
        self._ripe_s: dict[Reason, float] = {}
        self._running: Reason | None = None
        self._storm_s: float | None = None
        self._next_s: dict[Reason, float] = {}
        self._not_before_s = -inf
        self._failures = 0
        self._stopping = False

    @property
    def running(self) -> Reason | None:
        """Why the pass under way was started; None between passes."""
        return self._running

    @property
    def finished(self) -> bool:
        """Whether the watch was told to stop and no pass is under way any more."""
        return self._stopping and self._running is None

    def want(self, reason: Reason, now_s: float, *, in_s: float = 0.0) -> None:
        """Ask for a pass, now or after so many seconds."""
        if reason is Reason.UDEV:
            self._storm_s = now_s if self._storm_s is None else self._storm_s
            self._ripe_s[reason] = min(now_s + UDEV_QUIET_S, self._storm_s + UDEV_LONGEST_S)
            return
        ripe_s = max(now_s + in_s, self._next_s.get(reason, -inf))
        self._ripe_s[reason] = min(ripe_s, self._ripe_s.get(reason, inf))
        if reason is Reason.SIGNAL:
            self._not_before_s = -inf  # a person asks, perhaps having mended what crashed

    def due_s(self) -> float:
        """Say when the next pass is to start; infinity while one runs, or none is wanted."""
        if self._running or self._stopping:
            return inf
        pressing = [ripe_s for reason, ripe_s in self._ripe_s.items() if reason is not Reason.TIMER]
        return max(self._not_before_s, min(pressing or self._ripe_s.values(), default=inf))

    def begin(self, now_s: float) -> Reason:
        """Take everything that is asked for into one pass, which is now under way; gives its reason."""
        reason = next((reason for reason in Reason if reason in self._ripe_s), Reason.TIMER)
        for spaced, spacing_s in _SPACING_S.items():
            if spaced in self._ripe_s:
                self._next_s[spaced] = now_s + spacing_s
        self._ripe_s.clear()
        self._storm_s = None
        self._running = reason
        return reason

    def succeeded(self, now_s: float, look_again_s: float) -> None:
        """Note that the pass had a result, and when it wants the next look."""
        self._running = None
        self._failures = 0
        self._not_before_s = -inf
        self._ripe_s[Reason.TIMER] = now_s + look_again_s

    def failed(self, now_s: float, jitter: float) -> None:
        """Note that the pass had no result: it is repeated after a back-off; `jitter` in [0, 1) is chance."""
        asked_meanwhile = Reason.SIGNAL in self._ripe_s
        self._ripe_s.setdefault(self._running or Reason.TIMER, now_s)
        self._running = None
        self._failures = min(self._failures + 1, 16)
        pause_s = jitter * min(BACK_OFF_LONGEST_S, BACK_OFF_S * 2.0 ** (self._failures - 1))
        self._not_before_s = -inf if asked_meanwhile else now_s + pause_s

    def stop(self) -> None:
        """Start no further pass."""
        self._stopping = True


class Outcome(NamedTuple):
    """What the watcher takes from status.json: next look, the runtime's processes, a line for a person."""

    look_again_s: float = LOOK_AGAIN_S
    pids: tuple[int, ...] = ()
    line: str = ""
    finished: bool = True  # no step of a pass is under way, or was cut off
    judged: Mapping[str, str] = MappingProxyType({})


def read_outcome(data: bytes | None) -> Outcome:
    """Read status.json; what is missing or makes no sense there gets its default."""
    import json

    try:
        document = json.loads(data or b"null")
    except (ValueError, RecursionError):
        return Outcome()
    if not isinstance(document, dict):
        return Outcome()
    return Outcome(
        _look_again_s(document.get("look_again_s")),
        (*_pids(document.get("units")), *_pids(document.get("modules"))),
        _line(document),
        finished=document.get("step") is None,
        judged=_judged(document.get("judged")),
    )


def _look_again_s(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124  # NaN
        return LOOK_AGAIN_S
    return float(min(_LONGEST_LOOK_S, max(_SHORTEST_LOOK_S, value)))


def _pids(units: object) -> tuple[int, ...]:
    shown = units.values() if isinstance(units, dict) else ()
    pids = (unit.get("pid") for unit in shown if isinstance(unit, dict))
    return tuple(sorted({pid for pid in pids if type(pid) is int and 1 < pid <= _PID_MAX}))


def _judged(words: object) -> Mapping[str, str]:
    shown = words.items() if isinstance(words, dict) else ()
    absolute = {path: word for path, word in shown if path.startswith("/") and isinstance(word, str)}
    return MappingProxyType({path: word for path, word in absolute.items() if "\0" not in path})


def wanted_by(path: str, before: str, now: str) -> tuple[Reason, float]:
    """Say what a change at a path asks for, and after how many seconds.

    A daemon's start is no trouble, but whoever is up now may end: the next look is to know its process.
    """
    if _UNIT_STARTS not in path:
        return Reason.FILES, 0.0
    started = now and not before
    return (Reason.FILES, EXIT_SPACING_S) if started else (Reason.EXIT, 0.0)


def _line(document: dict[str, object]) -> str:
    phase, summary, remedy = (str(document.get(name) or "") for name in ("phase", "summary", "remedy"))
    said = ": ".join(part for part in (phase, summary) if part)
    return f"{said} (what to do: {remedy})" if remedy and phase != "provisioned" else said
