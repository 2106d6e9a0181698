"""What we wrote into config.toml last, as the record keeps it: dotted names, secrets as digests. Pure."""

import hashlib
from typing import Any

from agent.edge import generated
from agent.edge.config_paths import REGISTRATION_ID, SECRETS, Intended
from agent.edge.config_text import KeyPath
from agent.edge.generated import Registration
from agent.facts.history import History
from agent.facts.snapshot import Snapshot
from agent.settings import Settings


def written(snapshot: Snapshot) -> dict[KeyPath, Any]:
    """Give our keys as they were written or adopted last."""
    return keys_of(snapshot.history)


def keys_of(history: History) -> dict[KeyPath, Any]:
    """Give the same from a record."""
    return {tuple(dotted.split(".")): value for dotted, value in history.written}


def was_ours(snapshot: Snapshot, path: KeyPath) -> bool:
    """Say whether we wrote a key of config.toml when we wrote it last."""
    return path in written(snapshot)


def registration(snapshot: Snapshot, settings: Settings) -> Registration:
    """Give what the device registers with: as it was applied last, else as we wrote it or as it is set."""
    applied = generated.registration(snapshot.config.generated)
    return Registration(
        applied.registration_id or str(written(snapshot).get(REGISTRATION_ID, "")),
        applied.global_endpoint or settings.dps.global_endpoint,
    )


def record_of(intended: Intended) -> tuple[tuple[str, Any], ...]:
    """Give our keys as the record keeps them; what is to be absent is left out."""
    return tuple(
        (".".join(path), comparable(path, value))
        for path, value in sorted(intended.items())
        if value is not None
    )


def comparable(path: KeyPath, value: Any) -> Any:
    """Give a value as the record has it: a secret's digest."""
    return _digest(value) if path in SECRETS and value is not None else value


def _digest(value: object) -> str:
    return "sha256:" + hashlib.sha256(str(value).encode()).hexdigest()
