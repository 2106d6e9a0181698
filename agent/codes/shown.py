"""What may be shown of words that are not ours: a person's file, the cloud, the runtime, a TPM. Pure.

They reach terminals, the journal and systemd's status line. So what could steer a terminal or turn a line
round is shown as an escape, and what has the shape of a secret as stars. Both are done once, where words become
a fact; to do it again changes nothing.
"""

import re
from functools import cache

LONGEST = 1000
STARS = "********"
_PLAIN = "\t\xa0\u3000"  # white space that `str.isprintable` takes for unprintable
_VALUE = r"""[^\s;,&"'})\]]+"""
# A rule is looked for only where its hint stands (in lower case): most words have none, and patterns cost time.
_BY_SHAPE: tuple[tuple[str, str, str], ...] = (
    ("sharedaccesskey", rf"(?i)(SharedAccessKey\s*=\s*){_VALUE}", r"\1" + STARS),  # connection strings
    ("sig=", rf"(?i)(\bsig=){_VALUE}", r"\1" + STARS),  # shared access signatures
    ("pin-value=", rf"(?i)(pin-value=){_VALUE}", r"\1" + STARS),  # RFC 7512
    ("@", r"(\w://)[^/\s\"'@]*:[^/\s\"'@]*@", rf"\1{STARS}@"),  # RFC 3986 section 3.2.1
    ("bearer ", r"(?i)(\bbearer\s+)[\w.~+/=-]{8,}", r"\1" + STARS),  # RFC 6750
    ("authorization", rf"(?i)(authorization\s*[:=]\s*(?:\w+\s+)?){_VALUE}", r"\1" + STARS),
    ("private key-----", r"(?s)(-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----).*?(-----END|\Z)", rf"\1 {STARS} \2"),
    (
        "=",
        r"(?<![\w+/=])(?:[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==)(?![\w+/=])",
        STARS,
    ),  # keys of 32, 64 bytes
)
_NAMES = (
    "password", "passwd", "passphrase", "secret", "access_token", "sas_token", "symmetric_key", "primary_key",
    "secondary_key", "primarykey", "secondarykey", "access_key", "accesskey", "connection_string", "private_key",
    "api_key", "device_id_pk",
)  # fmt: skip
_BY_NAME = (
    rf"""(?i)([\w.-]*(?:{"|".join(_NAMES)})[\w.-]*["']?\s*[:=]\s*)(\{{.*?\}}|"[^"]*"|'[^']*'|{_VALUE})"""
)


def fact(value: object) -> str:
    """Give a fact as it may be shown: one line, or one a line where it is a tuple."""
    if isinstance(value, tuple):
        return "\n".join(map(fact, value))
    return _cut(without_secrets(_escaped(str(value))))


def harmless(text: str) -> str:
    r"""Give a text in which nothing steers a terminal, of at most `LONGEST` characters.

    Control characters, line ends, marks that turn the direction of writing and what has no width or no
    meaning are shown as Python writes them: "\x1b", "\u202e".
    """
    return _cut(_escaped(text))


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() or one in _PLAIN else one.encode("unicode_escape").decode() for one in text
    )


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    more = f"... ({len(text)} characters)"
    return text[: LONGEST - len(more)] + more


def without_secrets(text: str) -> str:
    """Give a text in which what has the shape of a secret, or the name of one before it, is stars."""
    lowered = text.lower()
    for hint, pattern, stars in _BY_SHAPE:
        if hint in lowered:
            text = _compiled(pattern).sub(stars, text)
    if any(name in lowered for name in _NAMES):
        text = _compiled(_BY_NAME).sub(rf"\1{STARS}", text)
    return text


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
