"""What may be shown of a text that somebody else wrote: no secrets, and nothing that steers a terminal. Pure.

Whoever names a device, writes a comment or answers from the cloud can put control characters and marks into
it that hide, move or reverse what a person reads (CWE-150, Unicode TR36 section 3), and can have put a
password where none belongs. Both rules leave alone what they have been through before.
"""

import re

STARS = "********"
_LONGEST = 1000
_CUT = "... ({} more)"
_WAS_CUT = r"\.\.\. \(\d+ more\)$"
_ROOM_FOR_CUT = 32
_ROUNDS = 2  # what stands beside stars may have a shape only then


def harmless(text: str) -> str:
    r"""Give a text as one line that can be printed: what can't be printed as an escape (\n, \x1b, \u202e).

    What is longer than 1000 characters is cut, and says by how many.
    """
    text = _escaped(text)
    if len(text) <= _LONGEST:
        return text
    kept = text[: _LONGEST - _ROOM_FOR_CUT].rstrip("*")  # some of its stars would be taken for a secret
    return kept + _CUT.format(len(text) - len(kept))


def _escaped(text: str) -> str:
    return text if text.isprintable() else "".join(map(_escape, text))


def _escape(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def shown(text: str) -> str:
    """Give a text as it may be shown on one line: its secrets as stars, and harmless."""
    if text.endswith(" more)") and (cut := re.search(_WAS_CUT, text)):  # what says so is nobody's value
        return harmless(without_secrets(_escaped(text[: cut.start()])) + cut[0])
    bare = without_secrets(text)
    return harmless(bare if bare.isprintable() else without_secrets(_escaped(bare)))


def shown_lines(text: str) -> str:
    """Give a text of several lines as it may be shown; its lines, their ends and tabs stay."""
    return harmless_lines(without_secrets(text))


def harmless_lines(text: str) -> str:
    """Give each line of a text harmless; the lines, their ends and tabs stay."""
    return "".join(map(_harmless_line, text.split("\n"))).removesuffix("\n")


def _harmless_line(line: str) -> str:
    end = "\r\n" if line.endswith("\r") else "\n"
    return "\t".join(map(harmless, line.removesuffix("\r").split("\t"))) + end


# What a secret is called, as a pattern. A URI's `pkcs11:token=...` names none.
GUARDED_NAMES = (
    r"(?i:pass(?:word|wd|phrase|code)|passwd|pwd|secret|credential|(?<![:;])token|connection[ _-]?string"
    r"|(?:symmetric|primary|secondary|access|account|api|private|shared|storage|authentication)[ _-]?key)"
    r"(?i:s|_?\d{1,3})?"
)
_IN_QUOTES = (
    r'(?:"""(?s:.*?)(?:"""|\Z)|' + r"'''(?s:.*?)(?:'''|\Z)"
    r'|\\"(?s:.*?)(?:\\"|\Z)|"(?:[^"\\]|\\.)+"?' + r"|'[^']+'?|`[^`]+`?|\{(?:[^{}]|\{[^{}]*\}?)*\}?)"
)
_BARE = r"""[^\s,;&}\])"'`]+"""
_BASE64_ENDS = r"(?!=)"  # its padding ends it, whatever follows
# Of each of these groups one must stand in a text, in lower case, where the rule may find anything: to compile
# a rule takes a millisecond, and a pass with nothing to say has no use for any.
_NAMED = ("pass", "pwd", "secret", "credential", "token", "string", "key")
_Hints = tuple[tuple[str, ...], ...]
_RULES: tuple[tuple[_Hints, str], ...] = (
    (
        (("=",), _NAMED),
        rf"(?P<before>{GUARDED_NAMES}\\?[\"'`\]]?\s*=\s*)(?:{_IN_QUOTES}|{_BARE})",
    ),
    (
        ((":",), _NAMED),
        rf"(?P<before>{GUARDED_NAMES}\\?[\"'`\]]?\s*:\s*)(?:{_IN_QUOTES}|(?=[^\s,;&]{{,256}}\d){_BARE})",
    ),
    # RFC 7512 section 2.3 lets a PIN have commas, quotes and stars
    ((("pin-value=",),), r"(?P<before>(?i:\bpin-value=))(?!\*{8})[^\s\"`&]*[^\s\"`&').,;:\]]"),
    (
        (("pin",), ("=", ":")),
        r"(?P<before>(?i:\bpin(?:-value)?[\"']?\s*[=:]\s*[\"']?))(?!\*{8})[^\s\"'`;&?,]+",
    ),
    # a registry's, as docker keeps it; the runtime's "auth":"tpm" is none
    (
        (("auth",), (":",)),
        r"(?P<before>(?i:\\?[\"']auth\\?[\"']\s*:\s*\\?[\"']))(?!(?:tpm|x509|sas)\b)[^\s\"'\\]+",
    ),
    (  # serde names the value that has a wrong type, be it a PIN without quotes; a handle such as 0x00 is none
        (("invalid type: ", "invalid value: "),),
        (
            r"(?P<before>invalid (?:type|value): (?:string|integer|floating point) )"
            r"(?![\"`]0x[0-9A-Fa-f_]+[\"`])(?:\"(?:[^\"\\]|\\.)+\"?|`[^`]+`?)"
        ),
    ),
    ((("sig=",),), r"(?P<before>(?i:(?<![a-z])sig=))[^\s\"'`;&,]+"),
    ((("://",), ("@",)), r"(?P<before>://)[^\s/?#\"'`<>]{1,256}(?=@)"),
    ((("://",), ("@",)), r"(?P<before>://)[^\s/:@\"'`<>]{,256}:(?!\d+[/?#\s\"'])[^\s\"'`<>]{,256}(?=@)"),
    (
        (("private key-----",),),
        r"(?P<before>-----BEGIN [A-Z ]*PRIVATE KEY-----)(?!\*{8})(?s:.*?)(?=-----END|\Z)",
    ),
    (
        (("authorization",),),
        r"(?P<before>(?i:\bauthorization\\?[\"']?\s*[:=]\s*\\?[\"']?(?:basic|bearer|digest|shared\w+|token)\s+))"
        + _BARE,
    ),
    ((("bearer",),), r"(?P<before>(?i:\bbearer\s+))[A-Za-z0-9._~+/=-]{16,}"),
    ((("eyj",),), r"(?P<before>)\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    (
        (("=",),),
        rf"(?P<before>(?<![A-Za-z0-9+/]))(?:[A-Za-z0-9+/]{{43}}=|[A-Za-z0-9+/]{{86}}==){_BASE64_ENDS}",
    ),
)


def without_secrets(text: str) -> str:
    """Give a text in which what is secret by its name or its shape is stars."""
    for _ in range(_ROUNDS):
        starred = _starred(text)
        if starred == text:
            break
        text = starred
    return text


def _starred(text: str) -> str:
    lowered = text.lower()
    for hints, pattern in _RULES:
        if all(any(one in lowered for one in group) for group in hints):
            text = re.sub(pattern, rf"\g<before>{STARS}", text)
    return text


def is_secret_name(name: str) -> bool:
    """Say whether a key of this name holds a secret."""
    return re.search(rf"{GUARDED_NAMES}$", name) is not None
