"""Values that somebody was to fill in and nobody did: templates' words, unexpanded variables. Pure."""

import re

_WORDS = frozenset({
    "", "null", "nil", "none", "undefined", "todo", "tbd", "changeme", "xxx", "0ab1234c5d6", "my-device",
    "my_device", "id_scope", "id-scope", "idscope", "scope_id", "scope-id", "scopeid", "dps_id_scope",
    "registration_id",
    "registration-id", "registrationid", "device_id", "device-id", "deviceid", "connection_string",
})  # fmt: skip
_MARKS = re.compile(
    r"(?i)<[^<>]*>|\$\{|\$\(|\$env:|\{\{|%[a-z_]\w*%|[{}]|\[[a-z][a-z _-]+\]"  # of templates and shells
    r"|\b(?:replace|insert|enter|fill)[ _-]|\bchange[ _-]?me\b|\byour[ _-]|[ _-]here\b|\bxxx+\b"
)
_OLD_PORTAL = re.compile(r"(?i)add device connection string")


def is_placeholder(value: object) -> bool:
    """Say whether a text is one that stands for another."""
    if not isinstance(value, str):
        return False
    text = value.strip()
    return text.lower() in _WORDS or bool(_MARKS.search(text) or _OLD_PORTAL.search(text))
