"""From settings and what was seen to our keys of config.toml. Pure."""

import json

from agent.edge import generated
from agent.edge.config_paths import (
    ENDPOINT,
    HOSTNAME,
    ID_SCOPE,
    MODE,
    PAYLOAD,
    PAYLOAD_PLACE,
    SOURCE,
    Document,
    Intended,
)
from agent.edge.config_text import KeyPath, Value, differences, value_at
from agent.facts.snapshot import Snapshot
from agent.plan import by_tpm
from agent.plan.left import SETTING_OF, left_to_config, words
from agent.plan.written import was_ours, written
from agent.settings import Settings


def intended_keys(
    snapshot: Snapshot, settings: Settings, document: Document, registration_id: str
) -> Intended:
    """Give our keys with the values they are to have in this document; not those that are left to it."""
    keys: dict[KeyPath, Value | None] = {
        MODE: settings.runtime.auto_reprovisioning_mode,
        SOURCE: "dps",
        ENDPOINT: _endpoint(settings, document),
        ID_SCOPE: settings.dps.id_scope,
    }
    keys |= by_tpm.attestation(registration_id)
    keys |= _hostname(snapshot, settings, document)
    keys |= _payload(snapshot, settings)
    keys |= by_tpm.tpm_table(snapshot)
    left = left_to_config(words(snapshot, settings), document)
    ours = {path: value for path, value in keys.items() if left.get(path, value) == value}
    return _without_defaults(snapshot, settings, document, ours)


def _endpoint(settings: Settings, document: Document) -> str:
    """Keep the file's spelling where it means the same: with or without a slash at the end."""
    wanted, there = settings.dps.global_endpoint, value_at(document, ENDPOINT)
    return there if isinstance(there, str) and same_endpoint(there, wanted) else wanted


def same_endpoint(one: str, other: str) -> bool:
    """Say whether two endpoints are the same: to the runtime a slash at the end means nothing."""
    return one.rstrip("/") == other.rstrip("/")


def _hostname(snapshot: Snapshot, settings: Settings, document: Document) -> dict[KeyPath, Value | None]:
    """Pin the name that the runtime was given first: it refuses another one while modules exist.

    Where no settings file says `pin`, another name in config.toml is somebody's word, and left.
    """
    wanted = settings.runtime.hostname
    if wanted == "follow":
        return {HOSTNAME: None} if was_ours(snapshot, HOSTNAME) else {}
    if wanted != "pin":
        return {HOSTNAME: wanted}
    there = value_at(document, HOSTNAME) if SETTING_OF[HOSTNAME] in snapshot.named_settings else None
    names = (written(snapshot).get(HOSTNAME), there, _applied_hostname(snapshot))
    given = (name for name in names if name and isinstance(name, str))
    return {HOSTNAME: next(given, snapshot.moment.machine.hostname)}


def _applied_hostname(snapshot: Snapshot) -> str | None:
    """Give the host name of the last apply, whoever did it."""
    applied = generated.document_of(snapshot.config.generated.get("identityd")) or {}
    name = applied.get("hostname")
    return name if isinstance(name, str) else None


def _payload(snapshot: Snapshot, settings: Settings) -> dict[KeyPath, Value | None]:
    if settings.dps.payload is not None:
        return {PAYLOAD: {"uri": f"file://{PAYLOAD_PLACE}"}}
    return {PAYLOAD: None} if was_ours(snapshot, PAYLOAD) else {}


def payload_bytes(settings: Settings) -> bytes | None:
    """Give the payload as the JSON file that the runtime reads; None where the settings have none."""
    payload = settings.dps.payload
    return None if payload is None else (json.dumps(payload, indent=1, sort_keys=True) + "\n").encode()


def _without_defaults(snapshot: Snapshot, settings: Settings, document: Document, keys: Intended) -> Intended:
    """Leave out what a file of someone else's need not say because the runtime assumes it.

    A file that already means what we want is neither rewritten nor applied.
    """
    assumed = {
        MODE: keys.get(MODE) == generated.DEFAULT_MODE,
        HOSTNAME: settings.runtime.hostname == "pin" and not was_ours(snapshot, HOSTNAME),
    }
    wanted = {
        path: value
        for path, value in keys.items()
        if not (assumed.get(path) and value_at(document, path) is None)
    }
    return keys if differences(document, wanted) else wanted
