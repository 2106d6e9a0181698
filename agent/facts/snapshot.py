"""Everything a pass knows, in one frozen value: the doors fill it, the planner reads nothing else. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from agent.codes import Finding
from agent.edge.container import Container
from agent.edge.engine import EngineState
from agent.edge.identity_service import DeviceAnswer
from agent.edge.key_files import UnusableKey
from agent.edge.status_text import ServiceLine
from agent.facts.history import History
from agent.facts.status import SeenNode
from agent.host.journal import Entry
from agent.host.systemd import Unit
from agent.settings import Settings
from agent.tpm.access import Access, Rule
from agent.tpm.keys import Authorisations
from agent.tpm.registration import MachineFacts
from agent.values import dataclass, field


@dataclass(frozen=True, slots=True)
class TpmFacts:
    """The TPM as it was found. `node` is as users know it, empty for a TCTI that is no node.

    `asked` is false when keys were taken from the record because this pass had no reason to wake the TPM.
    """

    node: str = ""
    runtime_tcti: str | None = None
    asked: bool = False
    missing_keys: tuple[str, ...] = ()
    ek_public: bytes = b""
    ek_name: str = ""
    srk_name: str = ""
    seen: tuple[SeenNode, ...] = ()
    settles_in_s: float = 0.0
    trouble: Finding | None = None
    notices: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """Whether the runtime's user may open the TPM's node, and the udev rule; `trouble` is about our rule.

    `shared` says that the node is another's: where access is granted, it is by group or for everybody.
    """

    user_exists: bool = False
    rule: Rule = field(default_factory=Rule)
    access: Access = Access.NOT_PROVEN
    reason: str = ""
    trouble: Finding | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True)
class ConfigFacts:
    """config.toml and what apply made of it; `text` is None where there is no file.

    `refusal` says why it can't be worked on at all, `hindrance` why it can't be written.
    `unusable_keys` are keys in it that name a private key's file with which something is the matter.
    `generated` has None for a file that is missing or can't be read; `generated_closed` says why the latter.
    """

    path: str
    text: str | None = None
    digest: str = ""
    refusal: Finding | None = None
    hindrance: Finding | None = None
    unusable_keys: tuple[UnusableKey, ...] = ()
    newest_backup: str = ""
    newer_than_generated: bool = False
    generated: Mapping[str, str | None] = field(default_factory=lambda: MappingProxyType({}))
    generated_closed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    payload: bytes | None = None


@dataclass(frozen=True, slots=True)
class RuntimeFacts:
    """The runtime: is it there, how are its daemons, and what do they say.

    `program` is the runtime's command; where it is None `trouble` says why none is run.
    `units` is None where systemd does not answer; `restarts_before` is what the last look counted;
    `journal` is read only when something is wrong. `change_pid` and `installer_pid` are processes that change
    the runtime now: an `iotedge` command, and whoever installs packages. `engine_oldest_api` is the oldest
    version of its API that the container engine takes ("1.41"). `edge_agent` is the container of the
    module edgeAgent, asked for once the device is known.
    """

    program: str | None = None
    trouble: Finding | None = None
    version: str = ""
    units: tuple[Unit, ...] | None = ()
    restarts_before: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    status: tuple[ServiceLine, ...] = ()
    answer: DeviceAnswer = field(default_factory=DeviceAnswer)
    backup: bool = False
    engine: EngineState = EngineState.UNKNOWN
    engine_version: str = ""
    engine_oldest_api: str = ""
    edge_agent: Container = field(default_factory=Container)
    journal: tuple[Entry, ...] = ()
    change_pid: int | None = None
    installer_pid: int | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """The machine and the time of the look."""

    boot_id: str
    machine: MachineFacts
    wall_s: float
    monotonic_s: float


class Because(StrEnum):
    """What made the pass look. A timer's or a file's pass wakes no TPM; no other fact follows from it."""

    COMMAND = "command"
    START = "start"
    UDEV = "udev"
    EXIT = "exit"
    SIGNAL = "signal"
    FILES = "files"
    TIMER = "timer"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a plan is made from. `adopt` and `insist` are a person's word: take over, try again now.

    `named_settings` are the settings that a file names, by their dotted names; others have their defaults.
    `judged` are the paths that the witnesses went by, each with what lay there when they began to look.
    """

    moment: Moment
    settings: Settings | None
    settings_trouble: Finding | None
    tpm: TpmFacts
    access: AccessFacts
    config: ConfigFacts
    runtime: RuntimeFacts
    history: History
    authorisations: Authorisations = field(default_factory=Authorisations)
    named_settings: frozenset[str] = frozenset()
    judged: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    adopt: bool = False
    insist: bool = False


class Part(StrEnum):
    """Which part of the snapshot a step changes, and so must be looked at again."""

    TPM = "tpm"
    ACCESS = "access"
    CONFIG = "config"
    RUNTIME = "runtime"
