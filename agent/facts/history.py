"""What the agent did before: the record that outlives processes and reboots. Pure; others read and write it.

It answers three questions: is what stands in config.toml ours, may something be tried again yet, and is
this still the same device.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from agent.facts import typed
from agent.facts.ek_trail import Trail
from agent.values import asdict, dataclass, fields, replace

SCHEMA = 1
PLACE = "/var/lib/edge-provisioner/history.json"
_FIRST_PAUSE_S = 30.0
LONGEST_PAUSE_S = 3600.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """An apply that ended without its proof: of which config.toml, why, and when it may be repeated."""

    config_digest: str
    code: str
    facts: tuple[tuple[str, str], ...]
    failures: int
    boot_id: str
    retry_at_s: float


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity that was proven last, and the settings it was obtained with."""

    hub: str
    device_id: str
    id_scope: str
    registration_id: str
    global_endpoint: str


@dataclass(frozen=True, slots=True)
class Intent:
    """A step that was begun (`since_s` is monotonic); it stands here while it runs or after it was killed."""

    step: str
    transaction: str
    boot_id: str
    since_s: float = 0.0


@dataclass(frozen=True, slots=True)
class History:
    """The record. `written` is our keys of config.toml as last written or adopted, secrets as digests.

    `reapplied` is an apply that had to be done again, for what it had generated was changed by somebody.
    `ek_public` is the device's endorsement key: as config.toml was written with it; before that, as it was
    first made or printed for an enrolment. `ek_trail` are the keys that it was met with (facts.ek_trail).
    """

    schema: int = SCHEMA
    ek_public: str = ""  # hex
    ek_trail: Trail = ()
    srk_name: str = ""
    machine_id: str = ""
    written: tuple[tuple[str, Any], ...] = ()
    applied_digest: str = ""
    failed_apply: Attempt | None = None
    reapplied: Attempt | None = None
    identity: Identity | None = None
    intent: Intent | None = None

    @classmethod
    def loads(cls, text: str) -> Self:
        """Read a record.

        Raises:
            ValueError: it is damaged, or of a schema this version does not know.
        """
        document = typed.document(text)
        if document.get("schema") != SCHEMA:
            raise ValueError("not a record of schema 1")
        known = {field.name: document[field.name] for field in fields(cls) if field.name in document}
        parts: Mapping[str, Callable[..., Any]] = {
            "failed_apply": _attempt,
            "reapplied": _attempt,
            "identity": Identity,
            "intent": Intent,
        }
        try:
            made = {
                name: typed.checked(make(**known[name])) for name, make in parts.items() if known.get(name)
            }
            written = tuple((str(name), value) for name, value in known.get("written", ()))
            trail = tuple((str(name), str(boot_id)) for name, boot_id in known.get("ek_trail", ()))
        except TypeError as error:
            raise ValueError(str(error)) from error
        record = typed.checked(replace(cls(**{**known, "written": written, "ek_trail": trail}), **made))
        bytes.fromhex(record.ek_public)
        return record

    def dumps(self) -> str:
        """Write the record as JSON with sorted keys, so that equal records are equal files."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"


def _attempt(*, facts: Iterable[tuple[str, str]], **others: Any) -> Attempt:
    return Attempt(facts=tuple((name, value) for name, value in facts), **others)


def pause_s(failures: int, chance: float) -> float:
    """Give the pause after so many failures in a row: doubling, capped, with jitter in its upper half."""
    whole = min(LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(failures - 1, 16))
    return whole * (0.5 + 0.5 * chance)


def may_retry(attempt: Attempt, *, boot_id: str, now_s: float) -> bool:
    """Say whether the pause after a failed apply is over; a new boot ends it."""
    return attempt.boot_id != boot_id or now_s >= attempt.retry_at_s
