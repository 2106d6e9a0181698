"""A config.toml that was made from a template and never filled in. Pure."""

from typing import Any

from agent.edge.config_paths import ID_SCOPE, OF_OTHER_WAYS, REGISTRATION_ID, Document
from agent.edge.config_text import KeyPath, value_at
from agent.settings.placeholders import is_placeholder

_WHO = (ID_SCOPE, REGISTRATION_ID, *OF_OTHER_WAYS)


def unfilled(document: Document) -> tuple[KeyPath, ...]:
    """Name the keys that say who the device is, where all that do are placeholders; else none."""
    said = [(path, value) for path in _WHO for value in _texts(value_at(document, path))]
    if not said or not all(is_placeholder(value) for _, value in said):
        return ()
    return tuple(dict.fromkeys(path for path, _ in said))


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for name, inner in value.items() if name != "method" for text in _texts(inner)]
    return [value] if isinstance(value, str) else []
