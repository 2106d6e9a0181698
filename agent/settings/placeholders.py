"""Values that somebody was to fill in and nobody did: templates' words, unexpanded variables. Pure."""

import re

_WORDS = frozenset({
    "", "null", "nil", "none", "undefined", "todo", "tbd", "changeme", "xxx", "0ab1234c5d6", "my-device",
    "my_device", "id_scope", "id-scope", "idscope", "scope_id", "scope-id", "scopeid", "dps_id_scope",
    "registration_id",
    "registration-id", "registrationid", "device_id", "device-id", "deviceid", "connection_string",
})  # fmt: skip
# Of these one must stand in a text, in lower case, where a pattern may find anything: to compile one takes
# milliseconds, and a quiet pass has no use for any.
_HINTS = ("replace", "insert", "enter", "fill", "change", "your", "here", "xxx")
_SIGNS = frozenset("<{}$%@[_")
# What templates and shells put around a name. `%41` and the like are a URI's own (RFC 3986 section 2.1).
_MARKS = (
    r"(?i)<[^<>]*>|\$\{|\$\(|\$env:|[{}]|\[[a-z][a-z _-]+\]|(?<![%\w])%[a-z_]\w{2,}%(?!\w)|@@\w+@@"
    r"|^\$[a-z_]\w*$|^__\w+__$|^0[a-z]{2}\w{0,8}xxx$"
)
# Words that ask for something. A verb alone does not: machines that fill or insert things are called so.
_PHRASES = (
    r"(?i:\b(?:replace|insert|enter|fill)[ _-](?:me|in|with|your|the|this|here|value|endpoint"
    r"|(?:dps[ _-])?(?:id|scope)|(?:device|registration)[ _-]?id|connection[ _-]?string)(?![a-z0-9]))"
    r"|(?i:\b(?:replace|change)[ _-]?me\b|\byour[ _-]|\bxxx+\b)"
    r"|(?i:(?:id|scope|name|key|value|string|endpoint)[ _-]here\b)|_HERE\b"
)
_NAME_IN_STRING = r"(?i)(;\s*(?:Device|Module)Id\s*=)[^;]*"  # a connection string's


def is_placeholder(value: object) -> bool:
    """Say whether a text is one that stands for another.

    Words in the name that a connection string gives a device do not count: people call devices anything.
    """
    if not isinstance(value, str):
        return False
    text = value.strip()
    lower = text.lower()
    if lower in _WORDS or "add device connection string" in lower:
        return True
    is_hinted = any(hint in lower for hint in _HINTS)
    if (is_hinted or not _SIGNS.isdisjoint(text)) and re.search(_MARKS, text):
        return True
    return is_hinted and bool(re.search(_PHRASES, re.sub(_NAME_IN_STRING, r"\1", text)))
