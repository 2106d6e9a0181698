"""From settings and the TPM's identity to our keys of config.toml, and to what differs from them. Pure.

None as a value means that the key must not be there; a key that is not named is none of our business.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from agent.converge.snapshot import Snapshot
from agent.edge import generated
from agent.edge.config_text import KeyPath, Value, differences, value_at
from agent.settings import Settings

PAYLOAD_PLACE = "/etc/aziot/edge-provisioner-payload.json"
PAYLOAD_READER = "aziotid"
FROM_KEY = "(from the endorsement key)"  # stands for a registration id until there is that key
MODE: KeyPath = ("auto_reprovisioning_mode",)
HOSTNAME: KeyPath = ("hostname",)
ENDPOINT: KeyPath = ("provisioning", "global_endpoint")
ID_SCOPE: KeyPath = ("provisioning", "id_scope")
REGISTRATION_ID: KeyPath = ("provisioning", "attestation", "registration_id")
METHOD: KeyPath = ("provisioning", "attestation", "method")
SOURCE: KeyPath = ("provisioning", "source")
PAYLOAD: KeyPath = ("provisioning", "payload")
TCTI: KeyPath = ("tpm", "tcti")
OWNER_AUTH: KeyPath = ("tpm", "hierarchy_authorization", "owner")
ENDORSEMENT_AUTH: KeyPath = ("tpm", "hierarchy_authorization", "endorsement")
SECRETS = (OWNER_AUTH, ENDORSEMENT_AUTH)
_SECRETS_OF_OTHERS: tuple[KeyPath, ...] = (  # keys, passwords, and URIs that may hold a PIN (runtime 1.6)
    ("provisioning", "connection_string"),
    ("provisioning", "authentication"),
    ("provisioning", "attestation", "symmetric_key"),
    ("provisioning", "attestation", "identity_pk"),
    ("provisioning", "attestation", "identity_cert"),
    ("cert_issuance", "est", "auth"),
    ("edge_ca", "pk"),
    ("preloaded_keys",),
    ("agent", "config", "auth"),
    ("agent", "env"),
)
NOT_SHOWN = SECRETS + _SECRETS_OF_OTHERS
IDENTITY_KEYS = (SOURCE, METHOD, ID_SCOPE, REGISTRATION_ID, ENDPOINT)

Document = Mapping[str, Any]
Intended = Mapping[KeyPath, Value | None]


def intended_keys(
    snapshot: Snapshot, settings: Settings, document: Document, registration_id: str
) -> Intended:
    """Give our keys with the values they are to have in this document."""
    keys: dict[KeyPath, Value | None] = {
        MODE: settings.runtime.auto_reprovisioning_mode,
        SOURCE: "dps",
        ENDPOINT: _endpoint(settings, document),
        ID_SCOPE: settings.dps.id_scope,
        METHOD: "tpm",
        REGISTRATION_ID: registration_id,
    }
    keys |= _hostname(snapshot, settings, document)
    keys |= _payload(snapshot, settings)
    keys |= _tcti(snapshot)
    keys |= _passwords(snapshot)
    return _without_defaults(snapshot, settings, document, keys)


def _endpoint(settings: Settings, document: Document) -> str:
    """Keep the file's spelling where it means the same: with or without a slash at the end."""
    wanted, there = settings.dps.global_endpoint, value_at(document, ENDPOINT)
    return there if isinstance(there, str) and same_endpoint(there, wanted) else wanted


def same_endpoint(one: str, other: str) -> bool:
    """Say whether two endpoints are the same: to the runtime a slash at the end means nothing."""
    return one.rstrip("/") == other.rstrip("/")


def _hostname(snapshot: Snapshot, settings: Settings, document: Document) -> dict[KeyPath, Value | None]:
    """Pin the name that the runtime was given first: it refuses another one while modules exist."""
    wanted = settings.runtime.hostname
    if wanted == "follow":
        return {HOSTNAME: None} if was_ours(snapshot, HOSTNAME) else {}
    if wanted != "pin":
        return {HOSTNAME: wanted}
    names = (_written(snapshot).get(HOSTNAME), value_at(document, HOSTNAME), applied_hostname(snapshot))
    given = (name for name in names if name and isinstance(name, str))
    return {HOSTNAME: next(given, snapshot.moment.machine.hostname)}


def applied_hostname(snapshot: Snapshot) -> str | None:
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


def _tcti(snapshot: Snapshot) -> dict[KeyPath, Value | None]:
    wanted = snapshot.tpm.runtime_tcti
    return {TCTI: wanted} if wanted is not None or was_ours(snapshot, TCTI) else {}


def _passwords(snapshot: Snapshot) -> dict[KeyPath, Value | None]:
    given = {
        OWNER_AUTH: snapshot.authorisations.owner,
        ENDORSEMENT_AUTH: snapshot.authorisations.endorsement,
    }
    return {path: secret.reveal() for path, secret in given.items() if secret is not None}


def _without_defaults(snapshot: Snapshot, settings: Settings, document: Document, keys: Intended) -> Intended:
    """Leave out what a file of someone else's need not say because the runtime assumes it.

    A file that already means what we want is neither rewritten nor applied.
    """
    assumed = {
        MODE: keys[MODE] == generated.DEFAULT_MODE,
        HOSTNAME: settings.runtime.hostname == "pin" and not was_ours(snapshot, HOSTNAME),
    }
    wanted = {
        path: value
        for path, value in keys.items()
        if not (assumed.get(path) and value_at(document, path) is None)
    }
    return keys if differences(document, wanted) else wanted


def _written(snapshot: Snapshot) -> dict[KeyPath, Any]:
    return {tuple(dotted.split(".")): value for dotted, value in snapshot.history.written}


def was_ours(snapshot: Snapshot, path: KeyPath) -> bool:
    """Say whether we wrote a key of config.toml when we wrote it last."""
    return path in _written(snapshot)


def record_of(intended: Intended) -> tuple[tuple[str, Any], ...]:
    """Give our keys as the history keeps them: dotted, secrets as digests, what is to be absent left out."""
    return tuple(
        (".".join(path), _digest(value) if path in SECRETS else value)
        for path, value in sorted(intended.items())
        if value is not None
    )


def _digest(value: object) -> str:
    return "sha256:" + hashlib.sha256(str(value).encode()).hexdigest()


def provisions_otherwise(snapshot: Snapshot, document: Document, intended: Intended) -> str:
    """Say how a device we have no record of is provisioned in another way; empty if it is not.

    Where config.toml says nothing, what was applied last says it.
    """
    there = document if "provisioning" in document else _as_config(snapshot)
    if snapshot.history.written or "provisioning" not in there:
        return ""
    known = (path for path in IDENTITY_KEYS if intended[path] != FROM_KEY)  # with the key comes the next look
    other = [path for path in known if not _same(path, value_at(there, path), intended[path])]
    return ", ".join(f"{'.'.join(path)} = {_shown(value_at(there, path))}" for path in other)


def _same(path: KeyPath, there: Any, wanted: Any) -> bool:
    if path == ENDPOINT and isinstance(there, str):
        return same_endpoint(there, str(wanted))
    return bool(there == wanted)


def _shown(value: Any) -> str:
    return "absent" if value is None else json.dumps(value)


def _as_config(snapshot: Snapshot) -> Document:
    """Give the provisioning of the generated file in config.toml's words, which call scope_id id_scope."""
    applied = generated.document_of(snapshot.config.generated.get("identityd")) or {}
    provisioning = applied.get("provisioning")
    if not isinstance(provisioning, dict) or provisioning.get("source") == "none":
        return {}
    return {"provisioning": {**provisioning, "id_scope": provisioning.get("scope_id")}}


def foreign_tcti(snapshot: Snapshot, document: Document, intended: Intended) -> str:
    """Give a `[tpm] tcti` that we did not write and that leads to another TPM than ours; else empty."""
    there = value_at(document, TCTI)
    if there is None or was_ours(snapshot, TCTI):
        return ""
    same = ("device", f"device:{snapshot.tpm.node}") if TCTI not in intended else (intended[TCTI],)
    return "" if there in same else str(there)


def edited_by_hand(snapshot: Snapshot, document: Document, intended: Intended) -> tuple[str, ...]:
    """Name our keys whose value is neither what we wrote last nor what the settings want now."""
    written = _written(snapshot)
    if not written:
        return ()
    return tuple(
        ".".join(path)
        for path in differences(document, intended)
        if _comparable(path, value_at(document, path)) != written.get(path)
    )


def _comparable(path: KeyPath, value: Any) -> Any:
    return _digest(value) if path in SECRETS and value is not None else value
