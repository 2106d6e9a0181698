"""From what was observed to why the runtime does not work: one table, read from the top. Pure.

The runtime's own words lie in both directions (Running with the identity lost, Ready when masked), so units,
journal, identity service, files and the TPM are witnesses together. What is told is the true cause, not its
last echo. Each text that is matched was seen on runtime 1.6.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from agent.codes import Code, Finding, cloud, identity, runtime
from agent.edge import journal_text
from agent.edge.engine import EngineState
from agent.edge.identity_service import AnswerKind, DeviceAnswer
from agent.host.journal import Entry
from agent.host.systemd import Unit
from agent.values import dataclass, field

EDGED, IDENTITYD, KEYD, CERTD, TPMD = (
    f"aziot-{name}.service" for name in ("edged", "identityd", "keyd", "certd", "tpmd")
)
DAEMONS = (EDGED, IDENTITYD, KEYD, CERTD, TPMD)
_EXIT_SETTINGS = 153  # edged's "bad settings", which systemd does not restart
_PATIENCE_S = 20.0  # a first registration takes 10 to 15 s with a quick cloud
_REQUEST_TIMEOUT_S = 75.0  # cloud_timeout_sec is at least 70; silence beyond it is a pause after a 429
_SHORT_LIFE_S = 60.0  # crash loops were seen with 5 to 16 s
_ONCE = 1
_NOT_STORED = "Network not available for Identity reconciliation"  # an identity is stored at its end


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the witnesses say. `looked` is what aziot-tpmd opens, `node` where the TPM is, if anywhere."""

    units: Mapping[str, Unit]
    answer: DeviceAnswer
    now_s: float
    now_utc: str
    restarted: frozenset[str] = frozenset()
    backup: bool = True
    journal: tuple[Entry, ...] = ()
    node: str = ""
    looked: str = ""
    engine: EngineState = EngineState.UNKNOWN
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def unit(self, name: str) -> Unit:
        """Give a unit; one that systemd did not speak of is empty."""
        return self.units.get(name, Unit(name))

    @property
    def answered(self) -> bool:
        """Whether the identity service named the device."""
        return self.answer.kind is AnswerKind.DEVICE

    @property
    def troubled(self) -> tuple[str, ...]:
        """The daemons that are failing now, or were started again by systemd since the last look."""
        names = (name for name in DAEMONS if self.unit(name).load not in ("", "not-found"))
        return tuple(name for name in names if _fails(self.unit(name)) or name in self.restarted)

    @property
    def calm(self) -> bool:
        """Whether every daemon is up now and the device is known, whatever happened before."""
        return self.answered and not any(_fails(self.unit(name)) for name in DAEMONS)

    def failure(self, name: str) -> tuple[str, ...]:
        """Give the lines of a daemon's last failure; what was before somebody started it is history."""
        unit = self.unit(name)
        if unit.active == "inactive":
            return ()
        by_hand = unit.runs and unit.restarts == 0
        return journal_text.last_failure(self.journal, name, newest_only=by_hand)


def _fails(unit: Unit) -> bool:
    return unit.active == "failed" or unit.restarting


def diagnose(evidence: Evidence) -> Finding | None:
    """Give the cause that explains most, or None where the runtime works and knows its device."""
    return next(filter(None, (rule(evidence) for rule in _RULES)), None)


def _masked(seen: Evidence) -> Finding | None:
    masked = [name for name, unit in seen.units.items() if "masked" in (unit.load, unit.enabled)]
    return runtime.UNIT_MASKED(unit=_short(masked[0])) if masked else None


def _bad_settings(seen: Evidence) -> Finding | None:
    unit = seen.unit(EDGED)
    if unit.active != "failed" or unit.exit_status != _EXIT_SETTINGS:
        return None
    reason = journal_text.innermost_cause(seen.failure(EDGED))
    return runtime.SETTINGS_BAD(unit=_short(EDGED), reason=reason or "exit status 153")


def _stopped(seen: Evidence) -> Finding | None:
    """Find a daemon that somebody stopped: edged must always run, others may be idle behind a socket.

    A service and its socket are down together only by hand, or while the machine starts.
    """
    for name in DAEMONS:
        unit, socket = seen.unit(name), seen.unit(name.replace(".service", ".socket"))
        if unit.active != "inactive" or unit.load != "loaded":
            continue
        asked = unit if name == EDGED else socket
        if asked.load == "loaded" and asked.active == "inactive":
            comes_up = asked.enabled == "enabled" and not asked.active_since_s  # not up yet in this boot
            return runtime.STARTING() if comes_up else runtime.STOPPED(unit=_short(name))
    return None


def _backup_lost(seen: Evidence) -> Finding | None:
    """Say so before why: while the daemons still run, it matters most that nobody restarts them."""
    known = seen.answer.kind in (AnswerKind.DEVICE, AnswerKind.NO_DEVICE)
    had_one = seen.answered or bool(seen.facts.get("device_id"))
    if seen.backup or not known or not had_one:
        return None
    run = journal_text.present_run(seen.journal, IDENTITYD)
    offline = seen.answered and any(_NOT_STORED in entry.message for entry in run)
    return cloud.HUB_UNREACHABLE() if offline else identity.BACKUP_LOST()


def _tpmd(seen: Evidence) -> Finding | None:
    """Read aziot-tpmd's journal; what aziot-identityd says then is only an echo of it."""
    unwell = TPMD in seen.troubled or not seen.answered
    if not unwell or seen.calm:
        return None
    lines = seen.failure(TPMD)
    if any(f"device file {seen.node}: No such file" in line for line in lines):
        return runtime.STARTING()  # the TPM is back where it was missed, and systemd starts aziot-tpmd again
    return _match(_TPMD_TEXTS, lines, seen) or (_tpm_trouble(lines) if TPMD in seen.troubled else None)


def _tpm_trouble(lines: tuple[str, ...]) -> Finding | None:
    reason = journal_text.innermost_cause(lines)
    return runtime.TPM_TROUBLE(reason=reason) if reason else None


def _identityd(seen: Evidence) -> Finding | None:
    if seen.calm or (IDENTITYD not in seen.troubled and seen.answered):
        return None
    lines = seen.failure(IDENTITYD)
    return _match(_IDENTITYD_TEXTS, lines, seen) or _cloud_words(lines)


def _cloud_words(lines: tuple[str, ...]) -> Finding | None:
    """Hand on what the cloud itself said, where nothing better is known."""
    said = journal_text.errors(lines)
    reason = journal_text.telling_cause(lines)
    if not any("DPS client error" in text for text in said) or not reason:
        return None
    if "Connection reset by peer" in reason:  # aziot-tpmd's socket went with it; its own journal tells more
        return runtime.TPM_TROUBLE(reason="aziot-tpmd ends before it answers")
    own_fault = re.search(r"(?i)internal|server error|unavailable", reason)
    return (cloud.SERVER_ERROR if own_fault else cloud.REJECTED)(reason=reason)


def _silent(seen: Evidence) -> Finding | None:
    """Tell starting, waiting, throttled and hanging apart: in all, identityd is Running and silent."""
    if not seen.unit(IDENTITYD).runs or seen.answer.kind is not AnswerKind.NO_ANSWER:
        return None
    run = journal_text.present_run(seen.journal, IDENTITYD)
    texts = tuple(entry.message for entry in run)
    found = _match(_IDENTITYD_TEXTS, texts, seen)
    if found:
        return found
    began = [entry.monotonic_s for entry in run if "Provisioning starting" in entry.message]
    seconds = seen.now_s - max([*began, seen.unit(IDENTITYD).active_since_s])
    if seconds > _REQUEST_TIMEOUT_S:
        return cloud.THROTTLED(seconds=round(seconds))
    return cloud.SILENT(seconds=round(seconds)) if seconds > _PATIENCE_S else runtime.STARTING()


def _crash_loop(seen: Evidence) -> Finding | None:
    for name in seen.troubled:
        unit = seen.unit(name)
        reason = journal_text.innermost_cause(seen.failure(name))
        facts = {"unit": _short(name), "reason": reason or f"result {unit.result}, status {unit.exit_status}"}
        if unit.active == "failed":
            return runtime.UNIT_FAILED(**facts)
        if _loops(seen, unit):
            return runtime.CRASH_LOOP(**facts)
    return runtime.RESTARTED(unit=_short(seen.troubled[0])) if seen.troubled else None


def _loops(seen: Evidence, unit: Unit) -> bool:
    """Say whether a unit failed more than once and did not live long in between."""
    failures = unit.restarts + _fails(unit)
    return not seen.calm and failures > _ONCE and seen.now_s - unit.active_since_s < _SHORT_LIFE_S


def _not_known(seen: Evidence) -> Finding | None:
    kinds: Mapping[AnswerKind, Callable[[], Finding]] = {
        AnswerKind.NO_DEVICE: identity.NOT_KNOWN,
        AnswerKind.REFUSED: identity.NOT_ASKED,
        AnswerKind.NOBODY: runtime.STARTING,
        AnswerKind.NOT_ASKED: runtime.STARTING,
        AnswerKind.NO_ANSWER: runtime.STARTING,
    }
    make = kinds.get(seen.answer.kind)
    return make() if make else None


def _engine(seen: Evidence) -> Finding | None:
    return runtime.ENGINE_DOWN() if seen.engine is EngineState.DOWN else None


_RULES: tuple[Callable[[Evidence], Finding | None], ...] = (
    _masked,
    _bad_settings,
    _stopped,
    _backup_lost,
    _tpmd,
    _identityd,
    _silent,
    _crash_loop,
    _not_known,
    _engine,
)

# Text, searched in the lines of one process joined by newlines; the code it means. The first match wins.
_TPMD_TEXTS: tuple[tuple[str, Code], ...] = (
    (r"device file (?P<node>/\S+): Permission denied", runtime.TPM_DENIED),
    (r"Could not open any default TCTI", runtime.TPM_ELSEWHERE),
    (r"device file (?P<looked>/\S+): No such file", runtime.TPM_ELSEWHERE),
    (r"authorization failure without DA implications|0x9a2", runtime.TPM_PASSWORD),
)
_IDENTITYD_TEXTS: tuple[tuple[str, Code], ...] = (
    (r"missing field `authenticationKey`", cloud.NOT_ENROLLED),
    (r"unknown variant `disabled`", cloud.DISABLED),
    (r"provisioning\.payload\"(?s:.*)caused by: (?P<reason>.*\(os error \d+\))", runtime.PAYLOAD_UNREADABLE),
    (r"provisioning\.payload\"(?s:.*)caused by: (?P<reason>.*)", runtime.PAYLOAD_INVALID),
    (r"certificate is not yet valid|certificate has expired", cloud.CLOCK_WRONG),
    (r"DPS client error\n.* caused by: Unauthorized", cloud.CLOCK_BEHIND),
    (r"(?i)timed out|deadline has elapsed", cloud.HANGING),
    (r"caused by: client error \(Connect\)(?s:.*)caused by: (?P<reason>.*)", cloud.UNREACHABLE),
    (r"error trying to connect: (?P<reason>.*)", cloud.UNREACHABLE),  # up to runtime 1.5
    (r"Could not reconcile Identities with current device data", cloud.HUB_REFUSES),
)


def _match(table: tuple[tuple[str, Code], ...], lines: tuple[str, ...], seen: Evidence) -> Finding | None:
    text = "\n".join(lines)
    for pattern, code in table:
        found = re.search(pattern, text)
        if found:
            words = {name: value for name, value in found.groupdict().items() if value}
            known = {"now": seen.now_utc, "node": seen.node, "looked": seen.looked, **seen.facts, **words}
            return code(**{name: known.get(name, "unknown") for name in code.fact_names})
    return None


def _short(unit: str) -> str:
    return unit.removesuffix(".service")
