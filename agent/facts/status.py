"""The status that a pass leaves behind: what `status` shows, and what the next pass compares with. Pure.

It lies in /run, so it ends with the boot that it speaks of.
"""

import json
from collections.abc import Mapping
from typing import Any, Self

from agent.facts import typed
from agent.values import asdict, dataclass, field, fields

SCHEMA = 1
PLACE = "/run/edge-provisioner/status.json"


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """A daemon of the runtime: systemd's word for its state, its process, how often systemd restarted it."""

    state: str
    pid: int
    restarts: int


@dataclass(frozen=True, slots=True)
class ModuleStatus:
    """A module's container: the engine's word for its state, and its process."""

    state: str
    pid: int


@dataclass(frozen=True, slots=True)
class SeenNode:
    """A TPM node and since when (monotonic) it has been there, as the same inode."""

    name: str
    inode: int
    since_s: float


@dataclass(frozen=True, slots=True)
class TpmStatus:
    """The TPM in use, the setting that it was chosen by, the nodes that are there, and its trouble's code."""

    node: str = ""
    ek_name: str = ""
    seen: tuple[SeenNode, ...] = ()
    setting: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something worth knowing that does not change the phase."""

    code: str
    summary: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Writer:
    """Who wrote the status: the watcher whose pass it was, or the command."""

    boot_id: str
    pid: int
    start_time: int
    because: str


@dataclass(frozen=True, slots=True)
class StepStatus:
    """The step that is being done, which of how many, since when (wall clock), and by which process."""

    name: str
    effect: str
    number: int
    of: int
    since: float
    pid: int
    start_time: int


@dataclass(frozen=True, slots=True)
class Status:
    """The status. `since` and `seen_at` are wall clock seconds, `monotonic_s` is when it was written.

    While a pass does a `step` its status stands here; a finished pass leaves none, one that was killed does.
    `judged` are the files by which the look judged, each with what was there in a word (host.sights).
    """

    phase: str
    code: str
    summary: str
    remedy: str
    since: float
    seen_at: float
    monotonic_s: float
    look_again_s: float
    transaction: str
    writer: Writer
    schema: int = SCHEMA
    registration_id: str = ""
    hub: str = ""
    device_id: str = ""
    tpm: TpmStatus = field(default_factory=TpmStatus)
    units: Mapping[str, UnitStatus] = field(default_factory=dict)
    modules: Mapping[str, ModuleStatus] = field(default_factory=dict)
    runtime_version: str = ""
    runtime_says: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    step: StepStatus | None = None
    judged: Mapping[str, str] = field(default_factory=dict)

    def dumps(self) -> str:
        """Write it as JSON."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def loads(cls, text: str | bytes) -> Self:
        """Read it back.

        Raises:
            ValueError: it is damaged or of another schema.
        """
        try:
            document = typed.document(text)
            if document.get("schema") != SCHEMA:
                raise ValueError("another schema")
            return typed.checked(cls(**_parts(document)))
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"damaged: {error}") from error


def _parts(document: dict[str, Any]) -> dict[str, Any]:
    known = {one.name: document[one.name] for one in fields(Status) if one.name in document}
    tpm = dict(known["tpm"])
    tpm["seen"] = tuple(typed.checked(SeenNode(**one)) for one in tpm["seen"])
    known["tpm"] = typed.checked(TpmStatus(**tpm))
    known["writer"] = typed.checked(Writer(**known["writer"]))
    known["units"] = {name: typed.checked(UnitStatus(**one)) for name, one in known["units"].items()}
    if known.get("step") is not None:
        known["step"] = typed.checked(StepStatus(**known["step"]))
    modules = known.get("modules", {})
    known["modules"] = {name: typed.checked(ModuleStatus(**one)) for name, one in modules.items()}
    known["notices"] = tuple(typed.checked(Notice(**one)) for one in known["notices"])
    return known
