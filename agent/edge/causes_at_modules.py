"""Causes why edgeAgent does not run: by the container engine, and by aziot-edged's watchdog. Pure."""

import re

from agent.codes import Code, Finding, modules
from agent.edge import journal_text, watchdog_text
from agent.edge.container import Container
from agent.edge.evidence import EDGED, Evidence
from agent.edge.watchdog_text import Watchdog
from agent.values import dataclass

_PROVEN_S = 120.0  # two rounds of the watchdog
_RECENT_S = 300.0
_MANY = 2
_UNNAMED = "the one under `[agent.config]` in config.toml"
_HEADERS_S = (
    75.0  # a pull that has not failed by then got through: only the answer's head has a deadline, 60 s
)
_NO_PROCESSOR = (
    r"exec format error|no matching manifest for|no match for platform|does not match the .*platform"
)
_UNREACHABLE = (
    r"(?i)dial tcp|no such host|server misbehaving|connection refused|connection reset|timeout|deadline"
    r"|unreachable|no route to host|proxyconnect|\bEOF\b|request canceled|temporary failure"
)
# What a pull fails with is told by the registry's or the network's words. The first match wins.
_OF_PULLS: tuple[tuple[str, Code], ...] = (
    (_NO_PROCESSOR, modules.WRONG_ARCHITECTURE),
    (
        r"unauthorized|(?:^|access )denied|denied: |authentication required|no basic auth|\b40[13] ",
        modules.UNAUTHORISED,
    ),
    (r"(?i)manifest unknown|not found|name unknown|invalid reference format", modules.NO_IMAGE),
    (_UNREACHABLE, modules.REGISTRY_UNREACHABLE),
    ("", modules.PULL_FAILED),
)
# At what a round of the watchdog failed; what of the engine's words that meant; the first match wins.
_OF_ROUNDS: tuple[tuple[str, tuple[tuple[str, Code], ...]], ...] = (
    ("Failed to update $edgeAgent identity", (("", modules.IDENTITY_REFUSED),)),
    ("Failed to pull Edge runtime module", _OF_PULLS),
    (
        "Failed to create Edge runtime module",
        ((r"(?i)no such image", modules.NOT_PRELOADED), ("", modules.NOT_CREATED)),
    ),
    ("", ((_NO_PROCESSOR, modules.WRONG_ARCHITECTURE), ("", modules.NOT_STARTED))),
)


@dataclass(frozen=True, slots=True)
class _Case:
    """A container that is not known to be well, and what the watchdog says of it."""

    seen: Evidence
    watchdog: Watchdog

    @property
    def container(self) -> Container:
        return self.seen.edge_agent

    @property
    def pulls(self) -> bool:
        """Whether a pull is under way that has not to be taken for one more that fails."""
        since_s = self.watchdog.pulls_since_s
        return since_s is not None and (not self.watchdog.failure or self.seen.now_s - since_s > _HEADERS_S)

    @property
    def image(self) -> str:
        refused = re.search(r"(?i)no such image: (\S+)", self.watchdog.reason)
        named = refused[1] if refused else ""
        applied = self.seen.facts.get("image")
        return self.watchdog.image or self.container.image or named or applied or _UNNAMED


def fault(seen: Evidence) -> Finding | None:
    """Say why edgeAgent does not run; None where it does, or may be about to."""
    case = _case(seen)
    if case is None:
        return None
    return _crash_loop(case) or (None if seen.edge_agent.runs else _failure(case) or _neglect(case))


def progress(seen: Evidence) -> Finding | None:
    """Say how far edgeAgent is where nothing is wrong, and it does not run or only just does again."""
    case = _case(seen)
    if case is None or fault(seen):
        return None
    if seen.edge_agent.runs:
        return modules.RESTARTED(seconds=max(0, round(seen.wall_s - seen.edge_agent.started_s)))
    return modules.PULLING(image=case.image) if case.pulls else modules.STARTING()


def needs_a_word(container: Container, now_s: float) -> bool:
    """Say whether the journal is to be asked: it does not run, or ended and was started only just now.

    `now_s` is in seconds since 1970, as the container's own times are.
    """
    if not container.state:
        return False
    again = container.finished_s or container.restarts
    return not container.runs or bool(again and now_s - container.started_s < _PROVEN_S)


def _case(seen: Evidence) -> _Case | None:
    if not seen.answered or not needs_a_word(seen.edge_agent, seen.wall_s):
        return None
    return _Case(seen, watchdog_text.read(journal_text.present_run(seen.journal, EDGED)))


def _crash_loop(case: _Case) -> Finding | None:
    """Tell a container that ends again and again, whoever starts it: aziot-edged, or the engine itself."""
    recent = [at_s for at_s in case.watchdog.restarts_s if case.seen.now_s - at_s < _RECENT_S]
    if max(len(recent), case.container.restarts) < _MANY or case.watchdog.failure:
        return None
    words = case.container.last_words
    if re.search(_NO_PROCESSOR, words):
        return modules.WRONG_ARCHITECTURE(image=case.image, reason=words)
    return modules.CRASH_LOOP(reason=_how_it_ended(case.container))


def _how_it_ended(container: Container) -> str:
    if container.out_of_memory:
        return "it was killed for want of memory"
    ended = f"exit status {container.exit_status}"
    return container.last_words or (container.error or ended)


def _failure(case: _Case) -> Finding | None:
    failure = case.watchdog.failure
    if not failure or case.pulls:
        return None
    texts = next(texts for begin, texts in _OF_ROUNDS if failure.startswith(begin))
    code = next(code for pattern, code in texts if re.search(pattern, case.watchdog.reason))
    facts = {"image": case.image, "reason": case.watchdog.reason}
    return code(**{name: facts[name] for name in code.fact_names})


def _neglect(case: _Case) -> Finding | None:
    """Notice a watchdog that does not look any more."""
    since_s = max(case.watchdog.looked_s or 0.0, case.seen.unit(EDGED).active_since_s)
    seconds = case.seen.now_s - since_s
    if case.pulls or seconds <= modules.NOT_RUNNING.shows_after_s:
        return None
    return modules.NOT_RUNNING(state=case.container.state, seconds=round(seconds))
