"""What the witnesses of the runtime say, side by side, and how a daemon's words are looked up in it. Pure."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from agent.codes import Code, Finding
from agent.edge import journal_text
from agent.edge.container import Container
from agent.edge.engine import EngineState
from agent.edge.identity_service import AnswerKind, DeviceAnswer
from agent.host.journal import Entry
from agent.host.systemd import Unit
from agent.values import dataclass, field

EDGED, IDENTITYD, KEYD, CERTD, TPMD = (
    f"aziot-{name}.service" for name in ("edged", "identityd", "keyd", "certd", "tpmd")
)
DAEMONS = (EDGED, IDENTITYD, KEYD, CERTD, TPMD)
SOCKETS = (
    *(f"aziot-edged.{name}.socket" for name in ("mgmt", "workload")),
    *(name.replace(".service", ".socket") for name in DAEMONS if name != EDGED),
)
Texts = tuple[tuple[str, Code], ...]  # a pattern, and the code that it means; the first match wins


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the witnesses say. `looked` is what aziot-tpmd opens, `node` where the TPM is, if anywhere.

    `now_s` is the monotonic clock, as the journal and the units have it; `wall_s` is what containers have.
    """

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
    edge_agent: Container = field(default_factory=Container)
    wall_s: float = 0.0
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
        return tuple(name for name in names if fails(self.unit(name)) or name in self.restarted)

    @property
    def calm(self) -> bool:
        """Whether every daemon is up now and the device is known, whatever happened before."""
        return self.answered and not any(fails(self.unit(name)) for name in DAEMONS)

    def failure(self, name: str) -> tuple[str, ...]:
        """Give the lines of a daemon's last failure; what was before somebody started it is history."""
        unit = self.unit(name)
        if unit.active == "inactive":
            return ()
        by_hand = unit.runs and unit.restarts == 0
        return journal_text.last_failure(self.journal, name, newest_only=by_hand)

    def match(self, texts: Texts, lines: tuple[str, ...]) -> Finding | None:
        """Search the lines of one process, joined by newlines; give what the first pattern found means.

        A code's facts are the pattern's groups, and what is known of the device.
        """
        text = "\n".join(lines)
        for pattern, code in texts:
            found = re.search(pattern, text)
            if found:
                words = {name: value for name, value in found.groupdict().items() if value}
                device = {"now": self.now_utc, "node": self.node, "looked": self.looked}
                known = {**device, **self.facts, **words}
                return code(**{name: known.get(name, "unknown") for name in code.fact_names})
        return None


def fails(unit: Unit) -> bool:
    """Say whether a unit is failed now, or waits to be started again after it failed."""
    return unit.active == "failed" or unit.restarting


def short(unit: str) -> str:
    """Give a service's name as people type it; a socket keeps its own."""
    return unit.removesuffix(".service")


def service_of(socket: str) -> str:
    """Name the service behind a socket of the runtime."""
    return socket.partition(".")[0] + ".service"
