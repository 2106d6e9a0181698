"""Whose word counts: what config.toml says on its own stays, unless a settings file says otherwise. Pure.

A default of ours is nobody's word. So where no settings file names a setting, its key in config.toml is left
as somebody else wrote it: such a key is not ours, and is neither written, held nor applied for its own sake.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from agent.edge.config_paths import ENDPOINT, HOSTNAME, METHOD, MODE, REGISTRATION_ID, SOURCE, Document
from agent.edge.config_text import KeyPath, value_at
from agent.facts.snapshot import Snapshot
from agent.plan.written import written
from agent.settings import OnManualEdit, Settings
from agent.settings.placeholders import is_placeholder
from agent.tpm.registration import is_of_another_key
from agent.values import dataclass

SETTING_OF: Mapping[KeyPath, str] = MappingProxyType({
    MODE: "runtime.auto_reprovisioning_mode",
    HOSTNAME: "runtime.hostname",
    ENDPOINT: "dps.global_endpoint",
    REGISTRATION_ID: "dps.registration_id",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """Whose words there are: the settings that a file names, and our keys of config.toml as written last.

    With `restores` what we wrote once is ours, whoever changed it. `ek_public` is empty while not known.
    """

    named: frozenset[str]
    written: Mapping[KeyPath, Any]
    restores: bool = False
    ek_public: bytes = b""


def words(snapshot: Snapshot, settings: Settings) -> Words:
    """Give the words of a snapshot."""
    restores = settings.runtime.on_manual_edit == OnManualEdit.RESTORE
    return Words(snapshot.named_settings, written(snapshot), restores, snapshot.tpm.ek_public)


def left_to_config(words: Words, document: Document) -> Mapping[KeyPath, str]:
    """Give the keys, with their values, that config.toml decides."""
    said = ((path, value_at(document, path)) for path, name in SETTING_OF.items() if name not in words.named)
    return {
        path: value
        for path, value in said
        if isinstance(value, str) and not is_placeholder(value) and not _is_ours(words, path, value)
        if path != REGISTRATION_ID or _is_for_this_tpm(words, document, value)
    }


def _is_ours(words: Words, path: KeyPath, value: str) -> bool:
    return path in words.written and (words.restores or words.written[path] == value)


def _is_for_this_tpm(words: Words, document: Document, registration_id: str) -> bool:
    """Say whether a device registers by its TPM under this id: else it belongs to another way or device."""
    by_tpm = (value_at(document, SOURCE), value_at(document, METHOD)) == ("dps", "tpm")
    return by_tpm and not is_of_another_key(registration_id, words.ek_public)
