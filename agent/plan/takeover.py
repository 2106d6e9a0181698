"""Whether what somebody else decided may be changed: adoption, edits by hand, another's TPM. Pure."""

import json
from typing import Any

from agent.codes import AgentError, config
from agent.edge import config_text, generated
from agent.edge.config_diff import unified_diff
from agent.edge.config_paths import (
    ENDPOINT,
    IDENTITY_KEYS,
    NOT_SHOWN,
    OF_OTHER_WAYS,
    TCTI,
    Document,
    Intended,
)
from agent.edge.config_text import KeyPath, differences, value_at
from agent.facts.snapshot import Snapshot
from agent.plan.by_tpm import FROM_KEY
from agent.plan.config_keys import same_endpoint
from agent.plan.stop import StopError
from agent.plan.unfilled import unfilled
from agent.plan.written import comparable, was_ours, written
from agent.settings import Settings
from agent.settings.placeholders import is_placeholder


def hold_for_others(snapshot: Snapshot, settings: Settings, document: Document, intended: Intended) -> None:
    """Hold where somebody else's decision would be undone.

    `--adopt` is a person's word that it may be; another TPM for the runtime stays wrong all the same.

    Raises:
        StopError: config.foreign-tcti, config.other-provisioning or config.manual-edit.
    """
    if tcti := foreign_tcti(snapshot, document, intended):
        raise StopError(config.FOREIGN_TCTI(tcti=tcti, node=snapshot.tpm.node or settings.tpm.device))
    if snapshot.adopt:
        return
    if other := provisions_otherwise(snapshot, document, intended):
        code = config.UNFILLED if unfilled(document) else config.OTHER_PROVISIONING
        was_applied = snapshot.config.generated.get("identityd") is not None
        never = "" if was_applied else " (written, never applied)"
        raise StopError(code(what=other + never), _held_diff(snapshot, document, intended))
    edited = edited_by_hand(snapshot, document, intended)
    if edited and settings.runtime.on_manual_edit == "hold":
        held = _held_diff(snapshot, document, intended)
        raise StopError(config.MANUAL_EDIT(keys=", ".join(edited)), held)


def of_other_ways(document: Document) -> tuple[KeyPath, ...]:
    """Name what config.toml has of the keys by which other ways say who the device is."""
    return tuple(path for path in OF_OTHER_WAYS if value_at(document, path) is not None)


def taken_over(document: Document, intended: Intended) -> Intended:
    """Give our keys, and those of other ways as keys that are not to be there."""
    return {**dict.fromkeys(of_other_ways(document)), **intended}


def _held_diff(snapshot: Snapshot, document: Document, intended: Intended) -> str:
    """Show what taking over would change; nothing where the file's shape would not let us."""
    text = snapshot.config.text or ""
    try:
        edited = config_text.edit(text, taken_over(document, intended), unfold=True)
    except AgentError:
        return ""
    return unified_diff(text, edited, snapshot.config.path, NOT_SHOWN)


def provisions_otherwise(snapshot: Snapshot, document: Document, intended: Intended) -> str:
    """Say how a device we have no record of is provisioned in another way; empty if it is not.

    Where config.toml says nothing, what was applied last says it.
    """
    there = document if "provisioning" in document else _as_config(snapshot)
    if snapshot.history.written or "provisioning" not in there:
        return ""
    was_applied = bool(_as_config(snapshot))
    if not was_applied and unfilled(there):
        return ""
    ours = (path for path in IDENTITY_KEYS if path in intended)
    known = (path for path in ours if intended[path] != FROM_KEY)  # with the key comes the next look
    counted = (path for path in known if was_applied or not is_placeholder(value_at(there, path)))
    other = [path for path in counted if not _same(path, value_at(there, path), intended[path])]
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
    """Name the keys that we wrote whose value is neither that nor what the settings want now."""
    last = written(snapshot)
    return tuple(
        ".".join(path)
        for path in differences(document, intended)
        if path in last and comparable(path, value_at(document, path)) != last[path]
    )
