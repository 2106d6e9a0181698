"""What a code is, what a finding is, and the error that carries one. Pure; no rows live here."""

import string
from enum import IntEnum, StrEnum

from agent.codes.shown import shown
from agent.values import dataclass


class Severity(StrEnum):
    """How loud a code is; the values are the names journalctl -p takes."""

    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "err"

    @property
    def priority(self) -> int:
        """The syslog priority (RFC 5424 section 6.2.1) that PRIORITY= carries in the journal."""
        return {"info": 6, "notice": 5, "warning": 4, "err": 3}[self.value]


class Phase(StrEnum):
    """Where a device is on its way to being provisioned (design section 1)."""

    UNCONFIGURED = "unconfigured"
    WAITING = "waiting"
    PROVISIONING = "provisioning"
    PROVISIONED = "provisioned"
    DEGRADED = "degraded"
    HELD = "held"


class ExitCode(IntEnum):
    """What a command ends with (design section 1)."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNFINISHED = 3
    HELD = 4


_EXIT_OF_PHASE = {
    Phase.UNCONFIGURED: ExitCode.UNFINISHED,
    Phase.WAITING: ExitCode.UNFINISHED,
    Phase.PROVISIONING: ExitCode.UNFINISHED,
    Phase.PROVISIONED: ExitCode.DONE,
    Phase.DEGRADED: ExitCode.FAILED,
    Phase.HELD: ExitCode.HELD,
}


def _placeholders(*templates: str) -> frozenset[str]:
    fields = (field for text in templates for _, field, _, _ in string.Formatter().parse(text))
    return frozenset(field for field in fields if field)


@dataclass(frozen=True, slots=True)
class Code:
    """One outcome. Call it with its facts to get a `Finding`: `LOCKED(node="/dev/tpmrm0")`.

    `summary` is one line for a status display, `explanation` says what it means and why it
    happens, `remedy` what to do, in words a tired person can follow. The three may name facts
    in braces. A code with phase PROVISIONED is a notice: it changes nothing about the device's
    phase.

    `shows_after_s` is how long a fault must have lasted before it can be told from something that passes by
    itself. `visible_within_s` is how long after it began it may take until it is told, that time included:
    what may follow from a finding is looked for at least each `slack_s`.
    """

    name: str
    phase: Phase
    severity: Severity
    summary: str
    explanation: str
    remedy: str
    shows_after_s: float = 0.0
    visible_within_s: float = 60.0

    @property
    def slack_s(self) -> float:
        """The longest pause between two looks, in seconds, with which the code is told in time."""
        return self.visible_within_s - self.shows_after_s

    @property
    def exit_code(self) -> ExitCode:
        """What a command that ends on this code exits with; bad settings are a usage error."""
        if self.name.startswith("settings.") and self.phase is Phase.HELD:
            return ExitCode.USAGE
        return _EXIT_OF_PHASE[self.phase]

    @property
    def message_id(self) -> str:
        """The journal's MESSAGE_ID: 128 bits in hex, a function of the name, which never changes."""
        import hashlib  # maps libcrypto, 3.6 MiB that the watcher can do without until it has to speak

        return hashlib.sha256(f"edge-provisioner:{self.name}".encode()).hexdigest()[:32]

    @property
    def fact_names(self) -> frozenset[str]:
        """The facts that the texts name."""
        return _placeholders(self.summary, self.explanation, self.remedy)

    def __call__(self, **facts: object) -> "Finding":
        """Give the code its facts. Whoever they come from, they are fit to be shown from here on.

        A fact is one line; one that is several is given as a tuple of them.

        Raises:
            TypeError: a fact that the texts name is missing.

        """
        if missing := self.fact_names - facts.keys():
            raise TypeError(f"{self.name} needs {', '.join(sorted(missing))}")
        return Finding(self, tuple(sorted((name, _fact(value)) for name, value in facts.items())))


def _fact(value: object) -> str:
    return "\n".join(map(_fact, value)) if isinstance(value, tuple) else shown(str(value))


@dataclass(frozen=True, slots=True)
class Finding:
    """A code together with the facts of this one case; two findings are equal if both are."""

    code: Code
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def summary(self) -> str:
        """The code's summary with the facts filled in."""
        return self.code.summary.format_map(dict(self.facts))

    @property
    def explanation(self) -> str:
        """The code's explanation with the facts filled in."""
        return self.code.explanation.format_map(dict(self.facts))

    @property
    def remedy(self) -> str:
        """The code's remedy with the facts filled in."""
        return self.code.remedy.format_map(dict(self.facts))

    @property
    def told(self) -> str:
        """Code, summary and, on a line of its own, the remedy: what a command that can't go on says."""
        return f"{self.code.name}: {self.summary}\n  what to do: {self.remedy}"


class AgentError(Exception):
    """A step could not be done; `finding` says why and what to do. The only error that leaves a room."""

    def __init__(self, finding: Finding) -> None:
        """Keep the finding; `str()` of the error is its summary."""
        super().__init__(f"{finding.code.name}: {finding.summary}")
        self.finding = finding
